"""Configs whose place changes, and services whose name does: the history goes with them."""

import msgspec
import pytest

from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.undo import undo
from nthlayer_sync.model.ref import EntityRef

ALL = Consent(deletes=9)


def into(house, folder, remote=None):
    return {"root": str(remote or house.remote), "folder": folder}


async def test_a_move_takes_what_people_wrote_along(house):
    house.service("payments")
    await house.settle()
    house.commit("payments/block.md", "# By hand\n" + house.file("payments/block.md") + "More by hand.\n")
    await house.settle()
    house.service("payments", title="New", central=into(house, "elsewhere"))
    plan = await house.plan()
    assert await house.actions(plan) == {"payments notes/whole": "update", "payments notes/block": "update"}
    await house.apply(plan)
    assert house.git_files() == ["elsewhere/block.md", "elsewhere/whole.txt"]
    text = house.file("elsewhere/block.md")
    assert text.startswith("# By hand\n")
    assert text.endswith("More by hand.\n")
    assert "New" in text
    assert await house.settled()


async def test_a_move_to_another_repository_leaves_nothing_behind(house):
    other = house.repository("other.git")
    house.service("payments")
    house.service("orders")
    await house.settle()
    house.commit("payments/block.md", "# By hand\n" + house.file("payments/block.md"))
    house.service("payments", central=into(house, "p", other))
    plan = await house.plan()
    results = await house.apply(plan)
    assert sorted((str(r.id), str(r.outcome)) for r in results) == [
        ("notes/block component:default/payments", "done"),
        ("notes/whole component:default/payments", "done"),
    ]
    assert house.git_files(remote=other) == ["p/block.md", "p/whole.txt"]
    assert house.git_files() == ["orders/block.md", "orders/whole.txt", "payments/block.md"]
    assert house.file("payments/block.md") == "# By hand\n"
    assert await house.settled()

    await undo(house.store, house.generator(), plan.id)
    assert house.git_files(remote=other) == []
    assert "notes" not in house.file("payments/whole.txt")
    assert house.file("payments/block.md").startswith("# By hand\n<!--")
    house.service("payments")
    assert (await house.plan()).writes == 0


async def test_where_the_new_repository_fails_the_config_stays_in_the_old_one(house):
    house.service("payments")
    await house.settle()
    house.service("payments", central=into(house, "p", house.folder / "nowhere.git"))
    plan = await house.plan()
    assert plan.pending == 0
    assert set((await house.actions(plan)).values()) == {"refuse"}
    assert house.git_files() == ["payments/block.md", "payments/whole.txt"]
    house.service("payments")
    assert await house.settled()


async def test_an_edit_at_the_old_place_after_the_plan_is_not_lost(house):
    house.service("payments")
    await house.settle()
    house.service("payments", "new", central=into(house, "elsewhere"))
    plan = await house.plan()
    house.commit("payments/whole.txt", "nthlayer-sync\nby hand\n")
    results = {r.id.kind: r for r in await house.apply(plan)}
    assert (results["notes/whole"].outcome, results["notes/whole"].temporary) == ("failed", True)
    assert house.file("payments/whole.txt") == "nthlayer-sync\nby hand\n"
    assert (await house.changes(await house.plan()))["payments notes/whole"].reason.startswith("it should move")


async def test_a_file_of_others_at_the_new_place_is_never_overwritten(house):
    house.service("payments")
    await house.settle()
    house.commit("elsewhere/whole.txt", "somebody else's\n")
    house.service("payments", "new", central=into(house, "elsewhere"))
    for enforce in (False, True):
        plan = await house.plan(enforce=enforce)
        assert (await house.actions(plan))["payments notes/whole"] == "refuse"
        await house.apply(plan)
        assert house.file("elsewhere/whole.txt") == "somebody else's\n"
        assert house.file("payments/whole.txt") == "nthlayer-sync\nhello\n"


async def test_people_moved_the_file_themselves(house):
    house.service("payments")
    await house.settle()
    house.commit("elsewhere/whole.txt", house.file("payments/whole.txt"))
    house.commit("payments/whole.txt", None)
    house.service("payments", "new", central=into(house, "elsewhere"))
    await house.settle()
    assert house.git_files() == ["elsewhere/block.md", "elsewhere/whole.txt"]
    assert await house.settled()


async def test_undo_of_a_move(house):
    house.service("payments")
    await house.settle()
    house.commit("payments/block.md", "# By hand\n" + house.file("payments/block.md"))
    await house.settle()
    before = {path: house.file(path) for path in house.git_files()}
    house.service("payments", "new", central=into(house, "elsewhere"))
    plan = await house.plan()
    await house.apply(plan)
    results = await undo(house.store, house.generator(), plan.id)
    assert {r.outcome for r in results} == {"done"}
    assert {path: house.file(path) for path in house.git_files()} == before
    house.service("payments")
    assert await house.settled()


