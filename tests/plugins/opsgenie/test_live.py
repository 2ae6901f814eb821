"""Opsgenie's kinds against its stand-in."""

from pathlib import Path

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.testing import service_from
from tests.plugins.live import trial
from tests.plugins.on_call import crew
from tests.plugins.opsgenie.duties import Plugin

TEAM = crew("ada", "grace", "ken")
SERVICE = service_from({})


async def test_a_life(shared: Path) -> None:
    async with trial(shared, Plugin) as og:
        configs = og.configs(TEAM, SERVICE)
        assert [c.place.path for c in configs] == [
            "teams/payments-team",
            "schedules/payments-team primary",
            "schedules/payments-team secondary",
            "escalations/payments-team",
            "services/payments",
        ]
        await og.bring_about(configs)
        await og.bring_about(og.configs(crew("grace", "ken", "margaret", loops=0), service_from({"description": "x"})))
        await og.bring_about(og.configs(crew("grace", "ken", on_call={"weekend": False}, hours="weekdays"), SERVICE))
        await og.bring_about(configs)
        await og.take_away(configs)


async def test_a_human_edit_of_any_kind_is_seen(shared: Path) -> None:
    async with trial(shared, Plugin) as og:
        configs = og.configs(TEAM, SERVICE)
        await og.bring_about(configs)
        before = {config.id: await og.observed(config) for config in configs}
        held = og.tool.collections
        next(t for t in held["teams"].everything() if t["name"] == "payments-team")["members"].pop()
        for rotation in held["rotations"].everything():
            rotation["length"] = 2
        next(iter(held["escalations"].everything()))["rules"][0]["notifyType"] = "all"
        service = next(iter(held["services"].everything()))
        service["description"] = service["description"].replace("payments", "money", 1)
        for config in configs:
            after, was = await og.observed(config), before[config.id]
            assert after is not None
            assert was is not None
            assert after.content != was.content, config.id
            assert after.revision != was.revision, config.id
            assert after.marked, config.id
        await og.bring_about(configs)


async def test_a_create_whose_answer_is_lost_makes_one_object(shared: Path) -> None:
    async with trial(shared, Plugin) as og:
        configs = og.configs(TEAM, SERVICE)
        for path in ("/v2/teams", "/v2/schedules", "/v2/escalations", "/v1/services"):
            og.tool.faults.add(Fault(method="POST", path=path, reset=True, commit=True))
        for config in configs:
            result = await og.apply(config, allowed=(Outcome.DONE, Outcome.FAILED, Outcome.UNKNOWN))
            if result.outcome is not Outcome.DONE or result.reason:
                await og.bring_about([config])
        assert len(list(og.tool.collections["schedules"].everything())) == 2
        for config in configs:
            assert (await og.diff(config)).action is Action.NOTHING


async def test_what_is_not_ours_is_left_alone(shared: Path) -> None:
    async with trial(shared, Plugin) as og:
        configs = og.configs(TEAM)
        await og.bring_about(configs)
        next(iter(og.tool.collections["escalations"].everything()))["description"] = "by hand"
        og.remembered.clear()
        assert (await og.diff(configs[-1])).action is Action.REFUSE


async def test_a_rotation_keeps_its_id_for_overrides_of_it_alone(shared: Path) -> None:
    async with trial(shared, Plugin) as og:
        await og.bring_about(og.configs(TEAM))
        before = {each["name"]: each["id"] for each in og.tool.collections["rotations"].everything()}
        await og.bring_about(og.configs(crew("grace", "ken")))
        assert {each["name"]: each["id"] for each in og.tool.collections["rotations"].everything()} == before
