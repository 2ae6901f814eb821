"""Cortex's kind against its stand-in."""

from pathlib import Path
from typing import Any

import msgspec

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.cortex import Plugin
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.testing import HOSTILE, hostile_services, service_from
from tests.plugins.live import trial


def service_of(**words: Any) -> Service:
    links = [{"url": "https://pd.example.com/s", "title": "On call"}, {"url": "javascript:alert(1)", "title": "no"}]
    return service_from({"name": "orders", "links": links, **words})


async def test_a_life(shared: Path) -> None:
    async with trial(shared, Plugin) as cortex:
        [config] = configs = cortex.configs(service_of())
        assert config.place.path == "custom_data/orders"
        await cortex.bring_about(configs)
        [held] = cortex.tool.collections["custom_data"].everything()
        assert held["value"]["facts"]["tier"] == "1"
        assert [link["url"] for link in held["value"]["facts"]["links"]] == ["https://pd.example.com/s"]

        held["value"] = {**held["value"], "facts": {"tier": "by hand"}}
        diff = await cortex.diff(config)
        assert (diff.action, diff.actual and diff.actual.marked) == (Action.UPDATE, True)
        await cortex.bring_about(configs)
        await cortex.take_away(configs)
        assert cortex.tool.collections["entities"].find("tag", "orders")


async def test_an_answer_that_is_lost_does_no_harm(shared: Path) -> None:
    async with trial(shared, Plugin) as cortex:
        [config] = cortex.configs(service_of())
        cortex.tool.faults.add(Fault(method="POST", path="*/custom-data", reset=True, commit=True))
        await cortex.apply(config)
        assert len(cortex.tool.collections["custom_data"]) == 1


async def test_an_entity_that_cortex_does_not_have_is_named(shared: Path) -> None:
    async with trial(shared, Plugin) as cortex:
        [config] = cortex.configs(service_of(name="nowhere"))
        result = await cortex.apply(config, allowed=(Outcome.FAILED,))
        assert "no entity with the tag 'nowhere'" in result.reason


async def test_values_of_others_are_left_alone(shared: Path) -> None:
    async with trial(shared, Plugin) as cortex:
        [config] = cortex.configs(service_of())
        await cortex.apply(config)
        [held] = cortex.tool.collections["custom_data"].everything()
        cortex.remembered.clear()
        held["value"] = {"mark": "nthlayer-sync:elsewhere:orders", "facts": {}}
        assert (await cortex.diff(config)).action is Action.REFUSE
        held["value"] = {"written": "by a person"}
        diff = await cortex.diff(config)
        assert diff.action is Action.REFUSE
        result = (await cortex.target.write([msgspec.structs.replace(diff, action=Action.CREATE, actual=None)], "k"))[0]
        assert result.outcome is Outcome.FAILED


async def test_hostile_texts_come_back_as_they_were_sent(shared: Path) -> None:
    async with trial(shared, Plugin) as cortex:
        for value in HOSTILE[::20]:
            for service in hostile_services(value):
                named = msgspec.structs.replace(service, ref="component:default/orders", name="orders")
                for config in cortex.configs(named):
                    diff = await cortex.diff(config)
                    if diff.action.writes:
                        await cortex.apply(config)
                    assert (await cortex.diff(config)).action is Action.NOTHING, value
