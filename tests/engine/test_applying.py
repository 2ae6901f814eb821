"""Only what was reviewed is written, one failure stops only what needs it, and each change is in Git once."""

import msgspec
import pytest

from nthlayer_sync.engine.apply import Applier
from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.planfile import read_plan, write_plan
from nthlayer_sync.engine.undo import undo
from nthlayer_sync.errors import InputError, PermanentError, TemporaryError
from tests.engine.conftest import git

ALL = Consent(deletes=9)


def by_name(results):
    return {f"{r.id.subject.rpartition('/')[2]} {r.id.kind}": r for r in results}


def commits(house):
    return int(git("rev-list", "--count", "nthlayer-sync", cwd=house.remote))


async def test_one_commit_for_all_that_lands_in_one_repository(house):
    for n in range(5):
        house.service(f"s{n}")
    await house.settle()
    assert commits(house) == 1
    body = git("log", "-1", "--format=%B", "nthlayer-sync", cwd=house.remote)
    assert body.startswith("nthlayer-sync: add 10 operational configs\n\n- add notes/block component:default/s0\n")


async def test_what_is_no_longer_planned_so_is_not_written(house):
    house.service("payments")
    house.service("orders")
    plan = await house.plan()
    house.service("payments", "something else")
    results = by_name(await house.apply(plan))
    assert (results["payments notes/whole"].outcome, results["payments notes/whole"].temporary) == ("failed", True)
    assert "plan again" in results["payments notes/whole"].reason
    assert "notes/block requires it" in results["payments notes/block"].reason
    assert results["orders notes/block"].outcome == "done"
    assert house.git_files() == ["orders/block.md", "orders/whole.txt"]
    await house.settle()
    assert await house.settled()


async def test_an_adoption_that_is_no_longer_planned_so_stops_nobody_else(house):
    house.service("payments")
    house.service("orders")
    house.commit_first("payments/whole.txt", "nthlayer-sync\nhello\n")
    plan = await house.plan()
    house.service("payments", "something else")
    results = by_name(await house.apply(plan))
    assert results["payments notes/whole"].outcome == "failed"
    assert results["orders notes/whole"].outcome == "done"


async def test_an_adoption_of_what_people_changed_meanwhile_is_not_believed(house):
    house.service("payments")
    house.commit_first("payments/whole.txt", "nthlayer-sync\nhello\n")
    plan = await house.plan()
    assert (await house.actions(plan))["payments notes/whole"] == "adopt"
    house.commit("payments/whole.txt", "nthlayer-sync\nby hand\n", "main")
    await house.apply(plan)
    plan = await house.plan()
    assert (await house.changes(plan))["payments notes/whole"].action == "keep"
    assert house.file("payments/whole.txt", "main") == "nthlayer-sync\nby hand\n"


async def test_a_service_that_went_meanwhile(house):
    house.service("payments")
    plan = await house.plan()
    house.drop("payments")
    assert {r.outcome for r in await house.apply(plan)} == {"failed"}


async def test_a_file_that_people_changed_meanwhile_stops_itself_and_what_requires_it(house):
    house.service("payments")
    house.service("orders")
    await house.settle()
    for name in ("payments", "orders"):
        house.service(name, "new", title="New")
    plan = await house.plan()
    house.commit("payments/whole.txt", "nthlayer-sync\nby hand\n")
    results = by_name(await house.apply(plan))
    assert results["payments notes/whole"].reason.endswith("changed since the plan; plan again")
    assert "notes/block requires it" in results["payments notes/block"].reason
    assert results["orders notes/block"].outcome == "done"
    assert house.file("payments/whole.txt") == "nthlayer-sync\nby hand\n"
    assert await house.store.journal() == []

    # Undo puts back what this plan wrote, not what it failed to write.
    assert {r.outcome for r in await undo(house.store, house.generator(), plan.id)} == {"done"}
    assert house.file("payments/whole.txt") == "nthlayer-sync\nby hand\n"
    assert house.file("orders/whole.txt") == "nthlayer-sync\nhello\n"


async def test_a_plan_applied_twice_writes_once(house):
    house.service("payments")
    await house.settle()
    house.service("payments", "new")
    plan = await house.plan()
    await house.apply(plan)
    again = by_name(await house.apply(plan))
    assert again["payments notes/whole"].outcome == "unchanged"
    assert commits(house) == 2
    assert await house.settled()
    await undo(house.store, house.generator(), plan.id)
    assert house.file("payments/whole.txt") == "nthlayer-sync\nhello\n"
    house.service("payments")
    assert await house.settled()


