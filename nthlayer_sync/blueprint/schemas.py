"""Makes the JSON Schemas by which editors help people write.

They keep to what draft-07 and 2020-12 have in common, because editors differ in which they know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from nthlayer_sync.blueprint.document import FILE, FILE_NAME, IGNORE, PAUSED, BlueprintDocument
from nthlayer_sync.blueprint.person import PersonAnnotations
from nthlayer_sync.blueprint.tiers import TierTable
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.entity import INPUT_PREFIX

DIALECT = "http://json-schema.org/draft-07/schema#"

Schema = dict[str, Any]


class _Generator(GenerateJsonSchema):
    schema_dialect = DIALECT

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: a title would only repeat the field's name in another case."""
        return False


def schemas(**models: type[BaseModel]) -> dict[str, Schema]:
    """Each schema by its file name; `models` are further ones, as `settings=Settings` for `settings.schema.json`."""
    found = {f"{name}.schema.json": schema_of(model) for name, model in models.items()}
    found["blueprint.schema.json"] = schema_of(BlueprintDocument)
    found["tiers.schema.json"] = schema_of(TierTable)
    found["annotations.schema.json"] = annotations_schema()
    return found


def texts(found: Mapping[str, Schema]) -> dict[str, str]:
    """The content of the files."""
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in sorted(found.items())}


def schema_of(model: type[BaseModel]) -> Schema:
    """The schema of what people write for a model."""
    return {"$schema": DIALECT, **model.model_json_schema(schema_generator=_Generator)}


def annotations_schema() -> Schema:
    """The schema of our annotations in a whole `catalog-info.yaml`; it says nothing about anything else in it."""
    blueprint = schema_of(Blueprint)
    known: dict[str, Schema] = {
        IGNORE: {"description": "Whether this entity is left alone.", "enum": ["true", "false"]},
        PAUSED: {"description": "Why nothing is written for this entity now.", "pattern": "[^ ]"},
        FILE: {"description": "Path of the blueprint file, seen from this one.", "pattern": f"^{FILE_NAME}$"},
    }
    for path, schema in _paths(blueprint, blueprint["$defs"]):
        known[INPUT_PREFIX + ".".join(path)] = _as_text(schema, blueprint["$defs"])
    person = schema_of(PersonAnnotations)
    of_users = {INPUT_PREFIX + name: _as_text(schema, {}) for name, schema in person["properties"].items()}
    known |= of_users
    ours = f"^{INPUT_PREFIX.replace('.', '[.]')}"
    is_user = {"properties": {"kind": {"description": "Kind of the entity.", "pattern": "^[Uu]ser$"}}}
    return {
        "$schema": DIALECT,
        "title": "Annotations",
        "description": "What people ask for in the annotations of a catalog entity.",
        "type": "object",
        **_annotated(
            type="object",
            properties=dict(sorted(known.items())),
            propertyNames={"anyOf": [{"not": {"pattern": ours}}, {"enum": sorted(known)}]},
        ),
        "if": {**is_user, "required": ["kind"]},
        "else": _annotated(propertyNames={"not": {"enum": sorted(of_users)}}),
    }


def _annotated(**annotations: Any) -> Schema:
    """The schema of an entity whose annotations have this one."""
    return {"properties": {"metadata": {"type": "object", "properties": {"annotations": annotations}}}}


def _paths(schema: Schema, definitions: Schema) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """All that can be said about a blueprint, by path: its sections, and what is in them."""
    for name, below in schema.get("properties", {}).items():
        target: Schema = _target(below, definitions)
        yield (name,), {**target, **below}
        for path, leaf in _paths(target, definitions):
            yield (name, *path), leaf


def _target(schema: Schema, definitions: Schema) -> Schema:
    return definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _as_text(schema: Schema, definitions: Schema) -> Schema:
    """The schema of an annotation whose text stands for something of `schema`."""
    result: Schema = {"description": schema["description"]} if "description" in schema else {}
    allowed = list[Schema]()
    options = [_target(option, definitions) for option in _options(schema)]
    if any("pattern" in option for option in options):  # it covers the numbers too, with their limits
        options = [option for option in options if option.get("type") != "number"]
    for option in options:
        match option:
            case {"enum": names}:
                allowed.append({"enum": names})
            case {"type": "boolean"}:
                allowed.append({"enum": ["true", "false"]})
            case {"type": "null"}:
                allowed.append({"enum": ["null"]})
            case {"type": "integer"}:
                allowed.append({"pattern": "^[0-9]+$"})
            case {"type": "number"}:
                allowed.append({"pattern": "^[0-9]+([.][0-9]+)?$"})
            case {"pattern": pattern}:
                allowed.append({"pattern": pattern})
            case _:
                allowed.append({})
    if "examples" in schema:
        result["examples"] = [text if isinstance(text, str) else json.dumps(text) for text in schema["examples"]]
    if len(allowed) > 1:
        return {**result, "type": "string", "anyOf": allowed}
    return {**result, **allowed[0]} if "enum" in allowed[0] else {**result, "type": "string", **allowed[0]}


def _options(schema: Schema) -> Iterator[Schema]:
    """The schema itself, or what it may be instead."""
    if "anyOf" not in schema:
        yield schema
    for option in schema.get("anyOf", ()):
        yield from _options(option)
