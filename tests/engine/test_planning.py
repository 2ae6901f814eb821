"""What a plan holds, and what it leaves alone."""

import pytest

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.undo import undo
from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings

ALL = Consent(deletes=9)


async def test_nothing_is_generated_for_what_did_not_change(house, monkeypatch):
    for n in range(20):
        house.service(f"s{n}")
    await house.settle()
    asked = []
    service = house.service("s7", "other")
    generator = house.generator
    monkeypatch.setattr(house, "generator", lambda: _watched(generator(), asked))
    plan = await house.plan()
    assert await house.actions(plan) == {"s7 notes/whole": "update"}
    assert asked == [service.ref]
    assert plan.subjects == 20


def _watched(generator, asked):
    generate = generator.generate
    generator.generate = lambda subject: asked.append(subject.ref) or generate(subject)
    return generator


async def test_a_disturbed_file_is_found_among_many(house):
    for n in range(20):
        house.service(f"s{n}")
    await house.settle()
    house.commit("s3/whole.txt", "nthlayer-sync\nedited\n")
    house.commit("s5/block.md", None)
    assert await house.actions(await house.plan()) == {"s3 notes/whole": "keep", "s5 notes/block": "keep"}


async def test_a_kind_that_fails_stops_itself_alone_and_deletes_nothing(house):
    house.service("payments")
    house.service("orders")
    await house.settle()
    house.service("payments", "bad", title="New")
    plan = await house.plan()
    changes = await house.changes(plan)
    assert (changes["payments notes/whole"].action, changes["payments notes/whole"].reason) == (
        "refuse", "a bad description",
    )  # fmt: skip
    assert changes["payments notes/block"].action == "update"
    await house.apply(plan)
    assert house.file("payments/whole.txt") == "nthlayer-sync\nhello\n"
    assert "New" in house.file("payments/block.md")
    house.service("payments", title="New")
    assert await house.settled()


async def test_a_bug_in_a_plugin_stops_one_subject(house):
    house.service("payments")
    house.service("orders", "bug")
    changes = await house.changes(await house.plan())
    assert changes["payments notes/whole"].action == "create"
    assert changes["orders notes/block"].action == "create"
    assert changes["orders notes/whole"].reason == "bug in notes 1: RuntimeError: boom"


async def test_a_kind_that_is_switched_off_is_left_alone_and_taken_up_again(house):
    house.service("payments")
    await house.settle()
    house.settings = PluginSettings(kinds=("whole",))
    plan = await house.plan()
    assert (await house.changes(plan))["payments notes/block"].reason == (
        "notes/block is not on, so what it made is left alone"
    )
    assert plan.pending == 0
    house.settings = PluginSettings()
    assert await house.settled()


async def test_what_is_never_deleted_is_kept(house):
    kind = type(house.kinds[0])
    words = {f.name: getattr(house.kinds[0], f.name) for f in house.kinds[0].__dataclass_fields__.values() if f.init}
    house.kinds = (kind(**words | {"deletable": False}), house.kinds[1])
    house.service("payments")
    await house.settle()
    house.drop("payments")
    house.service("orders")
    plan = await house.plan(consent=ALL)
    actions = await house.actions(plan)
    assert (actions["payments notes/whole"], actions["payments notes/block"]) == ("hold", "delete")
    await house.apply(plan)
    assert "payments/whole.txt" in house.git_files()


async def test_a_repository_that_cannot_be_read_holds_up_only_its_own(house):
    house.service("payments")
    house.service("orders", central={"root": str(house.folder / "nowhere.git"), "folder": "orders"})
    plan = await house.plan()
    actions = await house.actions(plan)
    assert {name: a for name, a in actions.items() if "orders" in name} == {
        "orders notes/whole": "refuse", "orders notes/block": "refuse",
    }  # fmt: skip
    assert {r.outcome for r in await house.apply(plan)} == {"done"}
    assert house.git_files() == ["payments/block.md", "payments/whole.txt"]
    house.repository("nowhere.git")
    await house.settle()
    assert await house.settled()


