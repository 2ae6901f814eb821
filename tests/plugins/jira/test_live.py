"""Jira's kinds against its stand-in."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Service, Team
from nthlayer_sync.plugins import jira
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.testing import HOSTILE, OWNER, service_from, team_from
from tests.plugins.live import Trial, trial

TICKETS = {"communication": {"tickets": "PAY"}}


class Hasty(jira.Plugin):
    """The plugin without limits, which would make tests wait."""

    manners = Manners(rate=math.inf)


@asynccontextmanager
async def connected(shared: Path, *, create: bool = True) -> AsyncIterator[Trial]:
    async with trial(shared, Hasty, {"projects": ["PAY", "OPS"], "create_projects": create}) as tried:
        yield tried


def service_of(**words: Any) -> Service:
    return service_from({"blueprint": TICKETS, **words})


def team_of() -> Team:
    return team_from({"blueprint": TICKETS})


def test_nothing_is_set_up_for_who_names_no_project() -> None:
    plugin = jira.Plugin(jira.JiraSettings(create_projects=True))
    assert not [*plugin.generate_configs(service_from({})), *plugin.generate_configs(team_from({}))]


def test_a_project_that_the_settings_do_not_name_is_refused() -> None:
    with pytest.raises(PermanentError, match="PAY is not among the projects"):
        list(jira.Plugin(jira.JiraSettings()).generate_configs(service_of()))


def test_a_token_needs_a_user() -> None:
    with pytest.raises(ValidationError, match="which Jira is meant"):
        jira.JiraSettings(token="env:TOKEN")


async def test_a_life(shared: Path) -> None:
    async with connected(shared) as tried:
        project, component = tried.configs(team_of(), service_of())
        assert [project.place.path, component.place.path] == ["projects/PAY", "components/PAY/payments"]
        await tried.bring_about([project, component])
        [held] = tried.tool.collections["components"].everything()
        assert held["description"].startswith("Owned by Payments Team. Its tickets bear the label service-payments.")

        held["description"] = held["description"].replace("Payments Team", "nobody")
        diff = await tried.diff(component)
        assert (diff.action, diff.actual and diff.actual.marked) == (Action.UPDATE, True)
        held["assigneeType"] = "PROJECT_LEAD"
        await tried.bring_about([component])
        [held] = tried.tool.collections["components"].everything()
        assert held["assigneeType"] == "PROJECT_LEAD"

        changed = msgspec.structs.replace(project, spec=msgspec.structs.replace(project.spec, name="Money"))
        await tried.bring_about([changed])
        await tried.take_away([component])
        assert not tried.plugin.kind("jira/project").deletable


async def test_a_project_that_nobody_may_make_is_asked_for(shared: Path) -> None:
    async with connected(shared, create=False) as tried:
        [component] = tried.configs(team_of(), service_of())
        result = await tried.apply(component, allowed=(Outcome.FAILED,))
        assert "no 'PAY' among its projects" in result.reason


async def test_answers_that_are_lost_make_nothing_twice(shared: Path) -> None:
    async with connected(shared) as tried:
        project, component = tried.configs(team_of(), service_of())
        for path, config in (("*/project", project), ("*/component", component)):
            tried.tool.faults.add(Fault(method="POST", path=path, reset=True, commit=True))
            await tried.apply(config)
        assert (len(tried.tool.collections["projects"]), len(tried.tool.collections["components"])) == (1, 1)


async def test_what_people_made_is_left_alone(shared: Path) -> None:
    async with connected(shared) as tried:
        project, component = tried.configs(team_of(), service_of())
        await tried.bring_about([project, component])
        tried.remembered.clear()
        for name, config in (("projects", project), ("components", component)):
            [held] = tried.tool.collections[name].everything()
            held["description"] = "by hand"
            diff = await tried.diff(config)
            assert diff.action is Action.REFUSE
            forced = msgspec.structs.replace(diff, action=Action.CREATE, actual=None)
            result = (await tried.target.write([forced], "k"))[0]
            assert (result.outcome, "does not bear our mark" in result.reason) == (Outcome.FAILED, True)


async def test_hostile_texts_come_back_as_they_were_sent(shared: Path) -> None:
    async with connected(shared) as tried:
        await tried.bring_about(tried.configs(team_of()))
        for number, value in enumerate(HOSTILE[::2]):
            owner = msgspec.to_builtins(msgspec.structs.replace(OWNER, title=value, name=value))
            [config] = tried.configs(service_of(name=f"service-{number}", owner=owner))
            await tried.apply(config)
            assert (await tried.diff(config)).action is Action.NOTHING, value
