"""What a replica does not know is not gone."""

import msgspec

from nthlayer_sync.engine.reading import Reading, Sources
from nthlayer_sync.engine.run import Terms
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Words
from nthlayer_sync.model.snapshot import Snapshot
from tests.daemon.conftest import ADA, Site, ref, settled, synced
from tests.daemon.test_guards import forget
from tests.faults.house import Catalog, says, service

NAMES = [f"s{number:02}" for number in range(30)]


async def test_what_only_a_dropped_source_shows_is_not_gone_for_who_has_read_nothing_yet(site: Site) -> None:
    site.show(*NAMES)
    async with site.daemon() as daemon:
        await settled(daemon)
    site.house.catalog = Catalog(says([service("b", uid="u-b")]), name="another")
    async with site.house.engine() as engine:
        await engine.reading.recall(await engine.store.read_digests())
        plan = await engine.reconcile([ref(NAMES[0])], engine.store, Terms())
        assert plan.total(Action.DELETE) == 0
        assert plan.total(Action.HOLD) == 2
        await engine.store.drop("catalog")  # a person gave it up
        await engine.reading.recall(await engine.store.read_digests())
        assert engine.reading.left_alone == set()


async def test_a_source_that_is_read_alone_proves_no_absence(site: Site) -> None:
    """Another may show by now what it lost."""
    site.show(*NAMES)
    async with site.daemon() as daemon:
        await settled(daemon)
        site.show(*NAMES[1:])
        await synced(daemon)
        await forget(daemon, NAMES[0])
        await daemon.desk.sync(ADA, ["catalog"])
        await settled(daemon)
        assert ref(NAMES[0]) in daemon.engine.graph.entities
        await synced(daemon)
        assert ref(NAMES[0]) not in daemon.engine.graph.entities


async def test_what_moves_from_one_source_to_another_is_gone_at_no_time(site: Site) -> None:
    """While the second one is read, others plan with the graph."""
    moving = service("a", uid="u-a")
    site.house.catalog.said = says([moving, service("b", uid="u-b")])
    second = Looked(says([], scope="second"), name="second")
    async with site.house.engine() as engine:
        reading = Reading(engine.setup, Sources([site.house.catalog, second]), engine.store)
        await reading.read(await reading.look(), Words())
        follower = Reading(engine.setup, Sources([site.house.catalog, second]), engine.store)
        await follower.recall(await engine.store.read_digests())
        seen: list[bool] = []

        async def look() -> None:
            await follower.recall(await engine.store.read_digests())
            seen.extend(moving.ref in one.graph.entities for one in (reading, follower))

        second.while_read = look
        site.house.catalog.said = says([service("b", uid="u-b")])
        second.said = says([moving], scope="second")
        gone = Words(gone=frozenset({moving.ref}))
        await reading.read(await reading.look(), gone)
        await look()
        assert seen == [True] * 4


class Looked(Catalog):
    """A source while which is read something else happens."""

    async def while_read(self) -> None:
        """Nothing at first."""

    async def read(self) -> Snapshot:
        await self.while_read()
        return msgspec.structs.replace(self.said, source=self.name)
