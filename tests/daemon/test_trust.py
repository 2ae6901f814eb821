"""A daemon believes that live is as it was left, and is put right before it does harm."""

from tests.daemon.conftest import ADA, Site, ref, runs_of, settled, standing, synced, until
from tests.faults.house import says, service


def path_of(site: Site, name: str, kind: str = "whole") -> str:
    return next(path for path in site.house.files() if f"/{name}/" in path and kind in path)


async def test_a_renamed_service_keeps_its_configs(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        site.house.catalog.said = says([service("z", uid="u-a"), service("b", uid="u-b")])
        await synced(daemon)
        assert site.house.names() == {"z", "b"}
        newest, *_ = await runs_of(daemon)
        assert "failed" not in newest.outcomes
        assert set(await daemon.store.traces()) >= {ref("z"), ref("b")}
        assert ref("a") not in await daemon.store.traces()


async def test_a_renamed_service_keeps_them_also_one_by_one(site: Site) -> None:
    site.serve |= {"batch": 1, "workers": 1}
    async with site.daemon() as daemon:
        await settled(daemon)
        site.house.catalog.said = says([service("z", uid="u-a"), service("b", uid="u-b")])
        await synced(daemon)
        await settled(daemon)
        assert site.house.names() == {"z", "b"}


async def test_an_edit_that_nobody_noticed_is_not_overwritten(site: Site) -> None:
    async with site.daemon() as daemon:
        await settled(daemon)
        path = path_of(site, "a")
        site.edit(path, "edited by hand\n")
        site.show("a", "b", text="changed in the catalog")
        await daemon.desk.sync(ADA)

        async def kept() -> bool:
            return "keep" in {change.action for change in await standing(daemon)}

        await until(kept)

        async def written() -> bool:
            return "changed in the catalog" in site.house.files()[path_of(site, "b")]

        await until(written)
        await settled(daemon)
        assert site.house.files()[path] == "edited by hand\n"


async def test_what_fails_for_a_moment_is_tried_again_by_itself(site: Site) -> None:
    flaky = Flaky()
    site.house.wrap_target = flaky.wrap
    async with site.daemon() as daemon:
        await settled(daemon)

        async def there() -> bool:
            return site.house.remote.joinpath("refs/heads/nthlayer-sync").exists() and site.house.names() == {"a", "b"}

        await until(there)
        states = [run.state for run in reversed(await runs_of(daemon))]
        assert states[0] == "failed"
        assert states[-1] == "done"
        assert flaky.failures == 2


class Flaky:
    """A target that fails twice."""

    failures = 0

    def wrap(self, target):
        from nthlayer_sync.errors import TemporaryError

        write = target.write

        async def fail(batch, key):
            if self.failures < 2:
                self.failures += 1
                raise TemporaryError("the host is away")
            return await write(batch, key)

        target.write = fail
        return target


async def test_a_write_of_unknown_outcome_is_looked_at_again_by_itself(site: Site) -> None:
    lost = Lost()
    site.house.wrap_target = lost.wrap
    async with site.daemon():

        async def there() -> bool:
            return site.house.remote.joinpath("refs/heads/nthlayer-sync").exists() and site.house.names() == {"a", "b"}

        await until(there)
        assert lost.lost == 1


class Lost:
    """A target whose first answer is lost, and that may not show yet what was written a second ago."""

    lost = 0

    def wrap(self, target):
        from nthlayer_sync.errors import TemporaryError

        write = target.write

        async def lose(batch, key):
            if not self.lost:
                self.lost += 1
                raise TemporaryError("the host does not answer")
            return await write(batch, key)

        target.write, target.settles = lose, 2.0
        return target
