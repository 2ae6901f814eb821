"""Catalogs in files: what is found, what is followed, and what an error costs."""

import os
from pathlib import Path

import pytest

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.snapshot import Completeness
from nthlayer_sync.sources.directory import directory_source
from tests.sources.conftest import Tree, component, read

LOCATION = """apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: all}
spec:
  targets:
"""


async def test_every_document_of_every_catalog_file_is_read(tree: Tree) -> None:
    root = tree(
        {
            "a/catalog-info.yaml": f"{component('one')}\n---\n{component('two')}",
            "b/c/catalog-info.yml": component("three"),
            "b/other.yaml": component("not-asked-for"),
            "node_modules/x/catalog-info.yaml": component("vendored"),
        }
    )
    found = await read(root)
    assert [entity.name for entity in found.entities] == ["one", "two", "three"]
    assert found.entities[1].place == Place(str(root), "a/catalog-info.yaml")
    assert found.entities[1].document == 1
    assert (found.completeness, found.diagnoses) == (Completeness.COMPLETE, ())


async def test_patterns_and_exclusions_are_the_users(tree: Tree) -> None:
    root = tree({"org.yaml": component("org"), "skeleton/catalog-info.yaml": "{{ x }}: {% y %}", "a/b/x.json": "[]"})
    found = await read(root, patterns=["*.yaml", "**/catalog-info.yaml"], exclude=["skeleton/**"])
    assert [entity.name for entity in found.entities] == ["org"]
    assert found.completeness is Completeness.COMPLETE


async def test_a_work_tree_names_its_places_from_the_top(tree: Tree) -> None:
    root = tree({".git/HEAD": "", "x/catalog-info.yaml": component("one"), "y/catalog-info.yaml": component("two")})
    found = await read(root / "x")
    assert [entity.place for entity in found.entities] == [Place(str(root), "x/catalog-info.yaml")]
    assert found.scope == str(root / "x")


async def test_locations_are_followed_inside_the_tree_only(tree: Tree) -> None:
    targets = [
        "./parts/one.yaml",
        "parts/sub/*.yaml",
        "../outside.yaml",
        "/etc/passwd",
        "https://github.com/acme/x/blob/main/catalog-info.yaml",
        "./missing.yaml",
        "./link.yaml",
        "${{ values.path }}",
    ]
    root = tree(
        {
            "catalog-info.yaml": LOCATION + "".join(f"    - '{target}'\n" for target in targets),
            "parts/one.yaml": component("one") + f"\n---\n{LOCATION}    - ../catalog-info.yaml\n    - ./two.yaml\n",
            "parts/two.yaml": component("two"),
            "parts/sub/three.yaml": component("three"),
            "parts/sub/deeper/four.yaml": component("four"),
            "../outside.yaml": component("outside"),
        }
    )
    (root / "link.yaml").symlink_to(root.parent / "outside.yaml")
    found = await read(root)
    assert sorted(entity.name for entity in found.entities if entity.kind == "Component") == ["one", "three", "two"]
    said = {(each.code, each.line): each.found for each in found.diagnoses}
    assert said["location-outside", 8] == "../outside.yaml"
    assert said["location-outside", 9] == "/etc/passwd"
    assert ("location-elsewhere", 10) in said
    assert ("location-missing", 11) in said
    assert ("location-missing", 12) in said
    assert ("location-placeholder", 13) in said


async def test_links_are_never_followed(tree: Tree, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "catalog-info.yaml").write_text(component("secret"))
    root = tree({"a/catalog-info.yaml": component("one")})
    (root / "b").symlink_to(secret)
    (root / "catalog-info.yaml").symlink_to(secret / "catalog-info.yaml")
    found = await read(root)
    assert [entity.name for entity in found.entities] == ["one"]
    assert [(each.file, each.code) for each in found.diagnoses] == [("catalog-info.yaml", "file-link")]


async def test_a_broken_file_costs_itself_and_the_proof_of_absence_of_what_it_declared(tree: Tree) -> None:
    root = tree({"a/catalog-info.yaml": component("one"), "b/catalog-info.yaml": "kind: [Component\n"})
    found = await read(root)
    assert [entity.name for entity in found.entities] == ["one"]
    assert found.completeness is Completeness.COMPLETE
    assert found.unread == {Place(str(root), "b/catalog-info.yaml")}
    assert "b/catalog-info.yaml" in found.reason
    (diagnosis,) = found.diagnoses
    assert (diagnosis.file, diagnosis.line) == ("b/catalog-info.yaml", 2)


