"""PagerDuty's kinds against its stand-in."""

import math
from pathlib import Path

import msgspec

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.plugins import pagerduty
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.http import Call, Manners
from nthlayer_sync.sdk.testing import service_from
from tests.plugins.live import trial
from tests.plugins.on_call import crew


class Plugin(pagerduty.Plugin):
    """As fast as it goes."""

    manners = Manners(rate=math.inf)


TEAM = crew("ada", "grace", "ken")
COMMANDS, SPEAKS = "incident-commander", "incident-communications"
TRAINED = {
    "ref": "group:default/payments-team",
    "name": "payments-team",
    "people": [
        {"ref": "user:default/ada", "name": "Ada", "email": "ada@example.com", "badges": [COMMANDS]},
        {"ref": "user:default/grace", "name": "Grace", "email": "grace@example.com", "badges": [COMMANDS, SPEAKS]},
    ],
}
SERVICE = service_from({"owner": TRAINED})


async def test_a_life(shared: Path) -> None:
    async with trial(shared, Plugin) as pd:
        configs = pd.configs(TEAM, SERVICE)
        assert [c.place.path for c in configs] == [
            "teams/payments-team",
            "schedules/payments-team primary",
            "schedules/payments-team secondary",
            "escalation_policies/payments-team",
            "services/payments",
            "incident_workflows/payments roles",
        ]
        await pd.bring_about(configs)
        [grace] = TRAINED["people"][1:]
        office = {"incident": {"hours": "business-hours-only"}}
        fewer = pd.configs(
            crew("grace", "ken", "margaret"),
            service_from({"owner": TRAINED | {"people": [grace]}, "blueprint": office}),
        )
        await pd.bring_about(fewer)
        await pd.bring_about(configs)
        await pd.take_away(configs)


async def test_a_human_edit_of_any_kind_is_seen(shared: Path) -> None:
    async with trial(shared, Plugin) as pd:
        configs = pd.configs(TEAM, SERVICE)
        await pd.bring_about(configs)
        before = {config.id: await pd.observed(config) for config in configs}
        held = pd.tool.collections
        ken = next(user for user in held["users"].everything() if user["email"] == "ken@example.com")
        own = [each for each in held["team_members"].everything() if each["user"] == ken["id"]]
        for member in own:
            member["role"] = "manager"
        for schedule in held["schedules"].everything():
            schedule["schedule_layers"][0]["users"].pop()
        next(p for p in held["escalation_policies"].everything() if p["name"] == "payments-team")["num_loops"] = 9
        next(iter(held["services"].everything()))["incident_urgency_rule"] = {"type": "constant", "urgency": "low"}
        next(iter(held["triggers"].everything()))["is_subscribed_to_all_services"] = True
        for config in configs:
            after, was = await pd.observed(config), before[config.id]
            assert after is not None
            assert was is not None
            assert after.revision != was.revision, config.id
            assert after.marked
        await pd.bring_about(configs)


LEDGER = {"name": "ledger", "owner": TRAINED}
OF_LEDGER = {"ref": "component:default/ledger", "name": "ledger", "kind": "component", "pages": True}
OF_LEDGER |= {"owner": "group:default/payments-team"}
LEANS = service_from({"owner": TRAINED, "depends_on": [OF_LEDGER]})


