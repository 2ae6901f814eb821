"""Objects that were there before us: found, bound by a person's word, and nothing else touched."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from nthlayer_sync.engine.bind import Binder
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.sandbox import Sandbox
from tests.faults.live.company import Company, explained, services, settings_of

SERVICE = ConfigId("pagerduty/service", entity_ref("component", "s00000"))
NAME = "s00000 pagerduty/service"
MARK = "[nthlayer-sync:default:"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(["pagerduty"]) as sandbox:
        yield sandbox


@pytest.fixture
async def company(tmp_path: Path, sandbox: Sandbox) -> Company:
    """Three services, of which a person made the first one by hand; another object nobody asks for."""
    reach: dict[str, dict[str, Any]] = {"pagerduty": settings_of(sandbox.pagerduty)}
    (tmp_path / "before").mkdir()
    before = Company(tmp_path / "before", reach)
    before.says(services(3))
    await before.tick()
    first = named(sandbox, "s00000")
    first["description"] = "by hand"
    held = sandbox.pagerduty.collections["services"]
    held.add({**first, "id": "PFOREIGN", "name": "legacy"})
    (tmp_path / "now").mkdir()
    company = Company(tmp_path / "now", reach)
    company.says(services(3))
    await company.tick()
    sandbox.ledger.clear()
    return company


def named(sandbox: Sandbox, name: str) -> dict[str, Any]:
    return next(each for each in sandbox.pagerduty.collections["services"].everything() if each["name"] == name)


async def test_from_refused_to_ours(company: Company, sandbox: Sandbox) -> None:
    _, changes = await company.plan()
    assert changes[NAME].action is Action.REFUSE
    async with company.engine() as engine:
        plan = await engine.plan()
        binder = Binder(engine.store, engine.generator)
        found = await binder.find(plan)
        assert [(each.id, each.object.remote) for each in found.waiting] == [(SERVICE, named(sandbox, "s00000")["id"])]
        assert "services/legacy" in [each.path for each in found.others["pagerduty"]]
        [bound] = await binder.bind(found.waiting)
        assert bound.trouble == ""
    assert sandbox.ledger.committed() == []

    plan, changes = await company.plan()
    assert {name: change.action for name, change in changes.items()} == {NAME: Action.UPDATE}
    foreign = dict(named(sandbox, "legacy"))
    await company.tick()
    assert MARK in named(sandbox, "s00000")["description"]
    assert len(sandbox.pagerduty.collections["services"]) == 4
    assert [entry.id for entry in sandbox.ledger.committed()] == [named(sandbox, "s00000")["id"]]
    assert named(sandbox, "legacy") == foreign
    plan, _ = await company.plan()
    assert plan.counts == {}
    async with company.engine() as engine:
        found = await Binder(engine.store, engine.generator).find(await engine.plan())
        assert found.waiting == ()


async def test_an_object_of_another_name_is_renamed_and_none_is_made(company: Company, sandbox: Sandbox) -> None:
    first = named(sandbox, "s00000")
    first["name"] = first["summary"] = "payments (old)"
    async with company.engine() as engine:
        plan = await engine.plan()
        assert (await explained(engine, plan))[NAME].action is Action.CREATE
        binder = Binder(engine.store, engine.generator)
        with pytest.raises(InputError, match="none of the 2 services"):
            await binder.named(plan, SERVICE, "PNOTHING")
        await binder.bind([await binder.named(plan, SERVICE, first["id"])])
    _, changes = await company.plan()
    assert (changes[NAME].action, changes[NAME].was and changes[NAME].was.path) == (
        Action.UPDATE,
        "services/payments (old)",
    )
    _, results = await company.tick()
    assert [str(result.outcome) for result in results] == ["done"], results
    assert named(sandbox, "s00000")["id"] == first["id"]
    assert len(sandbox.pagerduty.collections["services"]) == 4
    plan, _ = await company.plan()
    assert plan.counts == {}


async def test_what_belongs_to_another_installation_is_never_bound(company: Company, sandbox: Sandbox) -> None:
    named(sandbox, "s00000")["description"] = "theirs\n\n[nthlayer-sync:emea:s00000]"
    async with company.engine() as engine:
        plan = await engine.plan()
        binder = Binder(engine.store, engine.generator)
        assert (await binder.find(plan)).waiting == ()
        with pytest.raises(InputError, match="bears no mark"):
            await binder.named(plan, SERVICE, "")


async def test_what_is_ours_or_unknown_cannot_be_bound(company: Company) -> None:
    async with company.engine() as engine:
        plan = await engine.plan()
        binder = Binder(engine.store, engine.generator)
        for name in ("s00001", "s0000"):
            with pytest.raises(InputError, match="waits for nothing"):
                await binder.named(plan, ConfigId("pagerduty/service", entity_ref("component", name)), "")


async def test_what_a_person_edits_after_binding_is_kept(company: Company, sandbox: Sandbox) -> None:
    async with company.engine() as engine:
        binder = Binder(engine.store, engine.generator)
        await binder.bind((await binder.find(await engine.plan())).waiting)
    named(sandbox, "s00000")["description"] = "by hand once more"
    _, changes = await company.plan()
    assert changes[NAME].action is Action.KEEP
    await company.tick()
    assert sandbox.ledger.committed() == []