async def test_a_refused_entity_is_named_and_costs_only_itself(tree: Tree) -> None:
    root = tree({"catalog-info.yaml": f"{component('one')}\n---\n{component('two', metadata='  tags: [Upper]')}"})
    found = await read(root)
    assert [entity.name for entity in found.entities] == ["one"]
    (diagnosis,) = found.diagnoses
    assert (diagnosis.entity, diagnosis.field) == ("component:default/two", "metadata.tags[0]")
    assert (diagnosis.line, diagnosis.column, diagnosis.found) == (16, 10, "Upper")
    assert (found.completeness, found.refused) == (Completeness.COMPLETE, {"component:default/two"})


async def test_an_empty_catalog_proves_nothing(tree: Tree) -> None:
    found = await read(tree({"readme.md": "x"}))
    assert (found.entities, found.completeness) == ((), Completeness.INCOMPLETE)


async def test_a_missing_folder_is_a_failed_read(tmp_path: Path) -> None:
    source = directory_source("files", tmp_path / "nowhere")
    assert await source.look() == ""
    assert (await source.read()).completeness is Completeness.FAILED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_an_unreadable_file_is_named(tree: Tree) -> None:
    root = tree({"catalog-info.yaml": component("one")})
    (root / "catalog-info.yaml").chmod(0)
    found = await read(root)
    assert [each.code for each in found.diagnoses] == ["file-unread"]


async def test_the_first_of_two_declarations_is_used_and_both_places_are_named(tree: Tree) -> None:
    root = tree({"a/catalog-info.yaml": component("one"), "b/catalog-info.yaml": component("ONE")})
    found = await read(root)
    assert [entity.name for entity in found.entities] == ["one"]
    (diagnosis,) = found.diagnoses
    assert diagnosis.code == "entity-twice"
    assert (diagnosis.file, diagnosis.line) == ("b/catalog-info.yaml", 4)
    assert "a/catalog-info.yaml" in diagnosis.message


async def test_a_blueprint_belongs_to_the_one_component_beside_it_or_to_who_names_it(tree: Tree) -> None:
    named = component("named", metadata="  annotations: {nthlayer.dev/blueprint: ./deep/own.yaml}")
    root = tree(
        {
            "a/catalog-info.yaml": component("one"),
            "a/nthlayer.yaml": "service: 1",
            "b/catalog-info.yaml": f"{component('two')}\n---\n{component('three')}",
            "b/nthlayer.yml": "service: 2",
            "c/catalog-info.yaml": named,
            "c/deep/own.yaml": "service: 3",
            "d/catalog-info.yaml": component("lost", metadata="  annotations: {nthlayer.dev/blueprint: ../../x.yaml}"),
            "e/nthlayer.yaml": "nobody",
        }
    )
    found = await read(root)
    assert {ref: file.data for ref, file in found.blueprints.items()} == {
        "component:default/one": b"service: 1",
        "component:default/named": b"service: 3",
    }
    assert {(each.code, each.file) for each in found.diagnoses} == {
        ("blueprint-unused", "b/nthlayer.yml"),
        ("blueprint-missing", "d/catalog-info.yaml"),
    }


async def test_the_digest_changes_exactly_when_the_catalog_does(tree: Tree) -> None:
    files = {"a/catalog-info.yaml": component("one"), "a/nthlayer.yaml": "x: 1", "README.md": "hello"}
    root = tree(files)
    source = directory_source("files", root)
    first = await source.look()
    assert (await source.read()).digest == first
    tree({"README.md": "changed", "other.yaml": component("two")})
    assert await source.look() == first
    seen = [first]
    for change in (
        {"a/nthlayer.yaml": "x: 2"},
        {"a/catalog-info.yaml": component("uno")},
        {"b/catalog-info.yaml": component("two")},
        {"b/catalog-info.yaml": LOCATION + "    - ../other.yaml\n"},
        {"other.yaml": component("three")},
    ):
        tree(change)
        seen.append(await source.look())
    assert len(set(seen)) == len(seen)
    assert [entity.name for entity in (await source.read()).entities] == ["uno", "all", "three"]
    assert (await directory_source("files", root).look()) == seen[-1]


async def test_a_json_file_holds_what_the_api_gave(tree: Tree) -> None:
    row = (
        '{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":"%s"},'
        '"spec":{"type":"x","lifecycle":"y","owner":"z"},"relations":[]}'
    )
    root = tree({"all.json": f"[{row % 'one'},{row % 'not one'}]", "single.json": row % "two", "bad.json": "[{"})
    found = await read(root / "all.json")
    assert [entity.name for entity in found.entities] == ["one"]
    assert [(each.file, each.field) for each in found.diagnoses] == [("all.json", "[1].metadata.name")]
    assert [entity.name for entity in (await read(root / "single.json")).entities] == ["two"]
    broken = await read(root / "bad.json")
    assert (broken.completeness, broken.diagnoses[0].code) == (Completeness.INCOMPLETE, "syntax")


async def test_the_same_files_give_the_same_snapshot(tree: Tree) -> None:
    root = tree({f"{name}/catalog-info.yaml": component(name) for name in "zbaq"})
    assert await read(root) == await read(root)