async def test_a_delete_applied_twice(house):
    house.service("payments")
    house.service("orders")
    await house.settle()
    house.drop("payments")
    plan = await house.plan(consent=ALL)
    await house.apply(plan)
    assert {r.outcome for r in await house.apply(plan)} == {"unchanged"}
    assert await house.settled()


async def test_the_journal_has_a_closed_line_for_each_write(house):
    house.service("payments")
    plan = await house.plan()
    await house.apply(plan)
    lines = await house.store.journal(plan.id)
    assert [(str(e.id.kind), e.action, e.before, bool(e.after), e.done) for e in lines] == [
        ("notes/whole", "create", "", True, True), ("notes/block", "create", "", True, True),
    ]  # fmt: skip
    assert await house.store.undoable() == [(plan.id, 2)]
    assert await house.store.journal() == []


async def test_two_services_that_land_in_one_file_do_not_overwrite_each_other(house):
    for name in ("a", "b"):
        house.service(name, f"I am {name}", central={"root": str(house.remote), "folder": "same"})
    plan = await house.plan()
    results = by_name(await house.apply(plan))
    assert results["a notes/whole"].outcome == "done"
    assert "two cannot have one file" in results["b notes/whole"].reason
    assert house.file("same/whole.txt") == "nthlayer-sync\nI am a\n"


class Broken:
    """A target that fails before or after it really wrote."""

    def __init__(self, target, error, *, after):
        self._target, self._error, self._after = target, error, after
        self.restore = target.restore  # a protocol looks for what an object says it has

    def __getattr__(self, name):
        return getattr(self._target, name)

    async def write(self, batch, key):
        if self._after:
            await self._target.write(batch, key)
        raise self._error


@pytest.mark.parametrize("error", [TemporaryError("no answer"), PermanentError("no"), RuntimeError("boom")])
@pytest.mark.parametrize("after", [False, True])
async def test_a_write_whose_outcome_is_unknown_is_looked_at_before_anything_is_believed(house, error, after):
    house.service("payments")
    await house.settle()
    house.service("payments", "new", title="New")
    house.service("orders")
    house.wrap = lambda target: Broken(target, error, after=after)
    results = await house.apply(await house.plan())
    assert {r.outcome for r in results} == {"failed"}
    assert {r.temporary for r in results} == {isinstance(error, TemporaryError)}
    assert len(await house.store.journal()) == 4
    house.wrap = lambda target: target
    plan = await house.plan()
    assert set((await house.actions(plan)).values()) <= ({"adopt"} if after else {"create", "update"})
    await house.apply(plan)
    assert await house.settled()
    assert await house.store.journal() == []
    assert commits(house) == 2


async def test_a_target_that_gives_too_few_results_is_a_bug_that_is_reported(house):
    class Short(Broken):
        async def write(self, batch, key):
            return (await self._target.write(batch, key))[:-1]

    house.service("payments")
    house.wrap = lambda target: Short(target, None, after=True)
    results = await house.apply(await house.plan())
    assert {r.outcome for r in results} == {"failed"}
    assert all(r.reason.startswith("bug: ") for r in results)
    house.wrap = lambda target: target
    await house.settle()
    assert await house.settled()


async def test_a_removed_block_comes_back_with_undo(house):
    house.service("payments")
    house.service("orders")
    await house.settle()
    house.commit("payments/block.md", "# By hand\n" + house.file("payments/block.md"))
    await house.settle()
    before = house.file("payments/block.md")
    house.drop("payments")
    plan = await house.plan(consent=ALL)
    await house.apply(plan)
    assert house.file("payments/block.md") == "# By hand\n"
    assert {r.outcome for r in await undo(house.store, house.generator(), plan.id)} == {"done"}
    assert house.file("payments/block.md") == before
    house.service("payments")
    assert await house.settled()


async def test_undo_leaves_alone_what_people_changed_since(house):
    house.service("payments")
    await house.settle()
    house.service("payments", "new")
    plan = await house.plan()
    await house.apply(plan)
    house.commit("payments/whole.txt", "nthlayer-sync\nby hand\n")
    (result,) = await undo(house.store, house.generator(), plan.id)
    assert (result.outcome, result.temporary) == ("skipped", False)
    assert "payments/whole.txt was changed since" in result.reason
    assert house.file("payments/whole.txt") == "nthlayer-sync\nby hand\n"


