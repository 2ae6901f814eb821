"""What a write waits for, and who may let it pass."""

import dataclasses
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.person import NotAllowed, Person
from nthlayer_sync.daemon.policies import change_key, is_open
from nthlayer_sync.engine import batch
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.blueprint.deployment import Window
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.plugin import PluginSettings
from nthlayer_sync.sdk.work import Topic
from tests.daemon.conftest import ADA, Site, ref, runs_of, settled, standing, synced, until
from tests.daemon.test_guards import forget
from tests.faults.house import says, service

OWNER = Person("olga", "viewer", frozenset({EntityRef("group:default/team")}))
STRANGER = Person("sam", "viewer", frozenset({EntityRef("group:default/others")}))
OPERATOR = Person("otto", "operator")


async def writes_after_sync(site: Site, daemon: Any) -> set[str]:
    await settled(daemon)
    await synced(daemon)
    return site.house.names() if site.house.remote.joinpath("refs/heads/nthlayer-sync").exists() else set()


async def test_what_is_only_observed_is_shown_and_not_written(site: Site) -> None:
    site.house.settings = PluginSettings(policy={"whole": "observe"})
    async with site.daemon() as daemon:
        changes = await standing(daemon)
        assert [(c.action, c.kind) for c in changes if c.action == "wait"] == [("wait", "notes/whole")]
        await settled(daemon)
        assert not any("whole" in name for name in site.house.files())


async def test_what_is_proposed_waits_for_its_owner(site: Site) -> None:
    site.house.settings = PluginSettings(policy="propose")
    async with site.daemon() as daemon:
        changes = await standing(daemon)
        assert {c.reason for c in changes} == {"approval of group:default/team"}
        with pytest.raises(NotAllowed, match="sam may not approve"):
            await daemon.desk.approve(STRANGER, ref("a"))
        key = change_key(ref("a"), changes[0])
        assert await daemon.desk.approve(OWNER, ref("a"), [key]) == 1

        async def written() -> bool:
            branch = site.house.remote.joinpath("refs/heads/nthlayer-sync")
            return branch.exists() and len(site.house.files()) == 1

        await until(written)
        assert await daemon.desk.approve(OPERATOR, ref("a")) == 1
        await settled(daemon)
        assert len(site.house.files()) == 2
        assert {run.trigger for run in await runs_of(daemon)} >= {"approved by olga", "approved by otto"}


async def test_an_approval_is_for_what_was_looked_at(site: Site) -> None:
    site.house.settings = PluginSettings(policy="propose")
    async with site.daemon() as daemon:
        keys = [change_key(ref("a"), change) for change in await standing(daemon)]
        site.show("a", "b", text="another")
        await synced(daemon)
        with pytest.raises(InputError, match="no such change"):
            await daemon.desk.approve(ADA, ref("a"), keys)
        assert not site.house.remote.joinpath("refs/heads/nthlayer-sync").exists()


async def test_only_an_operator_approves_where_the_settings_say_so(site: Site) -> None:
    site.house.settings = PluginSettings(policy="propose", approval="operator")
    async with site.daemon() as daemon:
        assert {c.reason for c in await standing(daemon)} == {"approval of an operator"}
        with pytest.raises(NotAllowed):
            await daemon.desk.approve(OWNER, ref("a"))


async def test_a_freeze_holds_everything_until_it_is_over(site: Site) -> None:
    now = datetime.now(UTC)
    site.serve["freezes"] = [{"name": "year end", "from": now - timedelta(1), "until": now + timedelta(1)}]
    async with site.daemon() as daemon:
        changes = await standing(daemon)
        assert all(c.reason.startswith("freeze year end until ") for c in changes)
        assert await writes_after_sync(site, daemon) == set()
    site.serve["freezes"] = [{"name": "year end", "from": now - timedelta(2), "until": now - timedelta(1)}]
    async with site.daemon() as daemon:
        assert await writes_after_sync(site, daemon) == {"a", "b"}


@pytest.mark.parametrize(("only", "held"), [({"plugins": ["notes"]}, True), ({"plugins": ["slack"]}, False),
                                            ({"tiers": ["1"]}, True), ({"tiers": ["2"]}, False)])  # fmt: skip
async def test_a_freeze_may_be_for_some(site: Site, only: dict[str, Any], held: bool) -> None:
    now = datetime.now(UTC)
    site.serve["freezes"] = [{"name": "x", "from": now - timedelta(1), "until": now + timedelta(1), **only}]
    async with site.daemon() as daemon:
        assert (await writes_after_sync(site, daemon) == set()) is held


async def test_a_window_that_is_closed_holds(site: Site) -> None:
    site.serve["windows"] = {"never": ["*"]}  # a window that the tier table does not know is never open
    async with site.daemon() as daemon:
        assert {c.reason for c in await standing(daemon)} == {"window never"}


def test_when_a_window_is_open() -> None:
    window = Window(name="office", days=("mon", "fri"), hours="09:00-17:00", timezone="Europe/Berlin")
    assert is_open(window, datetime(2026, 11, 23, 8, 0, tzinfo=UTC))  # Monday, 09:00 in Berlin
    assert not is_open(window, datetime(2026, 11, 23, 7, 59, tzinfo=UTC))
    assert not is_open(window, datetime(2026, 11, 23, 16, 0, tzinfo=UTC))
    assert not is_open(window, datetime(2026, 11, 24, 10, 0, tzinfo=UTC))
    assert is_open(window, datetime(2026, 7, 24, 7, 0, tzinfo=UTC))  # summer time


