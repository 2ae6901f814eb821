"""A change that touches everything goes out in steps, and a failure stops it."""

from nthlayer_sync.daemon.waves import Waves
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.plugin import PluginSettings
from nthlayer_sync.sdk.work import Topic
from tests.daemon.conftest import ADA, Site, settled, synced, until

NAMES = [f"s{number:03}" for number in range(120)]


async def test_one_of_a_hundred_then_ten_then_all(site: Site) -> None:
    site.show(*NAMES)
    site.serve["batch"] = 500
    async with site.daemon() as daemon:

        async def whole() -> bool:
            wave = await Waves(daemon.engine, daemon.store).current()
            return wave is not None and wave.whole

        await until(whole)
        await settled(daemon)
        sizes = [run.looked_at for run in reversed(await daemon.store.runs())]
        assert sizes[0] == 2  # 1 % of 120 and of the organisation
        assert sizes[1] in (11, 12)
        assert sum(sizes) >= 120
        assert site.house.names() == set(NAMES)


async def test_a_failure_in_the_first_wave_stops_it_until_somebody_says_go_on(site: Site) -> None:
    site.show(*NAMES)
    broken = Broken()
    site.house.wrap_target = broken.wrap
    async with site.daemon() as daemon:

        async def halted() -> bool:
            wave = await Waves(daemon.engine, daemon.store).current()
            return wave is not None and bool(wave.halted)

        await until(halted)
        assert len(await daemon.work.errors(Topic.SUBJECT)) <= 2
        assert [event.name for event in await daemon.store.events(0) if event.name.startswith("wave.")] == [
            "wave.halted"
        ]
        broken.works = True
        await daemon.desk.reconcile(ADA, [EntityRef(key) for key in await daemon.work.errors(Topic.SUBJECT)])
        await daemon.desk.go_on(ADA)

        async def out() -> bool:
            return site.house.remote.joinpath("refs/heads/nthlayer-sync").exists() and site.house.names() == set(NAMES)

        await until(out)
        await synced(daemon)


class Broken:
    """A target that refuses every write until it works."""

    works = False

    def wrap(self, target):
        from nthlayer_sync.errors import PermanentError

        write = target.write

        async def refuse(batch, key):
            if not self.works:
                raise PermanentError("the new template is wrong")
            return await write(batch, key)

        target.write = refuse
        return target


async def test_what_waits_for_its_owner_holds_up_nobody_else(site: Site) -> None:
    site.show(*NAMES)
    site.house.settings = PluginSettings(policy="propose")
    async with site.daemon() as daemon:

        async def whole() -> bool:
            wave = await Waves(daemon.engine, daemon.store).current()
            return wave is not None and wave.whole

        await until(whole)

        async def all_wait() -> bool:
            return len(await daemon.store.open_parts()) == 120

        await until(all_wait)


async def test_what_holds_everybody_holds_the_wave_and_is_not_asked_again_and_again(site: Site) -> None:
    site.show(*NAMES)
    async with site.daemon() as daemon:
        await daemon.desk.pause(ADA, "*", "an incident")
    site.house.settings = PluginSettings(drift="enforce")  # another version
    async with site.daemon() as daemon:
        await settled(daemon)
        waves, before = Waves(daemon.engine, daemon.store), len(await daemon.store.runs())
        for _ in range(3):
            await daemon._leader._next_wave()
            await settled(daemon)
        wave = await waves.current()
        assert wave is not None
        assert (wave.step, wave.whole) == (0, False)
        assert len(await daemon.store.runs()) == before
        await daemon.desk.resume(ADA, "*")

        async def out() -> bool:
            return site.house.remote.joinpath("refs/heads/nthlayer-sync").exists() and site.house.names() == set(NAMES)

        await until(out)