async def test_undo_twice_and_of_nothing(house):
    house.service("payments")
    plan = await house.plan()
    await house.apply(plan)
    await undo(house.store, house.generator(), plan.id)
    assert house.git_files() == []
    for id in (plan.id, "0" * 12):
        with pytest.raises(PermanentError, match="nothing of a plan"):
            await undo(house.store, house.generator(), id)
    assert len(await house.actions(await house.plan())) == 2


class TestPlanFile:
    async def written(self, house, **words):
        for name in ("a", "b", "z"):
            house.service(name)
        await house.settle()
        house.drop("a")
        house.service("z", "new")
        plan = await house.plan(consent=ALL)
        path = house.folder / "plan.jsonl"
        await write_plan(path, plan, house.store.parts(plan.id))
        return plan, path

    async def test_it_holds_the_plan(self, house):
        plan, path = await self.written(house)
        read, parts = await read_plan(path)
        assert read == plan
        results = await Applier(house.store, house.generator(), house.services.get).apply(read, parts)
        assert {r.outcome for r in results} == {"done"}
        assert await house.settled()

    async def test_any_edit_is_refused(self, house):
        _, path = await self.written(house)
        text = path.read_bytes()
        lines = text.splitlines(keepends=True)
        edits = {
            text.replace(b'"update"', b'"delete"'),
            text.replace(b"component:default/a", b"component:default/b"),
            text.replace(b'"subjects":2', b'"subjects":3'),
            b"".join(lines[:-1]),
            b"".join([lines[0], *lines[2:]]),
            b"".join([lines[0], *reversed(lines[1:-1]), lines[-1]]),
            lines[0],
            text[: len(text) // 2],
            b"",
            b"{}",
            b"hello\n",
            b"\xff\xfe\n\n",
        } - {text}
        assert len(edits) == 12
        for edit in edits:
            path.write_bytes(edit)
            with pytest.raises(InputError):
                await read_plan(path)

    async def test_refusals_cannot_be_taken_out_of_it(self, house):
        for n in range(8):
            house.service(f"s{n}")
        await house.settle()
        for n in range(6):
            house.drop(f"s{n}")
        plan = await house.plan()
        path = house.folder / "plan.jsonl"
        await write_plan(path, plan, house.store.parts(plan.id))
        _, *rest = path.read_bytes().splitlines(keepends=True)
        head = msgspec.json.encode(msgspec.structs.replace(plan, refusals=()))
        path.write_bytes(head + b"\n" + b"".join(rest))
        with pytest.raises(InputError, match="was changed"):
            await read_plan(path)

    async def test_a_place_that_cannot_be_written_is_named(self, house):
        plan = await house.plan()
        with pytest.raises(InputError, match=r"nowhere/plan\.json"):
            await write_plan(house.folder / "nowhere/plan.json", plan, house.store.parts(plan.id))

    async def test_a_stale_plan_stops_where_the_live_system_moved(self, house):
        _, path = await self.written(house)
        house.service("z", "newer")
        await house.settle(consent=ALL)
        house.service("z", "new")
        read, parts = await read_plan(path)
        results = by_name(await Applier(house.store, house.generator(), house.services.get).apply(read, parts))
        assert results["z notes/whole"].outcome == "failed"
        assert house.file("z/whole.txt") == "nthlayer-sync\nnewer\n"


async def test_a_crash_between_write_and_memory_and_then_another_wish(house):
    house.service("payments")
    await house.settle()
    house.service("payments", "new")
    house.service("orders")
    house.wrap = lambda target: Broken(target, TemporaryError("no answer"), after=True)
    await house.apply(await house.plan())
    house.wrap = lambda target: target
    house.service("payments", "newer")
    house.service("orders", "newer")
    await house.settle()
    assert house.file("payments/whole.txt") == "nthlayer-sync\nnewer\n"
    assert house.file("orders/whole.txt") == "nthlayer-sync\nnewer\n"
    assert await house.settled()


async def test_undo_of_a_plan_that_failed_does_not_take_an_edit_of_people_for_ours(house):
    house.service("payments")
    await house.settle()
    house.service("payments", "new", title="New")
    house.wrap = lambda target: Broken(target, TemporaryError("no answer"), after=False)
    plan = await house.plan()
    await house.apply(plan)
    house.wrap = lambda target: target
    house.commit("payments/whole.txt", "nthlayer-sync\nby hand\n")
    await house.plan()
    with pytest.raises(PermanentError, match="nothing of a plan"):
        await undo(house.store, house.generator(), plan.id)
    assert house.file("payments/whole.txt") == "nthlayer-sync\nby hand\n"