async def test_an_annotation_pauses_one_entity(site: Site) -> None:
    paused = service("a", uid="u-a")
    paused.annotations["nthlayer.dev/paused"] = "we are moving house"
    site.house.catalog.said = says([paused, service("b", uid="u-b")])
    async with site.daemon() as daemon:
        changes = await standing(daemon)
        assert {c.reason for c in changes} == {"paused by nthlayer.dev/paused: we are moving house"}
        assert await writes_after_sync(site, daemon) == {"b"}


async def test_a_pause_by_hand_and_its_end(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        await daemon.desk.pause(OWNER, ref("a"), "an incident")
        with pytest.raises(NotAllowed):
            await daemon.desk.pause(OWNER, "*", "everything")
        site.show("a", "b", text="changed")
        await synced(daemon)
        assert {c.reason for c in await standing(daemon)} == {"paused by olga: an incident"}
        assert "changed" not in "".join(text for name, text in site.house.files().items() if "/a/" in name)
        await daemon.desk.resume(OWNER, ref("a"))
        await settled(daemon)
        assert "changed" in "".join(text for name, text in site.house.files().items() if "/a/" in name)


async def test_an_undo_stays_undone_until_somebody_resumes(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        before = site.house.files()
        site.show("a", "b", text="wrong")
        await synced(daemon)
        (run, *_) = await runs_of(daemon)
        undone = await daemon.desk.undo(OPERATOR, run.plan)
        assert undone.outcomes == {"done": 2}
        assert site.house.files() == before
        await synced(daemon)
        assert site.house.files() == before
        assert all("was undone" in c.reason for c in await standing(daemon))
        for name in "ab":
            await daemon.desk.resume(OPERATOR, ref(name))
        await settled(daemon)
        assert site.house.files() != before


async def test_a_viewer_may_only_look(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        for asked in (
            daemon.desk.sync(STRANGER),
            daemon.desk.audit(STRANGER),
            daemon.desk.reconcile(STRANGER, [ref("a")]),
            daemon.desk.pause(STRANGER, ref("a"), ""),
            daemon.desk.undo(STRANGER, "x"),
            daemon.desk.consent(OPERATOR, "deletes", 5),
        ):
            with pytest.raises(NotAllowed):
                await asked


async def test_what_is_said_while_it_is_read_holds_at_once(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        policies, read = daemon.policies, daemon.store.notes

        async def said_meanwhile(topic: str) -> dict[str, bytes]:
            found = await read(topic)
            if topic == "pause":
                daemon.store.notes = read
                await daemon.store.pin("pause", "*", b'{"by": "ada", "at": 1.0}', math.inf)
                policies.forget()
            return found

        daemon.store.notes = said_meanwhile
        policies.forget()
        await policies.said()
        assert set((await policies.said()).pauses) == {"*"}


async def test_a_freeze_of_a_tier_holds_deletes_of_what_is_gone(site: Site) -> None:
    """Of what is gone nobody can say any more that it is of another tier."""
    names = [f"s{number:02}" for number in range(30)]
    site.show(*names)
    now = datetime.now(UTC)
    async with site.daemon() as daemon:
        await settled(daemon)
    site.serve["freezes"] = [{"name": "x", "from": now - timedelta(1), "until": now + timedelta(1), "tiers": ["1"]}]
    async with site.daemon() as daemon:
        await settled(daemon)
        site.show(*names[1:])
        await synced(daemon)
        await forget(daemon, names[0])
        await synced(daemon)
        assert {c.reason.partition(" until")[0] for c in await standing(daemon, names[0])} == {"freeze x"}
        assert site.house.names() == set(names)


async def test_an_approval_is_used_up_by_the_write_that_it_is_for(site: Site) -> None:
    site.house.settings = PluginSettings(policy="propose")
    async with site.daemon() as daemon:
        for text in ("one", "two", "one"):
            site.show("a", text=text)
            await synced(daemon)
            assert {c.action for c in await standing(daemon)} == {"wait"}
            await daemon.desk.approve(OWNER, ref("a"))
            await settled(daemon)
            assert await daemon.store.open_parts([ref("a")]) == []
        assert await daemon.store.notes("approval") == {}


async def test_a_pause_holds_under_a_new_name(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        await daemon.desk.pause(OWNER, ref("a"), "an incident")
        site.house.catalog.said = says([service("z", uid="u-a"), service("b", uid="u-b")])
        await synced(daemon)
        assert {c.reason for c in await standing(daemon, "z")} == {"paused by olga: an incident"}
        assert site.house.names() == {"a", "b"}


async def test_a_pause_stops_what_is_being_applied(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "BATCH", 1)  # a batch for each subject, one after the other
    site.show("a", "b", "c", "d")
    daemons: list[Daemon] = []

    def wrap(target: Any) -> Any:
        write = target.write

        async def pause(diffs: Any, key: str) -> Any:
            results = await write(diffs, key)
            await daemons[0].desk.pause(ADA, "*", "stop")
            return results

        target.write = pause
        return target

    site.house.wrap_target = wrap
    async with site.daemon() as daemon:
        daemons.append(daemon)
        await settled(daemon)

        async def waits() -> bool:
            return len(await daemon.store.open_parts()) == 3 and not await daemon.work.errors(Topic.SUBJECT)

        await until(waits)
        assert len(site.house.names()) == 1


async def test_an_undo_deletes_nothing_that_is_protected(site: Site) -> None:
    async with site.house.engine() as engine:
        engine.setup = dataclasses.replace(engine.setup, protected=("notes/whole *",))
        plan = await engine.plan()
        await engine.apply(plan, engine.store.parts(plan.id))
        results = await engine.undo(plan.id)
        assert {(r.id.kind, str(r.outcome)) for r in results} == {("notes/whole", "skipped"), ("notes/block", "done")}
        assert site.house.names() == {"a", "b"}