async def test_a_damaged_file_holds_up_only_itself(house):
    for name in ("a", "b", "c"):
        house.service(name)
    await house.settle()
    house.commit("b/block.md", house.file("b/block.md").replace("end", "nd"))
    house.service("a", title="New")
    plan = await house.plan()
    changes = await house.changes(plan)
    assert changes["a notes/block"].action == "update"
    assert changes["b notes/block"].action == "refuse"
    assert "has no end; mend the marker lines" in changes["b notes/block"].reason
    assert {r.outcome for r in await house.apply(plan)} == {"done"}


async def test_a_file_that_is_not_utf8_holds_up_only_itself(house):
    for name in ("a", "b"):
        house.service(name)
    await house.settle()
    house.commit("b/whole.txt", "x")
    (house.folder / "work/b/whole.txt").write_bytes(b"nthlayer-sync \xff\n")
    house.commit("a/extra.txt", "x")
    house.service("b", "other")
    for enforce in (False, True):
        plan = await house.plan(enforce=enforce)
        assert (await house.changes(plan))["b notes/whole"].action in ("refuse", "keep")
        await house.apply(plan)
    assert await house.actions(plan) == {"b notes/whole": "refuse"}


class Deaf:
    """A target whose host does not answer any more once it was looked at."""

    def __init__(self, target, method, error):
        self._target, self._method, self._error = target, method, error
        self.restore = target.restore  # a protocol looks for what an object says it has

    def __getattr__(self, name):
        if name == self._method:
            return self._fail
        return getattr(self._target, name)

    async def _fail(self, *_):
        raise self._error


async def test_a_host_that_stops_answering_in_the_middle(house):
    house.service("payments")
    await house.settle()
    house.commit("payments/whole.txt", "nthlayer-sync\nedited\n")
    house.service("orders")
    for method in ("read", "revisions"):
        for error in (TemporaryError("gone away"), PermanentError("no more")):
            house.wrap = lambda target, method=method, error=error: Deaf(target, method, error)
            plan = await house.plan()
            assert plan.total("delete") == plan.total("update") == 0
            refused = [c for c in (await house.changes(plan)).values() if c.action == "refuse"]
            assert refused
            assert {change.reason for change in refused} == {str(error)}
    house.wrap = lambda target: target
    assert (await house.actions(await house.plan()))["payments notes/whole"] == "keep"


async def test_a_foreign_file_is_refused_until_it_is_gone(house):
    house.service("payments")
    house.commit_first("payments/whole.txt", "mine\n")
    for enforce in (False, True):
        plan = await house.plan(enforce=enforce)
        assert (await house.actions(plan))["payments notes/whole"] == "refuse"
        await house.apply(plan)
    assert house.file("payments/whole.txt", "main") == "mine\n"
    house.commit("payments/whole.txt", None, "main")
    await house.settle()
    assert await house.settled()


async def test_what_bears_our_mark_is_adopted_when_it_is_what_we_want(house):
    house.service("payments")
    house.service("orders")
    house.commit_first("payments/whole.txt", f"{MARK}\nhello\n")
    house.commit("orders/whole.txt", f"{MARK}\nanother\n", "main")
    plan = await house.plan()
    actions = await house.actions(plan)
    assert (actions["payments notes/whole"], actions["orders notes/whole"]) == ("adopt", "keep")


async def test_guards_hold_for_the_plan_and_consent_lets_it_pass(house):
    for n in range(8):
        house.service(f"s{n}")
    await house.settle()
    for n in range(4):
        house.drop(f"s{n}")
    plan = await house.plan()
    assert [r.guard for r in plan.refusals] == ["deletes"]
    with pytest.raises(PermanentError, match="--allow-deletes 8"):
        await house.apply(plan)
    assert len(house.git_files()) == 16
    plan = await house.plan(consent=Consent(deletes=8))
    assert plan.refusals == ()
    await house.apply(plan)
    assert len(house.git_files()) == 8
    assert await house.settled()


async def test_an_owner_that_would_lose_everything_is_refused(house):
    for n in range(60):
        house.service(f"s{n:02}")
    house.service("alone", owner={"ref": "group:default/small", "name": "small"})
    await house.settle()
    house.drop("alone")
    for _ in range(2):
        plan = await house.plan()
        assert "group:default/small would lose all of its 2 configs" in plan.refusals[0].message
    assert (await house.plan(consent=Consent(deletes=2))).refusals == ()