async def test_two_files_change_places(house):
    for name, folder in (("a", "a"), ("b", "b")):
        house.service(name, f"I am {name}", central=into(house, folder))
    await house.settle()
    for name, folder in (("a", "b"), ("b", "a")):
        house.service(name, f"I am {name}", central=into(house, folder))
    for _ in range(2):
        plan = await house.plan()
        await house.apply(plan)
    texts = {house.file("a/whole.txt"), house.file("b/whole.txt")}
    assert texts == {"nthlayer-sync\nI am a\n", "nthlayer-sync\nI am b\n"}


class TestRename:
    """A service that is called otherwise, with the same uid."""

    async def renamed(self, house, **words):
        house.service("payments")
        house.uids[EntityRef("component:default/payments")] = "u1"
        await house.settle()
        house.commit("payments/block.md", "# By hand\n" + house.file("payments/block.md"))
        await house.settle()
        house.drop("payments")
        house.service("billing", **words)
        house.uids[EntityRef("component:default/billing")] = "u1"

    async def test_files_move_with_their_history(self, house):
        await self.renamed(house)
        plan = await house.plan()
        assert await house.actions(plan) == {"billing notes/whole": "update", "billing notes/block": "update"}
        await house.apply(plan)
        assert house.git_files() == ["billing/block.md", "billing/whole.txt"]
        assert house.file("billing/block.md").startswith("# By hand\n")
        assert await house.settled()
        assert set(await house.store.traces()) == {"component:default/billing"}

    async def test_the_history_survives_a_plan_that_nobody_applies(self, house):
        await self.renamed(house)
        await house.plan()
        await house.plan()
        await house.settle()
        assert house.git_files() == ["billing/block.md", "billing/whole.txt"]
        assert await house.settled()

    async def test_where_the_place_stays_nothing_is_written_and_all_is_remembered(self, house):
        await self.renamed(house, central=into(house, "payments"))
        assert (await house.plan()).pending == 0
        assert await house.settled()
        house.drop("billing")
        plan = await house.plan(consent=ALL)
        assert set((await house.actions(plan)).values()) == {"delete"}

    async def test_a_name_given_back(self, house):
        await self.renamed(house)
        await house.plan()
        house.drop("billing")
        house.service("payments")
        assert await house.settled()

    async def test_undo(self, house):
        await self.renamed(house)
        plan = await house.plan()
        await house.apply(plan)
        await undo(house.store, house.generator(), plan.id)
        assert house.git_files() == ["payments/block.md", "payments/whole.txt"]
        assert await house.actions(await house.plan()) == {
            "billing notes/whole": "update", "billing notes/block": "update",
        }  # fmt: skip


@pytest.mark.parametrize("uid", ["", "u1"])
async def test_a_service_that_is_gone_takes_its_files_along_whether_it_has_a_uid_or_not(house, uid):
    house.service("payments")
    house.service("orders")
    house.uids[EntityRef("component:default/payments")] = uid
    await house.settle()
    house.drop("payments")
    plan = await house.plan(consent=ALL)
    assert await house.actions(plan) == {"payments notes/whole": "delete", "payments notes/block": "delete"}
    await house.apply(plan)
    assert house.git_files() == ["orders/block.md", "orders/whole.txt"]
    assert await house.settled()
    assert set(await house.store.traces()) == {"component:default/orders"}


async def test_one_of_two_that_share_a_uid_gets_the_history(house):
    house.service("payments")
    house.uids[EntityRef("component:default/payments")] = "u1"
    await house.settle()
    house.drop("payments")
    for name in ("billing", "invoices"):
        house.uids[house.service(name).ref] = "u1"
    plan = await house.plan()
    actions = await house.actions(plan)
    assert (actions["billing notes/whole"], actions["invoices notes/whole"]) == ("update", "create")
    await house.apply(plan)
    assert house.git_files() == [f"{n}/{f}" for n in ("billing", "invoices") for f in ("block.md", "whole.txt")]
    assert await house.settled()


async def test_another_owner_changes_nothing_about_the_place(house):
    service = house.service("payments")
    await house.settle()
    house.services[service.ref] = msgspec.structs.replace(service, owner=None)
    assert (await house.plan()).pending == 0
    assert await house.settled()


@pytest.mark.parametrize("other", [False, True])
async def test_a_move_of_what_was_edited_by_hand_can_be_enforced(house, other):
    house.service("payments")
    await house.settle()
    house.commit("payments/whole.txt", "nthlayer-sync\nby hand\n")
    remote = house.repository("other.git") if other else None
    house.service("payments", "new", central=into(house, "elsewhere", remote))
    assert (await house.actions(await house.plan()))["payments notes/whole"] == "keep"
    await house.settle(enforce=True)
    assert house.file("elsewhere/whole.txt", remote=remote) == "nthlayer-sync\nnew\n"
    assert [path for path in house.git_files() if path.startswith("payments/")] == []
    assert await house.settled()
