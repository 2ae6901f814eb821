"""A catalog behind an API is held to say after a merge what it really says then, relations at both ends included."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import msgspec
import pytest
from aiohttp.test_utils import TestServer

from nthlayer_sync.daemon.preview_sources import Editable, EditableCatalog
from nthlayer_sync.model.entity import Entity, Place, Relation
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.files import Repositories
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.sources.text import read_text
from nthlayer_sync.state.sqlite import SqliteStore
from tests.daemon.preview_house import CATALOG, House, at, changes, entity, told
from tests.sdk.hosting.review_stand_in import GitHubReviewed
from tests.sdk.hosting.stand_in import git

NOTED = "backstage.io/managed-by-location"


@dataclass
class Backstage:
    """A catalog that takes in all files of the main branch; what is gone stays as an orphan until it is removed."""

    remote: Path
    name: str = "backstage"
    scope: str = "all"
    known: dict[EntityRef, Entity] = field(default_factory=dict)

    async def look(self) -> str:
        return blake2b(repr(self.entities()).encode(), digest_size=8).hexdigest()

    async def read(self) -> Snapshot:
        return Snapshot(
            source=self.name, scope="all", completeness=Completeness.COMPLETE, reason="", digest=await self.look(),
            entities=self.entities(),
        )  # fmt: skip

    def entities(self) -> tuple[Entity, ...]:
        """Every entity, with its relations and those that others have with it."""
        stated: dict[EntityRef, list[Relation]] = {}
        found: list[Entity] = []
        for path in git("ls-tree", "-r", "--name-only", "main", cwd=self.remote).splitlines():
            if not path.endswith("catalog-info.yaml"):
                continue
            data = git("show", f"main:{path}", cwd=self.remote)
            found += [
                reading.entity
                for _, reading in read_text(Place(CATALOG, path), data.encode()).readings
                if reading.entity
            ]
        for each in found:
            owner, needs = each.spec.get("owner"), each.spec.get("dependsOn", [])
            pairs = [("ownedBy", "ownerOf", EntityRef(f"group:default/{owner}"))] if owner else []
            pairs += [("dependsOn", "dependencyOf", EntityRef(f"component:default/{n.split(':')[1]}")) for n in needs]
            for there, back, target in pairs:
                stated.setdefault(each.ref, []).append(Relation(there, target))
                stated.setdefault(target, []).append(Relation(back, each.ref))
        return tuple(
            msgspec.structs.replace(
                each,
                uid=f"uid of {each.ref}",
                annotations={
                    **each.annotations,
                    NOTED: f"url:{CATALOG}/tree/main/{each.place.path if each.place else ''}",
                },
                relations=tuple(sorted(set(stated.get(each.ref, ())))),
            )
            for each in found
        )


@dataclass
class Behind(House):
    """The same house, but the catalog is behind an API."""

    def source(self, repositories: Repositories) -> Source:
        return Backstage(self.host.remote)

    def editable(self, store: SqliteStore) -> Editable:
        return EditableCatalog("backstage", store)


@pytest.fixture
async def house(tmp_path: Path, shared: Path) -> AsyncIterator[Behind]:
    host = GitHubReviewed(tmp_path / "central.git", shared)
    async with TestServer(host.application()) as server:
        house = Behind(tmp_path, host, f"http://{server.host}:{server.port}")
        house.build()
        git("update-ref", "refs/heads/main", host.commit("main", {at("a"): entity("a", needs="b")}), cwd=host.remote)
        yield house
        assert host.wrong == []


EDITS: dict[str, dict[str, str | None]] = {
    "tier": {at("b"): entity("b", tier="1")},
    "relation gone": {at("a"): entity("a")},
    "relation new": {at("b"): entity("b", needs="c")},
    "relation moved": {at("a"): entity("a", needs="c"), at("c"): entity("c", needs="b")},
    "owner": {at("a"): entity("a", needs="b").replace("owner: payments", "owner: nobody")},
    "new": {at("d"): entity("d", needs="a")},
    "removed": {at("c"): None},
    "moved": {at("c"): None, at("e"): entity("c", needs="a", text="moved")},
    "both": {at("a"): entity("a", needs="d"), at("d"): entity("d", text="new")},
}


@pytest.mark.parametrize("edit", EDITS)
async def test_the_comment_is_the_plan_that_follows(house: Behind, edit: str) -> None:
    await house.settle()
    assert await house.planned() == []
    number = house.host.propose(EDITS[edit])
    await house.preview(number)
    await house.preview(number)
    comment = house.comment(number)
    assert house.check(number) == (True, "What merging this changes stands in a comment.")
    assert await house.planned() == []
    house.host.merge(number)
    parts = await house.planned()
    assert told(comment) == changes(parts), comment
    assert bool(parts) == (edit != "removed")


async def test_what_is_wrong_has_its_place(house: Behind) -> None:
    await house.settle()
    number = house.host.propose({at("b"): entity("b").replace("name: b", "name: -b-"), at("c"): "kind: [\n"})
    await house.preview(number)
    comment = house.comment(number)
    assert house.check(number)[0] is False
    assert f"`{at('b')}:4:" in comment
    assert f"`{at('c')}:" in comment
    assert told(comment) == set()


async def test_other_files_are_no_catalog(house: Behind) -> None:
    await house.settle()
    number = house.host.propose({"values.yaml": entity("x"), "services/a/nthlayer.yaml": "service: {tier: 1}\n"})
    await house.preview(number)
    assert number not in house.host.comments
    assert house.check(number) == (True, "What the catalog shows stays as it is.")


async def test_one_process_follows_the_catalog(house: Behind) -> None:
    """What was looked up for one preview is not what the next one goes by."""
    await house.settle()
    number, other = house.host.propose(EDITS["tier"]), house.host.propose(EDITS["new"])
    house.host.close(other)
    async with house.engine() as (engine, store):
        await engine.read()
        async with house.previews(engine, store) as previews:
            await previews.preview(f"git.example.com/acme/central#{other}")
            git("update-ref", "refs/heads/main", house.host.commit("main", {at("a"): None}), cwd=house.host.remote)
            git("update-ref", "refs/heads/main", house.host.commit("main", EDITS["both"]), cwd=house.host.remote)
            plan = await engine.plan()
            await engine.apply(plan, store.parts(plan.id))
            await previews.preview(f"git.example.com/acme/central#{number}")
    assert told(house.comment(number)) == {
        ("component:default/b", "update", "notes/about"),
        ("group:default/payments", "update", "notes/staff"),
    }
