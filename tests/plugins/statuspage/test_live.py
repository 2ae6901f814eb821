"""Statuspage's kinds against its stand-in."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins import statuspage
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.testing import HOSTILE, hostile_services, service_from
from tests.plugins.live import Trial, trial


class Hasty(statuspage.Plugin):
    """The plugin without Statuspage's limits, which would make tests wait."""

    manners = Manners(rate=math.inf)


@asynccontextmanager
async def connected(shared: Path) -> AsyncIterator[Trial]:
    async with trial(shared, Hasty) as tried:
        yield tried


def service_of(**communication: Any) -> Service:
    return service_from({"blueprint": {"communication": {"public_name": "Card payments", **communication}}})


def test_nobody_is_shown_to_the_public_who_has_no_name_for_it() -> None:
    plugin = statuspage.Plugin(statuspage.StatuspageSettings())
    hidden = service_from({"blueprint": {"communication": {"public_name": "Cards", "status_page": False}}})
    assert not [*plugin.generate_configs(service_from({})), *plugin.generate_configs(hidden)]


def test_a_token_needs_a_page() -> None:
    with pytest.raises(ValidationError, match="which status page"):
        statuspage.StatuspageSettings(token="env:STATUSPAGE_TOKEN")


async def test_a_life(shared: Path) -> None:
    async with connected(shared) as tried:
        configs = tried.configs(service_of(audience=True))
        assert [config.id.kind.partition("/")[2] for config in configs] == [
            "component", "incident_template", "subscriber_group",
        ]  # fmt: skip
        await tried.bring_about(configs)
        component = tried.tool.collections["components"].listed("sandboxpage1")[0]
        component["status"] = "major_outage"
        component["description"] = "by hand"
        assert (await tried.diff(configs[0])).action is Action.NOTHING
        await tried.take_away([configs[0], configs[2]])


async def test_a_component_stands_under_a_heading_that_is_there(shared: Path) -> None:
    async with connected(shared) as tried:
        plain = tried.configs(service_of())[0]
        await tried.bring_about([plain])
        id = tried.tool.collections["components"].listed("sandboxpage1")[0]["id"]
        grouped = tried.configs(service_of(public_group="Money"))[0]
        result = await tried.apply(grouped, allowed=(Outcome.FAILED,))
        assert "no 'Money' among its component_groups" in result.reason
        tried.remembered[grouped.id] = id
        group = {"id": "g1", "name": "Money", "components": [id], "description": None, "position": 1}
        group |= {"page_id": "sandboxpage1", "created_at": "2026-11-23T00:00:00Z", "updated_at": "2026-11-23T00:00:00Z"}
        tried.tool.collections["component_groups"].add(group, "sandboxpage1")
        await tried.bring_about([grouped])
        await tried.bring_about([plain])


async def test_a_template_is_made_once_and_never_changed(shared: Path) -> None:
    async with connected(shared) as tried:
        component, template = tried.configs(service_of())
        await tried.bring_about([component, template])
        spec = msgspec.structs.replace(template.spec, title="Another")
        diff = tried.plugin.reconcile(msgspec.structs.replace(template, spec=spec), await tried.observed(template))
        assert diff.action is Action.REFUSE
        assert "change it on the page" in diff.reason
        assert not tried.plugin.kind(template.id.kind).deletable


async def test_an_answer_that_is_lost_makes_no_second_component(shared: Path) -> None:
    async with connected(shared) as tried:
        config = tried.configs(service_of())[0]
        tried.tool.faults.add(Fault(method="POST", path="*/components", reset=True, commit=True))
        await tried.apply(config, allowed=(Outcome.UNKNOWN,))
        assert (await tried.diff(config)).action is Action.NOTHING
        assert len(tried.tool.collections["components"]) == 1


async def test_what_is_not_ours_is_left_alone(shared: Path) -> None:
    async with connected(shared) as tried:
        config = tried.configs(service_of())[0]
        await tried.apply(config)
        tried.remembered.clear()
        changed = tried.configs(service_of(public_group="Money"))[0]
        diff = await tried.diff(changed)
        assert diff.action is Action.REFUSE
        result = (await tried.target.write([msgspec.structs.replace(diff, action=Action.CREATE, actual=None)], "k"))[0]
        assert (result.outcome, "does not bear our mark" in result.reason) == (Outcome.FAILED, True)


@pytest.mark.parametrize("value", HOSTILE)
def test_nothing_that_people_write_inside_is_told_to_strangers(value: str) -> None:
    plugin = statuspage.Plugin(statuspage.StatuspageSettings())
    asked = service_of(audience=True)
    wanted = [config.spec for config in plugin.generate_configs(asked)]
    for service in hostile_services(value):
        public = msgspec.structs.replace(service, blueprint=asked.blueprint)
        assert [config.spec for config in plugin.generate_configs(public)] == wanted
