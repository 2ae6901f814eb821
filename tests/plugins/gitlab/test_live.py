"""GitLab's live kind against its stand-in."""

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.gitlab import GitlabSettings
from nthlayer_sync.plugins.gitlab import Plugin as GitLab
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.testing import hostile_services, service_from
from tests.plugins.live import Trial, trial

OWNER = "acme/payments-team"


class Plugin(GitLab):
    manners = Manners(rate=math.inf)


def service(project: str = "payments", folder: str = "") -> Service:
    own = {"root": f"https://gitlab.com/acme/{project}", "folder": folder, "slug": f"acme/{project}"}
    return service_from({"own": own})


def changed(config: Config, **fields: Any) -> Config:
    return msgspec.structs.replace(config, spec=msgspec.structs.replace(config.spec, **fields))


def held(gitlab: Trial) -> list[dict[str, Any]]:
    return list(gitlab.tool.collections["protected_environments"].everything())


async def test_a_life(shared: Path) -> None:
    async with trial(shared, Plugin) as gitlab:
        configs = gitlab.configs(service())
        assert [c.place.path for c in configs] == ["protected_environments/acme/payments/production"]
        await gitlab.bring_about(configs)
        [made] = held(gitlab)
        kept = {entry["id"] for entry in made["deploy_access_levels"]}
        more = changed(configs[0], approvals={OWNER: 1}, deployers=(OWNER, "acme/shop-team", "maintainers"))
        await gitlab.bring_about([more])
        [made] = held(gitlab)
        assert kept < {entry["id"] for entry in made["deploy_access_levels"]}
        await gitlab.bring_about([changed(configs[0], approvals={"acme/shop-team": 1}, deployers=("maintainers",))])
        await gitlab.take_away(configs)


async def test_a_name_with_a_slash_in_it_and_a_project_deep_down(shared: Path) -> None:
    async with trial(shared, Plugin, {"projects": ["shop/r11?"]}) as gitlab:
        projects = gitlab.tool.collections["projects"]
        like = next(iter(projects.everything()))
        for number in range(120):
            path = f"acme/shop/r{number:03}"
            projects.add({**like, "id": 5_000 + number, "path": path[10:], "path_with_namespace": path})
        [config] = gitlab.configs(service("shop/r119", "services/payments"))
        assert config.place.path == "protected_environments/acme/shop/r119/production/payments"
        await gitlab.bring_about([config])
        await gitlab.take_away([config])


async def test_an_edit_by_hand_shows_and_so_does_who_made_it(shared: Path) -> None:
    async with trial(shared, Plugin) as gitlab:
        [config] = gitlab.configs(service())
        await gitlab.bring_about([config])
        before = await gitlab.observed(config)
        person = {"id": 99, "access_level": None, "user_id": 100, "group_id": None}
        held(gitlab)[0]["deploy_access_levels"].append(person)
        diff = await gitlab.diff(config)
        assert before is not None
        assert diff.actual is not None
        assert diff.actual.revision != before.revision
        assert (diff.action, "user 100" in (diff.before or "")) == (Action.UPDATE, True)
        await gitlab.bring_about([config])
        assert len(held(gitlab)[0]["deploy_access_levels"]) == 2


async def test_a_create_whose_answer_is_lost_makes_one_object(shared: Path) -> None:
    async with trial(shared, Plugin) as gitlab:
        [config] = gitlab.configs(service())
        gitlab.tool.faults.add(Fault(method="POST", path="*/protected_environments", reset=True, commit=True))
        # Without a mark nobody can tell yet whose it is: the journal says so to the next plan.
        await gitlab.apply(config, allowed=[Outcome.UNKNOWN])
        assert len(held(gitlab)) == 1


async def test_what_is_not_ours_is_left_alone(shared: Path) -> None:
    async with trial(shared, Plugin) as gitlab:
        [config] = gitlab.configs(service())
        await gitlab.bring_about([config])
        gitlab.remembered.clear()
        held(gitlab)[0]["approval_rules"].clear()
        diff = await gitlab.diff(config)
        assert diff.action is Action.REFUSE
        forced = msgspec.structs.replace(diff, action=Action.CREATE, actual=None)
        [result] = await gitlab.target.write([forced], "k")
        assert result.outcome is Outcome.FAILED
        assert held(gitlab)[0]["approval_rules"] == []


def test_hostile_values_reach_no_address(hostile: str) -> None:
    plugin = GitLab(GitlabSettings(group="acme"))
    for service in hostile_services(hostile):
        for config in plugin.generate(plugin.kinds[1], service):
            assert config.place.path == "protected_environments/acme/payments/production"


def test_a_token_needs_a_group() -> None:
    with pytest.raises(ValidationError, match="group"):
        GitlabSettings.model_validate({"token": "env:TOKEN"})
