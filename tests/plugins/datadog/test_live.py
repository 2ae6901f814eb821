"""Datadog's kinds against its stand-in."""

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.plugins.datadog import DatadogSettings, Plugin
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.testing import HOSTILE, hostile_services, organisation_from, service_from
from tests.plugins.live import Trial, trial


class Quick(Plugin):
    """The stand-in bears more than Datadog does."""

    manners = Manners(rate=math.inf)


HEALTH = {"url": "https://pay.example.com/health", "type": "health"}
WORDS: dict[str, Any] = {
    "title": "Payments",
    "description": "Takes money",
    "links": [HEALTH],
    "depends_on": [{"ref": "component:default/ledger", "name": "ledger", "kind": "component"}],
    "blueprint": {
        "observability": {
            "alerts": [
                {"name": "CheckoutSlow", "when": "p95 > 500ms", "for": "10m", "severity": "ticket", "summary": "Slow"}
            ]
        }
    },
}
SETTINGS = {"page": "@pagerduty-{service}", "ticket": "@slack-{team}", "backstage": "https://backstage.example.com"}
KINDS = {
    "datadog/slo": 2,
    "datadog/monitor": 10,
    "datadog/service_definition": 1,
    "datadog/synthetic_test": 1,
    "datadog/log_pipeline": 1,
}


def configs_of(dd: Trial, kind: str, words: dict[str, Any] | None = None) -> list[Config]:
    return [c for c in dd.configs(service_from(words or WORDS)) if c.id.kind == f"datadog/{kind}"]


def first(dd: Trial, collection: str) -> Any:
    return next(iter(dd.tool.collections[collection].everything()))


def changed(config: Config, **fields: Any) -> Config:
    return msgspec.structs.replace(config, spec=msgspec.structs.replace(config.spec, **fields))


async def test_a_life(shared: Path) -> None:
    async with trial(shared, Quick, SETTINGS) as dd:
        configs = dd.configs(service_from(WORDS))
        assert {kind: len(configs_of(dd, kind.partition("/")[2])) for kind in KINDS} == KINDS
        await dd.bring_about(configs)
        assert len(dd.sandbox.ledger.committed()) == len(configs)
        stricter = dd.configs(service_from(WORDS | {"title": "Paying", "links": [], "tier": "2"}))
        known = {config.id for config in configs}
        await dd.bring_about([config for config in stricter if config.id in known])
        await dd.take_away(configs)


async def test_indexes_of_tiers_stay_where_they_are(shared: Path) -> None:
    async with trial(shared, Quick) as dd:
        day = 86_400_000
        organisation = organisation_from({"retention": {"1": 365 * day, "2": 90 * day, "3": day}})
        configs = dd.configs(organisation)
        assert [config.spec.days for config in configs] == [360, 90, 3]
        await dd.bring_about(configs)
        index = dd.tool.collections["log_indexes"].get("tier-2")
        assert index is not None
        index["daily_limit"] = 5
        await dd.bring_about([changed(config, days=180) for config in configs])
        index = dd.tool.collections["log_indexes"].get("tier-2")
        assert index is not None
        assert (index["daily_limit"], index["num_retention_days"]) == (5, 180)
        assert not dd.plugin.kind("datadog/log_index").deletable


@pytest.mark.parametrize(
    ("kind", "collection", "path", "value"),
    [
        ("slo", "slos", ("thresholds", 0, "target"), 90.0),
        ("monitor", "monitors", ("message",), "never mind"),
        ("service_definition", "entities", ("schema", "metadata", "owner"), "others"),
        ("synthetic_test", "synthetic_tests", ("options", "tick_every"), 900),
        ("log_pipeline", "log_pipelines", ("processors", 0, "is_enabled"), False),
    ],
)
async def test_what_a_person_changes_is_seen(
    shared: Path, kind: str, collection: str, path: tuple[Any, ...], value: Any
) -> None:
    async with trial(shared, Quick, SETTINGS) as dd:
        await dd.bring_about([*configs_of(dd, "slo"), *configs_of(dd, kind)[:1]])
        config = configs_of(dd, kind)[0]
        before = await dd.observed(config)
        held: Any = first(dd, collection)
        for step in path[:-1]:
            held = held[step]
        held[path[-1]] = value
        after = await dd.observed(config)
        assert before is not None
        assert after is not None
        assert after.marked
        assert before.revision != after.revision
        assert before.content != after.content
        assert (await dd.diff(config)).action is Action.UPDATE
        await dd.bring_about([config])


