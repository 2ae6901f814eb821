"""Objects without room for a mark: what we remember of them, and the journal, tell what is ours."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nthlayer_sync.engine.bind import Binder
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.plugins.gitlab import Plugin as GitLab
from nthlayer_sync.sandbox import Fault, Sandbox
from tests.faults.house import service
from tests.faults.live.company import Company, at_pace, settings_of

NAME = "pay gitlab/protected_environment"


def pay(project: str, owner: str = "payments-team") -> list[Entity]:
    """One service in a project of its own, and its team."""
    found = service("pay", uid="u1", place=Place(f"https://gitlab.com/acme/{project}", "catalog-info.yaml"))
    annotations = {**found.annotations, "gitlab.com/project-slug": f"acme/{project}"}
    handle = {"github.com/team-slug": f"acme/{owner}"}
    team = Entity(ref=entity_ref("group", owner), kind="Group", name=owner, spec={"type": "team"}, annotations=handle)
    spec = {**found.spec, "owner": owner}
    return [msgspec.structs.replace(found, annotations=annotations, spec=spec), team]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(["gitlab"]) as sandbox:
        yield sandbox


@pytest.fixture
def company(tmp_path: Path, sandbox: Sandbox) -> Company:
    settings = settings_of(sandbox.gitlab) | {"kinds": ["protected_environment"]}
    company = Company(tmp_path, {"gitlab": settings}, plugins=(at_pace(GitLab),))
    company.says(pay("payments"))
    return company


def held(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(sandbox.gitlab.collections["protected_environments"].everything())


async def test_made_changed_and_kept(company: Company, sandbox: Sandbox) -> None:
    _, [result] = await company.tick()
    assert result.outcome == "done", result.reason
    plan, _ = await company.plan()
    assert plan.counts == {}
    company.says(pay("payments", "shop-team"))
    _, [result] = await company.tick()
    assert result.outcome == "done", result.reason
    plan, _ = await company.plan()
    assert plan.counts == {}
    held(sandbox)[0]["approval_rules"][0]["required_approvals"] = 1
    _, changes = await company.plan()
    assert changes[NAME].action is Action.KEEP
    assert len(held(sandbox)) == 1


async def test_a_lost_answer_is_found_again_and_not_somebody_elses(
    company: Company, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.gitlab.faults.add(Fault(method="POST", path="*/protected_environments", status=502, commit=True))
    _, [result] = await company.tick()
    assert result.outcome == "unknown", result.reason
    monkeypatch.setattr(GitLab, "settles", 0.0)
    _, changes = await company.plan()
    assert changes == {}
    assert len(held(sandbox)) == 1
    assert len(sandbox.ledger.committed()) == 1


async def test_what_moves_is_made_where_it_goes_and_removed_where_it_was(company: Company, sandbox: Sandbox) -> None:
    await company.tick()
    company.says(pay("shop"))
    _, changes = await company.plan()
    assert (changes[NAME].action, changes[NAME].was is not None) == (Action.UPDATE, True)
    _, [result] = await company.tick()
    assert result.outcome == "done", result.reason
    assert len(held(sandbox)) == 1
    plan, _ = await company.plan()
    assert plan.counts == {}


async def test_what_was_there_before_is_bound(company: Company, sandbox: Sandbox) -> None:
    project = next(
        str(each["id"])
        for each in sandbox.gitlab.collections["projects"].everything()
        if each["path_with_namespace"] == "acme/payments"
    )
    entry = {"id": 999, "access_level": 40, "user_id": None, "group_id": None}
    item = {"id": f"{project}/production", "name": "production", "deploy_access_levels": [entry], "approval_rules": []}
    sandbox.gitlab.collections["protected_environments"].add(item, project)
    _, changes = await company.plan()
    assert changes[NAME].action is Action.REFUSE
    async with company.engine() as engine:
        binder = Binder(engine.store, engine.generator)
        [bound] = await binder.bind((await binder.find(await engine.plan())).waiting)
        assert bound.trouble == ""
    assert sandbox.ledger.committed() == []
    _, [result] = await company.tick()
    assert result.outcome == "done", result.reason
    assert len(held(sandbox)) == 1
    plan, _ = await company.plan()
    assert plan.counts == {}
