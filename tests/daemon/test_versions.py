"""Two versions never put right what the other one wrote."""

from nthlayer_sync.daemon.versions import Versions
from nthlayer_sync.sdk.plugin import PluginSettings
from tests.daemon.conftest import ADA, Site, ref, runs_of, settled, until


async def test_the_old_version_stands_by_while_the_new_one_runs(site: Site) -> None:
    site.serve["lease"] = "1s"
    async with site.daemon("old") as old:
        await settled(old)
        site.house.settings = PluginSettings(drift="enforce")
        async with site.daemon("new") as new:

            async def leads() -> bool:
                return new.health.leading

            await until(leads)
            count = len(await runs_of(old))
            for turn in range(5):
                site.show("a", "b", text=f"turn {turn}")
                await old.desk.sync(ADA)
                await old.desk.reconcile(ADA, [ref("a"), ref("b")])
                await settled(new)
            replicas = {run.replica for run in (await runs_of(old))[:-count]}
            assert replicas == {"new"}
            assert "turn 4" in "".join(site.house.files().values())

        async def goes_on() -> bool:
            return old.health.leading

        await until(goes_on)  # nobody runs the newer one any more


async def test_a_replica_that_only_starts_again_does_not_overtake(site: Site) -> None:
    async with site.house.engine() as engine:
        old = Versions(engine, engine.store, "one", 30)
        await old.begin()
        site.house.settings = PluginSettings(drift="enforce")
        async with site.house.engine() as changed:
            new = Versions(changed, changed.store, "two", 30)
            await new.begin()
            again = Versions(engine, engine.store, "one", 30)
            await again.begin()
            assert (await again.current(), await new.current()) == (False, True)
            assert await Versions(changed, changed.store, "three", 30).current()
            back = Versions(engine, engine.store, "two", 30)
            await back.begin()  # the old version is rolled out once more
            assert (await back.current(), await Versions(changed, changed.store, "three", 30).current()) == (
                True,
                False,
            )