async def test_what_people_add_stays(shared: Path) -> None:
    async with trial(shared, Quick, SETTINGS) as dd:
        configs = dd.configs(service_from(WORDS))
        await dd.bring_about(configs)
        monitor = first(dd, "monitors")
        monitor["options"]["renotify_interval"] = 60
        entity = first(dd, "entities")
        entity["schema"]["extensions"] = {"cost": "42"}
        test = first(dd, "synthetic_tests")
        test["status"] = "paused"
        test["config"]["request"]["headers"] = {"X-Canary": "1"}
        for config in configs:
            assert (await dd.diff(config)).action is Action.NOTHING
        await dd.bring_about(dd.configs(service_from(WORDS | {"title": "Paying", "tier": "2"})))
        assert dd.tool.collections["monitors"].get(str(monitor["id"]))["options"]["renotify_interval"] == 60  # type: ignore[index]
        assert first(dd, "entities")["schema"]["extensions"] == {"cost": "42"}
        test = first(dd, "synthetic_tests")
        assert (test["status"], test["config"]["request"]["headers"]) == ("paused", {"X-Canary": "1"})


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("slo", "/api/v1/slo"),
        ("monitor", "/api/v1/monitor"),
        ("synthetic_test", "/api/v1/synthetics/tests/api"),
        ("log_pipeline", "/api/v1/logs/config/pipelines"),
        ("service_definition", "/api/v2/catalog/entity"),
    ],
)
async def test_a_create_whose_answer_is_lost_makes_one_object(shared: Path, kind: str, path: str) -> None:
    async with trial(shared, Quick, SETTINGS) as dd:
        await dd.bring_about(configs_of(dd, "slo") if kind == "monitor" else [])
        before = len(dd.sandbox.ledger.committed())
        config = configs_of(dd, kind)[0]
        dd.tool.faults.add(Fault(method="POST", path=path, reset=True, commit=True))
        await dd.apply(config)
        assert (await dd.diff(config)).action is Action.NOTHING
        made = len(dd.sandbox.ledger.committed()) - before
        # The catalog puts a thing in place, so asking twice makes one.
        assert made == (2 if kind == "service_definition" else 1)


async def test_what_is_not_ours_is_left_alone(shared: Path) -> None:
    async with trial(shared, Quick) as dd:
        [config] = configs_of(dd, "service_definition")
        await dd.apply(config)
        entity = first(dd, "entities")
        entity["schema"]["metadata"]["tags"] = ["nthlayer-sync:other:payments"]
        dd.remembered.clear()
        diff = await dd.diff(config)
        assert diff.action is Action.REFUSE
        result = (await dd.target.write([msgspec.structs.replace(diff, action=Action.CREATE, actual=None)], "k"))[0]
        assert result.outcome is Outcome.FAILED
        assert "belongs to the installation 'other'" in result.reason
        entity["schema"]["apiVersion"] = "v2.2"
        entity["attributes"]["tags"] = []
        assert (await dd.diff(config)).action is Action.REFUSE


async def test_hostile_values_come_back_or_are_refused(shared: Path) -> None:
    async with trial(shared, Quick, SETTINGS) as dd:
        known: dict[str, Config] = {}
        for value in HOSTILE:
            for service in hostile_services(value):
                configs = dd.configs(service)
                known |= {config.spec.__class__.__name__ + repr(config.spec): config for config in configs}
        for config in known.values():
            kind: Any = dd.plugin.kind(config.id.kind)
            account: Any = _Names()
            body = kind.encode(config.spec, account, None)
            assert msgspec.json.decode(kind.content(config.spec)) == kind.decode(body, account)
            text = str(body.get("message", ""))
            assert text.count("@") <= 1
            assert "{{" not in text
        entities = [config for config in known.values() if config.id.kind == "datadog/service_definition"]
        for config in entities:
            await dd.bring_about([config])


class _Names:
    """An account in which an id is its name."""

    def id(self, collection: str, key: str) -> str:
        return key

    def key(self, collection: str, id: str) -> str:
        return id


@pytest.mark.parametrize("value", [value for value in HOSTILE if value and not value.startswith("http://169")])
def test_an_address_that_is_none_is_refused(value: str) -> None:
    plugin = Plugin(DatadogSettings())
    with pytest.raises(PermanentError, match=r"links: .* is no plain web address"):
        list(plugin.generate_configs(service_from({"links": [{"url": value, "type": "health"}]})))


def test_both_keys_or_none() -> None:
    with pytest.raises(ValidationError, match="go together"):
        DatadogSettings.model_validate({"api_key": "env:A"})
    with pytest.raises(ValidationError):
        DatadogSettings.model_validate({"page": "@pagerduty {{#is_alert}}"})
