"""A daemon does by itself what people do with plan and apply, and no more than that."""

import pytest

from nthlayer_sync.errors import InputError
from nthlayer_sync.sdk.work import Topic
from tests.daemon.conftest import ADA, Site, ref, runs_of, settled, standing, synced
from tests.engine.conftest import git


async def test_it_brings_about_what_the_catalog_asks_for(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        assert site.house.names() == {"a", "b"}
        (run,) = await runs_of(daemon)
        assert run.trigger == "full sync"
        assert run.outcomes == {"done": 4}
        assert await daemon.store.unsettled() == 0


async def test_a_second_sync_writes_nothing_and_is_no_news(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        head = git("rev-parse", "nthlayer-sync", cwd=site.house.remote)
        await synced(daemon)
        assert len(await runs_of(daemon)) == 1
        assert git("rev-parse", "nthlayer-sync", cwd=site.house.remote) == head


async def test_a_change_touches_what_changed(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        site.show("a", "b", "c")
        await synced(daemon)
        newest, _ = await runs_of(daemon)
        assert newest.subjects == (ref("c"),)
        assert site.house.names() == {"a", "b", "c"}


async def test_an_entity_that_is_missing_once_keeps_what_it_has(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        site.show("a")
        await synced(daemon)
        assert site.house.names() == {"a", "b"}


async def test_a_restart_goes_on_where_it_was(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
    async with site.daemon() as daemon:
        assert ref("a") in daemon.engine.graph.entities  # from the store, before anything is read
        await settled(daemon)
        assert len(await runs_of(daemon)) == 1


async def test_an_edit_by_hand_is_found_by_an_audit_and_kept(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        path = next(name for name in site.house.files() if "/a/" in name and "whole" in name)
        site.edit(path, "edited by hand\n")
        await daemon.desk.audit(ADA)
        (change,) = await standing(daemon)
        assert (change.action, change.kind) == ("keep", "notes/whole")
        assert site.house.files()[path] == "edited by hand\n"


async def test_what_nobody_shows_cannot_be_asked_for(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        with pytest.raises(InputError, match="no source shows component:default/nope"):
            await daemon.desk.reconcile(ADA, [ref("nope")])
        assert (await daemon.work.backlog())[Topic.SUBJECT].due == 0