async def test_services_lean_on_each_other(shared: Path) -> None:
    """A life; what people said stays theirs, and a name that they changed tells us nothing new."""
    async with trial(shared, Plugin, {"dependencies": True}) as pd:
        configs = pd.configs(TEAM, service_from(LEDGER), LEANS)
        [leans] = [config for config in configs if config.id.kind == "pagerduty/service_dependency"]
        assert leans.place.path == "service_dependencies/payments needs ledger"
        await pd.bring_about(configs)
        held = pd.tool.collections
        ids = {each["name"]: each["id"] for each in held["services"].everything()}
        ends = {"dependent_service": ids["ledger"], "supporting_service": ids["payments"]}
        theirs = {name: {"id": id, "type": "service"} for name, id in ends.items()}
        ask = pd.runtime.web.tool("pagerduty", pd.tool.url, pd.plugin.authorize(pd.runtime))
        await ask.ask(Call(method="POST", path="/service_dependencies/associate", json={"relationships": [theirs]}))
        next(each for each in held["services"].everything() if each["name"] == "ledger")["name"] = "Ledger of old"
        assert (await pd.diff(leans)).action is Action.NOTHING
        strangers = {each.path for each in await pd.target.strangers("pagerduty")}
        assert "service_dependencies/ledger needs payments" in strangers
        await pd.take_away([leans])
        assert [each["supporting_service"]["id"] for each in held["service_dependencies"].everything()] == [
            ids["payments"]
        ]


async def test_a_dependency_on_a_service_that_is_not_there_names_it(shared: Path) -> None:
    async with trial(shared, Plugin, {"dependencies": True}) as pd:
        *others, leans = [c for c in pd.configs(TEAM, LEANS) if c.id.kind != "pagerduty/incident_workflow"]
        await pd.bring_about(others)
        result = await pd.apply(leans, allowed=(Outcome.FAILED,))
        assert "pagerduty has no 'ledger' among its services" in result.reason


async def test_nobody_asks_for_dependencies_unless_the_settings_do(shared: Path) -> None:
    async with trial(shared, Plugin) as pd:
        configs = pd.configs(TEAM, service_from(LEDGER), LEANS)
        pd.tool.faults.add(Fault(path="/service_dependencies*", status=500))
        await pd.bring_about(configs)
        found = await pd.target.revisions("pagerduty", None)
        assert {config.place.path for config in configs} <= found.keys()


async def test_a_create_whose_answer_is_lost_makes_one_object(shared: Path) -> None:
    for path in ("/teams", "/schedules", "/escalation_policies", "/services", "/incident_workflows"):
        async with trial(shared, Plugin) as pd:
            pd.tool.faults.add(Fault(method="POST", path=path, reset=True, commit=True))
            configs = pd.configs(TEAM, SERVICE)
            for config in configs:
                allowed = (Outcome.DONE, Outcome.FAILED, Outcome.UNKNOWN)
                result = await pd.apply(config, allowed=allowed)
                if result.outcome is not Outcome.DONE or result.reason:
                    await pd.bring_about([config])
            names = [each["name"] for each in pd.tool.collections[path[1:]].everything()]
            assert len(names) == len(set(names)), path
            await pd.bring_about(configs)
            assert all([(await pd.diff(config)).action is Action.NOTHING for config in configs])


async def test_what_is_not_ours_is_left_alone(shared: Path) -> None:
    async with trial(shared, Plugin) as pd:
        configs = pd.configs(TEAM)
        await pd.bring_about(configs)
        [config] = [each for each in configs if each.id.kind == "pagerduty/escalation_policy"]
        policy = next(
            p for p in pd.tool.collections["escalation_policies"].everything() if p["name"] == "payments-team"
        )
        policy["description"] = "by hand"
        pd.remembered.clear()
        diff = await pd.diff(config)
        assert diff.action is Action.REFUSE
        result = (await pd.target.write([msgspec.structs.replace(diff, action=Action.CREATE, actual=None)], "k"))[0]
        assert result.outcome is Outcome.FAILED
        assert "does not bear our mark" in result.reason


async def test_who_has_no_account_is_named(shared: Path) -> None:
    async with trial(shared, Plugin) as pd:
        config = pd.configs(crew("ada", "nobody"))[0]
        result = await pd.apply(config, allowed=(Outcome.FAILED,))
        assert "nobody@example.com" in result.reason


def test_a_service_that_calls_nobody_has_none() -> None:
    plugin = Plugin(Plugin.settings_type(), None)
    assert list(plugin.generate_configs(service_from({"tier": "3"}))) == []
