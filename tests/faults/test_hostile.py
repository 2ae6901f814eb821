"""Hostile catalogs through the whole engine and every plugin: rendered safely or refused by name, and others go on."""

import json
import os
from pathlib import Path

import pytest
import yaml

from nthlayer_sync.git import check_path
from nthlayer_sync.graph.subjects import Held
from nthlayer_sync.model.entity import Entity, Link, Place
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.sdk.discover import folder_plugins
from nthlayer_sync.sdk.testing import HOSTILE
from nthlayer_sync.sources.directory import directory_source
from tests.faults.house import House, git, says, service

FINE = 3


def group(name: str, **words: object) -> Entity:
    return Entity(ref=entity_ref("group", name), kind="Group", name=name, spec={"type": "team"}, **words)


def hostile(place: str, number: int, value: str) -> list[Entity]:
    """One service, and its group where needed, with `value` at one place."""
    name = f"h{number}"
    tier = {"nthlayer.dev/tier": "1"}
    words: dict[str, dict[str, object]] = {
        "title": {"title": value, "description": value},
        "annotation": {"annotations": {**tier, "nthlayer.dev/slo.availability": value}},
        "annotations": {"annotations": {**tier, value: value, "backstage.io/kubernetes-id": value}},
        "labels": {"labels": {"a": value, value: "a"}, "tags": (value,), "links": (Link(value, value),)},
        "type": {"spec": {"type": value, "lifecycle": value, "owner": "team", "system": value}},
        "owner": {"spec": {"type": "service", "owner": value, "dependsOn": [value, f"resource:{value}"]}},
        "path": {"place": Place("https://git.example.com/acme/catalog", f"{value}/catalog-info.yaml")},
        "namespace": {"namespace": value, "ref": entity_ref("component", name, value)},
        "name": {"name": value, "ref": entity_ref("component", value)},
    }
    if place == "group":
        spec = {"type": "service", "owner": f"g{number}"}
        mail = {"type": "team", "profile": {"displayName": value, "email": value}}
        annotations = {"slack.com/channel": value}
        owner = Entity(
            ref=entity_ref("group", f"g{number}"), kind="Group", name=f"g{number}", title=value, spec=mail,
            annotations=annotations,
        )  # fmt: skip
        return [replaced(service(name), spec=spec), owner]
    return [replaced(service(name), **words[place])]


def replaced(entity: Entity, **words: object) -> Entity:
    fields = {field: getattr(entity, field) for field in entity.__struct_fields__}
    return Entity(**{**fields, **words})


PLACES = ("title", "annotation", "annotations", "labels", "type", "owner", "path", "namespace", "name", "group")


@pytest.mark.parametrize("place", PLACES)
async def test_hostile_values(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "house"
    folder.mkdir()
    house = House(folder, plugins=tuple(folder_plugins()))
    house.build()
    fine = [service(f"fine{n}") for n in range(FINE)]
    bad = [entity for number, value in enumerate(HOSTILE) for entity in hostile(place, number, value)]
    house.catalog.said = says([*fine, *bad, group("team")])
    async with house.engine() as engine:
        plan = await engine.plan()
        assert plan.refusals == ()
        parts = {part.subject: part async for part in engine.store.parts(plan.id)}
        results = await engine.apply(plan, engine.store.parts(plan.id))
    assert [r for r in results if r.outcome == "failed"] == []

    # Kinds that nobody can have here, for want of a repository of the service's own.
    usual = {change.kind for change in parts[fine[0].ref].changes if change.action == "refuse"}
    files = house.files()
    for entity in fine:
        assert len([path for path in files if path.startswith(f"default/{entity.name}/")]) > 10
    for entity in bad:
        if entity.kind != "Component":
            continue
        part = parts.get(entity.ref)
        if part is None:
            found = engine.subjects.get(entity.ref)
            assert isinstance(found, Held), f"nobody says what became of {entity.ref!a}"
            assert all(diagnosis.entity and diagnosis.field for diagnosis in found.diagnoses)
            continue
        for change in part.changes:
            assert change.action in ("create", "refuse")
            if change.action == "refuse" and change.kind not in usual:
                assert not change.reason.startswith("bug"), change.reason
                assert change.reason

    for path, text in files.items():
        check_path(path)
        if path.endswith((".yaml", ".yml")):
            list(yaml.load_all(text, Loader=yaml.CSafeLoader if ":" in text else yaml.SafeLoader))
        elif path.endswith(".json"):
            json.loads(text)
    assert os.listdir(tmp_path) == ["house"]
    assert {name.split(".db")[0] for name in os.listdir(folder)} == {"central.git", "cache", "state"}
    assert git("fsck", "--strict", cwd=house.remote) == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("catalog-info.yaml", 'apiVersion: v1\nkind: Component\nmetadata: {name: x, title: "a\\ud800b"}\nspec: {}\n'),
        ("catalog-info.json", '{"kind":"Component","metadata":{"name":"x","title":"a\\ud800b"},"spec":{}}'),
    ],
)
async def test_half_a_character_never_gets_in(tmp_path: Path, name: str, text: str) -> None:
    """A lone surrogate cannot be stored or written as UTF-8."""
    (tmp_path / name).write_text(text)
    said = await directory_source("catalog", tmp_path, patterns=("catalog-info.*",)).read()
    assert said.entities == ()
    assert [diagnosis.file for diagnosis in said.diagnoses] == [name]
