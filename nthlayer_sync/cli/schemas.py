"""All JSON Schemas, that of the settings with every plugin in it: `python -m nthlayer_sync.cli.schemas FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from nthlayer_sync.blueprint.schemas import Schema, schema_of, schemas, texts
from nthlayer_sync.sdk.discover import folder_plugins
from nthlayer_sync.settings import Settings


def all_schemas() -> dict[str, Schema]:
    """Each schema by its file name."""
    found = schemas(settings=Settings)
    settings = found["settings.schema.json"]
    settings["properties"]["plugins"]["properties"] = {
        plugin.name: _settings_of(plugin.settings_type, plugin.summary) for plugin in folder_plugins()
    }
    blueprint = found["blueprint.schema.json"]
    described = settings["properties"]["defaults"]["description"]
    settings["properties"]["defaults"] = {"description": described, "allOf": [{"$ref": "#/$defs/ServiceBlueprint"}]}
    settings["$defs"] = {**blueprint["$defs"], **settings["$defs"]}
    return found


def _settings_of(model: type, summary: str) -> Schema:
    schema = schema_of(model)
    del schema["$schema"]
    return {**schema, "description": summary}


if __name__ == "__main__":
    for name, text in texts(all_schemas()).items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
