"""Whole catalog files, our samples and real ones, are edited so that only the lines that must change do."""

import difflib
import functools
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import ruamel.yaml
import yaml

from nthlayer_sync.errors import InputError
from nthlayer_sync.yaml.read import read_documents
from nthlayer_sync.yaml.splice import ANNOTATIONS, annotations, append, edit, edit_links, links, value_at

ADDED = {"example.com/one": "12", "example.com/two": "on", "example.com/three": 'a: "b" # c'}
LINK = {"url": "https://example.com/dashboards/1", "title": "Dashboard: 1"}


SAMPLES = sorted((Path(__file__).parent / "samples").iterdir())


def paths(shared: Path, *folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (shared / "corpus" / folder).iterdir())


def refused(shared: Path) -> set[str]:
    rows = (shared / "corpus" / "INVALID.tsv").read_text().splitlines()[1:]
    return {row.split("\t")[0].split("/")[-1] for row in rows}


def entities(data: bytes) -> list[int]:
    documents, _ = read_documents(data, file="f")
    return [
        document.index
        for document in documents
        if isinstance(document.value, dict) and isinstance(document.value.get("metadata"), dict)
    ]


def changed(before: bytes, after: bytes) -> tuple[list[bytes], list[bytes]]:
    """The lines that went and the lines that came."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    gone: list[bytes] = []
    come: list[bytes] = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            gone += old[i1:i2]
            come += new[j1:j2]
    return gone, come


@functools.lru_cache(maxsize=4)
def read_independently(data: bytes) -> list[object]:
    reader = ruamel.yaml.YAML(typ="safe", pure=True)
    return list(reader.load_all(io.BytesIO(data)))


def wrong_additions(before: bytes, after: bytes, most: int) -> Iterator[str]:
    """What an edit that adds values changed although it need not."""
    gone, come = changed(before, after)
    if len(gone) > 1:
        yield f"{len(gone)} lines changed"
    if gone and not (b"{" in come[0] or b"null" in gone[0] or come[0].startswith(gone[0].rstrip(b"\r\n"))):
        yield f"changed {gone[0]!r} into {come[0]!r}"
    if len(come) - len(gone) > most:
        yield f"added {len(come) - len(gone)} lines"


def misread(before: bytes, after: bytes, document: int) -> Iterator[str]:
    """Whether other parsers read in `after` something else than `before` with the annotations."""
    for read in (read_independently, lambda data: list(yaml.load_all(data, Loader=yaml.CSafeLoader))):
        expected = list(read(before))
        metadata = expected[document]["metadata"]
        metadata = metadata | {"annotations": (metadata.get("annotations") or {}) | ADDED}
        expected[document] = expected[document] | {"metadata": metadata}
        if read(after) != expected:
            yield "another parser reads something else"


def faults(data: bytes, document: int) -> Iterator[str]:
    """What goes wrong when annotations and links are added, changed and removed."""
    there = annotations(data, document)
    added = edit(data, document, {(*ANNOTATIONS, key): value for key, value in ADDED.items()})
    yield from wrong_additions(data, added, 4)
    if annotations(added, document) != there | ADDED:
        yield "the annotations do not read back"
    yield from misread(data, added, document)
    key = (*ANNOTATIONS, "example.com/one")
    other = edit(added, document, {key: "other: text"})
    if [len(side) for side in changed(added, other)] != [1, 1] or edit(other, document, {key: "12"}) != added:
        yield "changing a value changed more"
    removed = edit(added, document, {(*ANNOTATIONS, name): None for name in ADDED})
    if removed != data and value_at(data, document, ANNOTATIONS) is not None:
        yield "removing what was added does not give the first bytes back"
    linked = edit_links(data, document, [LINK], [])
    yield from wrong_additions(data, linked, 3)
    if links(linked, document) != [*links(data, document), LINK]:
        yield "the links do not read back"
    if edit_links(linked, document, [], [LINK["url"]]) != data:
        yield "removing the link does not give the first bytes back"
    for name, value in there.items():
        path = (*ANNOTATIONS, name)
        other = edit(data, document, {path: "x" + value})
        back = edit(other, document, {path: value})
        if len(changed(data, other)[1]) != 1 or len(changed(data, back)[1]) > 1 or annotations(back, document) != there:
            yield f"changing {name} there and back changed more"
        without = edit(data, document, {path: None})
        _, come = changed(data, without)
        if any(b"{" not in line for line in come) and not data.startswith(b"{"):
            yield f"removing {name} added {come}"
        if annotations(without, document) != {key: item for key, item in there.items() if key != name}:
            yield f"removing {name} removed something else"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("final", [True, False])
def test_every_entity_of_the_samples(path: Path, line_end: bytes, final: bool) -> None:
    data = path.read_bytes()
    data = (data if final else data.rstrip(b"\n")).replace(b"\n", line_end)
    documents = entities(data)
    assert documents
    for document in documents:
        assert list(faults(data, document)) == []


@pytest.mark.timeout(600)
def test_every_entity_of_the_corpus(shared: Path) -> None:
    found: dict[str, list[str]] = {}
    tried: dict[str, Path] = {}
    for path in paths(shared, "catalog", "org"):
        data = path.read_bytes()
        documents = entities(data)
        if path.name in refused(shared) or not documents:
            continue
        tried[path.name] = path
        for document in documents:
            try:
                wrong = list(faults(data, document))
            except InputError as error:
                wrong = [f"refused: {error}"]
            if wrong:
                found.setdefault(path.name, []).extend(wrong)
    owners: dict[str, str] = {}
    for name in tried:
        owners.setdefault(name.split("__")[0], name)
    clean = sum(name not in found for name in owners.values())
    print(f"\n{len(tried) - len(found)}/{len(tried)} files, {clean}/{len(owners)} one file per owner")
    assert found == {}


def test_invalid_files_are_refused_and_diagnosed(shared: Path) -> None:
    for path in paths(shared, "catalog", "org", "cortex"):
        data = path.read_bytes()
        if path.name not in refused(shared):
            continue
        _, diagnoses = read_documents(data, file=path.name)
        assert diagnoses, path.name
        assert all(diagnosis.line and diagnosis.column for diagnosis in diagnoses)
        with pytest.raises(InputError):
            edit(data, 0, {(*ANNOTATIONS, "a"): "b"})


def test_navigation_of_every_site(shared: Path) -> None:
    count = 0
    for path in paths(shared, "mkdocs"):
        if path.suffix not in (".yml", ".yaml"):
            continue
        data = path.read_bytes()
        after = append(data, 0, ("nav",), [{"Operations": ["ops/runbook.md"]}])
        assert len(value_at(after, 0, ("nav",))) == len(value_at(data, 0, ("nav",)) or []) + 1
        there = value_at(data, 0, ("nav",))
        gone = edit(after, 0, {("nav", len(there) if there else 0): None})
        assert gone == data or (there is None and b"\nnav: ~" in data), path.name
        count += 1
    assert count > 10
