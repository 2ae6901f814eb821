"""The JSON Schemas: current, sound, and of one mind with the program about the examples."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nthlayer_sync.app import App
from nthlayer_sync.blueprint.document import read_annotations, read_blueprint
from nthlayer_sync.blueprint.person import read_person
from nthlayer_sync.blueprint.schemas import texts
from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.cli.schemas import all_schemas as schemas
from nthlayer_sync.errors import InputError
from nthlayer_sync.yaml.read import read_documents

FOLDER = Path(__file__).parents[2] / "catalog-schemas"
EXAMPLES = sorted(FOLDER.glob("examples/*.yaml"))
INVALID = sorted(FOLDER.glob("examples/invalid/*.yaml"))
DIALECTS = (jsonschema.Draft7Validator, jsonschema.Draft202012Validator)


def schema_of(file: Path) -> str:
    found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
    assert found, "the first line of an example names its schema"
    path = (file.parent / found[1]).resolve()
    assert path.parent == FOLDER
    return path.name


def refusals(file: Path) -> list[str]:
    """What the schema has against a file, the same in both dialects."""
    documents, diagnoses = read_documents(file.read_bytes(), file=str(file))
    assert not diagnoses
    schema = json.loads((FOLDER / schema_of(file)).read_text())
    first, second = (sorted(error.message for error in of(schema).iter_errors(documents[0].value)) for of in DIALECTS)
    assert first == second
    return first


def program_refuses(file: Path) -> bool:
    """Whether the program itself has something against a file."""
    documents, _ = read_documents(file.read_bytes(), file=str(file))
    value: Any = documents[0].value
    tiers = load_tiers(None)
    match schema_of(file):
        case "blueprint.schema.json":
            layer = read_blueprint(file.read_bytes(), file=str(file), name="checkout", tiers=tiers)
            return bool(layer.diagnoses)
        case "annotations.schema.json":
            annotations = value["metadata"]["annotations"]
            if not all(isinstance(text, str) for text in annotations.values()):
                return True  # such an entity is refused before anybody looks at its annotations
            if value["kind"] == "User":
                return bool(read_person(annotations)[1])
            return any(layer.diagnoses for layer in read_annotations(annotations, tiers))
        case "settings.schema.json":
            try:
                app = App.load(file)
                assert app.tiers
                app.generator()
            except InputError:
                return True
            return False
        case _:
            try:
                load_tiers(file)
            except InputError:
                return True
            return False


def test_the_committed_schemas_are_current() -> None:
    made = texts(schemas())
    for name, text in made.items():
        current = (FOLDER / name).read_text(encoding="utf-8")
        assert current == text, f"{name} is old: make schemas"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_each_schema_is_a_schema_in_both_dialects(name: str) -> None:
    schema = schemas()[name]
    for dialect in DIALECTS:
        dialect.check_schema(schema)
    assert name == "settings.schema.json" or '"default"' not in json.dumps(schema), (
        "what is left out comes from the tier, not from the schema"
    )


@pytest.mark.parametrize("name", sorted(schemas()))
def test_patterns_keep_to_what_all_regular_expressions_have_in_common(name: str) -> None:
    """ECMAScript with the flag u, which editors use, refuses an escape that escapes nothing."""
    for pattern in patterns(schemas()[name]):
        assert re.compile(pattern)
        assert not set(re.findall(r"\\(.)", pattern)) - set("^$\\.*+?()[]{}|/dswb"), pattern


def patterns(schema: Any) -> list[str]:
    below = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = [schema["pattern"]] if isinstance(schema, dict) and isinstance(schema.get("pattern"), str) else []
    return own + [pattern for part in below for pattern in patterns(part)]


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_field_is_described(name: str) -> None:
    silent = [path for path, field in properties(schemas()[name], name) if not {"description", "$ref"} & field.keys()]
    assert [path for path in silent if not path.endswith((".metadata", ".annotations"))] == []


def properties(schema: Any, above: str) -> list[tuple[str, dict[str, Any]]]:
    found = list[tuple[str, dict[str, Any]]]()
    if isinstance(schema, dict):
        for key, value in schema.get("properties", {}).items():
            found.append((f"{above}.{key}", value))
        for key, value in schema.items():
            found += properties(value, f"{above}.{key}")
    return found


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_examples_are_right(file: Path) -> None:
    assert refusals(file) == []
    assert not program_refuses(file)


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.name)
def test_the_invalid_examples_have_one_mistake(file: Path) -> None:
    assert len(refusals(file)) == 1
    assert program_refuses(file)
    assert re.search(r"^# Invalid: .+\.$", file.read_text(), re.MULTILINE)


def test_there_is_an_example_for_each_schema() -> None:
    assert {schema_of(file) for file in EXAMPLES} == set(schemas()) == {schema_of(file) for file in INVALID}
