"""Catalog files of strangers: each gives entities or says, with its place, why it does not."""

from pathlib import Path

import pytest
import yaml

from nthlayer_sync.model.entity import Place
from nthlayer_sync.sources.directory import directory_source
from nthlayer_sync.sources.text import read_text


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