def test_the_limits_that_these_tests_rest_on():
    guards = load_tiers(None).guards
    assert (guards.small_set.below, guards.small_set.deletes, guards.absence.reads) == (10, 1, 2)


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", ".git/config", "a//b", "a\\b", "x" * 300, "a\nb"])
async def test_a_path_that_leads_outside_stops_that_config_alone(house, path):
    words = {f.name: getattr(house.kinds[0], f.name) for f in house.kinds[0].__dataclass_fields__.values() if f.init}
    odd = words | {"path": lambda service, spec: path if service.name == "a" else "whole.txt"}
    house.kinds = (type(house.kinds[0])(**odd), house.kinds[1])
    for name in ("a", "b"):
        house.service(name, central={"root": str(house.remote), "folder": ""} if name == "a" else None)
    house.service("b")
    results = await house.apply(await house.plan())
    failed = {str(r.id): r.reason for r in results if r.outcome == "failed"}
    assert "notes/whole component:default/a" in failed
    assert "b/whole.txt" in house.git_files()
    assert not (house.folder / "outside.txt").exists()


async def test_a_file_where_a_folder_should_be_stops_that_config_alone(house):
    house.service("a")
    house.service("b")
    house.commit_first("x/y", "z")
    house.commit("a", "I am a file, no folder", "main")
    results = await house.apply(await house.plan())
    assert {str(r.id.subject) for r in results if r.outcome == "failed"} == {"component:default/a"}


async def test_a_plugin_that_reconciles_or_applies_in_its_own_way_is_asked(house, monkeypatch):
    house.service("payments", "hello")
    await house.settle()
    asked: list[str] = []

    def reconcile(self, desired, actual):
        asked.append("reconcile")
        return OperationalPlugin.reconcile(self, desired, actual)

    async def apply(self, diff, idempotency_key):
        asked.append("apply")
        return (await self.target(diff.desired.place.root).write([diff], idempotency_key))[0]

    notes = type(house.generator().plugins["notes"]).__mro__[1]
    monkeypatch.setattr(notes, "reconcile", reconcile)
    monkeypatch.setattr(notes, "apply", apply)
    house.commit("payments/block.md", "# Ours\n" + house.file("payments/block.md"))
    house.service("payments", "good day")
    await house.settle()
    assert {"reconcile", "apply"} <= set(asked)
    assert house.file("payments/whole.txt") == "nthlayer-sync\ngood day\n"


@pytest.mark.parametrize("enforce", [False, True])
async def test_a_write_of_ours_that_people_take_back_at_once_is_drift(house, enforce):
    house.service("a")
    await house.settle()
    house.service("b")
    house.service("a", "new")
    await house.settle()
    house.commit("b/block.md", None)
    house.commit("a/whole.txt", "nthlayer-sync\nhello\n")
    for _ in range(2):
        plan = await house.plan(enforce=enforce)
        assert (await house.actions(plan)).keys() == {"a notes/whole", "b notes/block"}
    if enforce:
        await house.apply(plan)
        assert await house.settled()


async def test_an_undo_that_people_take_back_is_drift(house):
    house.service("a")
    await house.settle()
    house.service("a", "new")
    plan = await house.plan()
    await house.apply(plan)
    assert await house.settled()
    await undo(house.store, house.generator(), plan.id)
    house.commit("a/whole.txt", "nthlayer-sync\nnew\n")
    house.service("a")
    assert (await house.actions(await house.plan())) == {"a notes/whole": "keep"}


async def test_a_root_is_listed_again_only_where_people_moved_something(house):
    house.service("a")
    await house.settle()
    house.service("b")
    await house.settle()
    assert "" not in (await house.store.roots()).values()
    house.service("c")
    plan = await house.plan()
    house.commit("theirs.txt", "theirs")
    await house.apply(plan)
    assert "" in (await house.store.roots()).values()
    assert await house.settled()
    assert "" not in (await house.store.roots()).values()


async def test_what_is_no_longer_managed_is_held_and_shown(house):
    payments = house.service("payments", "hello")
    await house.settle()
    house.drop("payments")
    house.present = {payments.ref}
    plan = await house.plan()
    assert set((await house.actions(plan)).values()) == {"hold"}
    assert "not managed" in (await house.changes(plan))["payments notes/whole"].reason
