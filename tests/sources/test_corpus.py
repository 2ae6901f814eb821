"""Catalog files of strangers: each gives entities or says, with its place, why it does not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.model.entity import Place
from nthlayer_sync.sources.directory import directory_source
from nthlayer_sync.sources.entities import read_value
from nthlayer_sync.sources.text import read_text
from nthlayer_sync.yaml.read import read_documents


def documents(file: Path) -> int | None:
    """How many documents another parser sees, empty ones left out; None when it sees no YAML."""
    try:
        return sum(
            1
            for document in yaml.compose_all(file.read_bytes(), yaml.CSafeLoader)
            if document is not None and document.tag != "tag:yaml.org,2002:null"
        )
    except (yaml.YAMLError, ValueError):
        return None


@pytest.mark.parametrize("part", ["catalog", "org", "cortex", "mkdocs", "slo"])
async def test_no_document_is_dropped_in_silence(shared: Path, part: str) -> None:
    files = sorted(file for file in (shared / "corpus" / part).rglob("*") if file.is_file())
    assert files
    for file in files:
        text = read_text(Place("corpus", file.name), file.read_bytes())
        for _, reading in text.readings:
            assert reading.entity is not None or reading.problems, file
        count = documents(file)
        if count is None or len(text.readings) < count:
            assert text.faults, file
        for fault in text.faults:
            assert fault.file == file.name
            assert fault.message
            assert fault.line > 0 or fault.code == "document-foreign", fault


@pytest.mark.parametrize("part", ["catalog", "org"])
async def test_each_diagnosis_says_what_and_where(shared: Path, part: str) -> None:
    found = await directory_source("corpus", shared / "corpus" / part, patterns=["*"]).read()
    assert len(found.entities) > 100
    for diagnosis in found.diagnoses:
        assert diagnosis.message
        assert diagnosis.file
        assert diagnosis.line > 0 or diagnosis.code == "document-foreign", diagnosis


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("1-Platform__one-platform__packages__lighthouse-service__catalog-info.yaml", "consumesApi"),
        ("AndraMaximE__kolibri-backstage-catalog__catalog__components__backend__catalog-info@12a4d7d4.yaml", "systems"),
    ],
)
async def test_misspelt_relations_of_real_files_are_pointed_out(shared: Path, file: str, key: str) -> None:
    found = await directory_source("corpus", shared / "corpus" / "catalog" / file).read()
    assert key in {diagnosis.found for diagnosis in found.diagnoses if diagnosis.code == "spec-key-misspelt"}


def vendor(shared: Path) -> Callable[[dict], bool]:
    """Whether Backstage's own schemas take an entity of one of its own kinds."""
    folder = shared / "specs/artefacts/backstage/catalog-model"
    schemas = {file.name: json.loads(file.read_text()) for file in folder.rglob("*.json")}
    registry = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema, default_specification=DRAFT7)) for schema in schemas.values()
    )

    def accepts(document: dict) -> bool:
        spec = document.get("spec")
        if isinstance(spec, dict) and isinstance(spec.get("definition"), dict):
            # Backstage puts the text of another file in its place before it checks anything.
            document = document | {"spec": spec | {"definition": "text"}}
        names = ["Entity.schema.json", f"{document.get('kind')}.v1alpha1.schema.json"]
        return all(Draft7Validator(schemas[name], registry=registry).is_valid(document) for name in names)

    return accepts


async def test_what_the_vendors_schemas_refuse_is_never_taken_without_a_word(shared: Path) -> None:
    accepts = vendor(shared)
    own = {"Component", "API", "Resource", "System", "Domain", "Group", "User", "Location"}
    compared = refused = 0
    for file in sorted((shared / "corpus").glob("[co][ar][tg]*/*")):
        for document in read_documents(file.read_bytes(), file=file.name)[0]:
            if not isinstance(document.value, dict) or document.value.get("kind") not in own:
                continue
            reading = read_value(document.value)
            compared += 1
            if not accepts(document.value):
                refused += 1
                said = reading.refused or any("Backstage refuses" in each.message for each in reading.problems)
                assert said, (file, reading.problems)
            elif reading.refused:
                # The schemas say nothing of how names, keys, tags and URLs are written.
                assert {each.code for each in reading.problems if each.severity is Severity.ERROR} <= {
                    "entity-format",
                    "entity-placeholder",
                    "entity-api-version",
                }, (file, reading.problems)
    assert compared > 500
    assert refused > 5
