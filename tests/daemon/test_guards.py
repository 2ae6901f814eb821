"""Small plans do not get past the guards one by one, and what is held is held alone."""

import asyncio
from collections import Counter
from contextlib import suppress

import msgspec

from nthlayer_sync.engine.guards import Consent, Existing, Lately, Tally, guard
from nthlayer_sync.model.diff import Action
from nthlayer_sync.sdk.plugin import PluginSettings
from nthlayer_sync.sdk.store import Kept
from tests.daemon.conftest import ADA, Site, ref, settled, standing, synced, until
from tests.faults.house import TIERS

NAMES = [f"s{number:02}" for number in range(30)]


async def forget(daemon, *names: str) -> None:
    """Absence is proven: the waiting is over."""
    kept = await daemon.store.kept("catalog")
    assert isinstance(kept, Kept)
    absent = {r: msgspec.structs.replace(a, since=0.0, reads=5) for r, a in kept.absent.items()}
    assert set(absent) == {ref(name) for name in names}
    await daemon.store.keep("catalog", msgspec.structs.replace(kept, absent=absent))
    daemon.engine.reading._kept.clear()


async def test_deletes_of_several_small_plans_count_together(site: Site) -> None:
    site.show(*NAMES)
    async with site.daemon() as daemon:
        await settled(daemon)
        for turn, gone in enumerate(NAMES[:3]):
            site.show(*NAMES[turn + 1 :])
            await synced(daemon)
            await forget(daemon, gone)
            await synced(daemon)
        # 10 % of 60 configs are 6: the first three services have two each.
        assert site.house.names() == set(NAMES[3:])
        site.show(*NAMES[4:], "new")
        await synced(daemon)
        await forget(daemon, NAMES[3])
        await synced(daemon)
        waits = await standing(daemon, NAMES[3])
        assert {(c.action, c.reason.partition(":")[0]) for c in waits} == {("wait", "guard deletes")}
        assert site.house.names() == {*NAMES[3:], "new"}  # what is not deleted goes on
        await daemon.desk.consent(ADA, "deletes", 2)
        await settled(daemon)
        assert site.house.names() == {*NAMES[4:], "new"}


def test_the_sum_is_what_counts() -> None:
    tally = Tally()
    tally.actions["x/y"] = Counter({Action.DELETE: 2})
    existing = Existing(60, {"x/y": 60})
    assert guard(tally, existing, TIERS.guards, Consent()) == ()
    lately = Lately({"": {Action.DELETE: 9}, "x/y": {Action.DELETE: 9}})
    (refusal,) = guard(tally, existing, TIERS.guards, Consent(), lately)
    assert "9 of them lately" in refusal.message


async def test_replicas_delete_one_after_the_other_so_that_each_counts_what_others_did(site: Site) -> None:
    site.show(*NAMES[:24])
    crowd = Crowd()
    site.house.wrap_target = crowd.wrap
    site.serve |= {"batch": 1, "workers": 1}
    async with site.daemon("one") as one:
        await settled(one)
        async with site.daemon("two"):
            site.show(*NAMES[2:24])
            await synced(one)
            await forget(one, *NAMES[:2])
            await synced(one)

            async def gone() -> bool:
                return len(site.house.names()) == 22

            await until(gone)
        assert not crowd.met.is_set()


class Crowd:
    """A target that waits a little before it deletes for somebody else who does."""

    def __init__(self) -> None:
        self.there = 0
        self.met = asyncio.Event()

    def wrap(self, target):
        write = target.write

        async def wait(batch, key):
            if not any(diff.action is Action.DELETE for diff in batch):
                return await write(batch, key)
            self.there += 1
            if self.there > 1:
                self.met.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.met.wait(), 1)
            self.there -= 1
            return await write(batch, key)

        target.write = wait
        return target


async def test_recreations_of_several_small_plans_count_together(site: Site) -> None:
    site.show(*NAMES[:12])
    site.house.settings = PluginSettings(drift="enforce")
    async with site.daemon() as daemon:
        await settled(daemon)
        site.remove(*site.house.files())
        for name in NAMES[:12]:  # two configs each, and 10 of them at most
            await daemon.desk.reconcile(ADA, [ref(name)])
            await settled(daemon)
        assert len(site.house.files()) == 10
        waits = await standing(daemon, NAMES[11])
        assert {(c.action, c.reason.partition(":")[0]) for c in waits} == {("wait", "guard recreates")}
        await daemon.desk.consent(ADA, "recreates", 14)
        await settled(daemon)
        assert len(site.house.files()) == 24
