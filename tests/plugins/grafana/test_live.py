"""Grafana's kinds against its stand-in."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.plugins.grafana import GrafanaSettings, Plugin
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.testing import HOSTILE, hostile_services, service_from
from nthlayer_sync.yaml.emit import dump
from tests.plugins.live import Trial, trial


class Quick(Plugin):
    """The stand-in bears more than we ask of a Grafana."""

    manners = Manners(rate=math.inf)


SETTINGS = {"source": "prometheus", "backstage": "https://backstage.example.com"}
SLO = "/api/plugins/grafana-slo-app/resources/v1/slo"


def first(grafana: Trial, collection: str) -> Any:
    return next(iter(grafana.tool.collections[collection].everything()))


async def test_a_life(shared: Path) -> None:
    async with trial(shared, Quick, SETTINGS) as grafana:
        configs = grafana.configs(service_from({}))
        assert [config.id.kind for config in configs] == ["grafana/dashboard", "grafana/slo", "grafana/slo"]
        await grafana.bring_about(configs)
        assert len(grafana.sandbox.ledger.committed()) == 3
        assert not first(grafana, "slos")["alerting"]
        await grafana.bring_about(grafana.configs(service_from({"title": "Paying", "tier": "2"}))[:2])
        await grafana.take_away(configs)


def test_one_place_or_the_other() -> None:
    service = service_from({})
    files = [c for c in Plugin(GrafanaSettings()).generate_configs(service) if c.id.kind == "grafana/dashboard"]
    live = Plugin(GrafanaSettings.model_validate({"url": "https://g.example.com", "token": "env:TOKEN"}))
    connected = [c for c in live.generate_configs(service) if c.id.kind == "grafana/dashboard"]
    assert [config.place.path for config in files] == ["default/payments/grafana/dashboard.json"]
    assert [config.place.root for config in connected] == ["grafana"]
    with pytest.raises(ValidationError, match="go together"):
        GrafanaSettings.model_validate({"url": "https://g.example.com"})


async def test_a_dashboard_stays_in_its_folder_with_what_people_set(shared: Path) -> None:
    async with trial(shared, Quick, SETTINGS) as grafana:
        [config, *_] = grafana.configs(service_from({}))
        await grafana.apply(config)
        held = first(grafana, "dashboards")
        folders = grafana.tool.collections["folders"]
        folder = folders.add({"id": 7, "uid": "team", "title": "Team", "url": "/dashboards/f/team/team"})
        held["folderUid"] = folder["uid"]
        held["dashboard"]["weekStart"] = "monday"
        assert (await grafana.diff(config)).action is Action.NOTHING
        [changed, *_] = grafana.configs(service_from({"title": "Paying"}))
        await grafana.bring_about([changed])
        held = first(grafana, "dashboards")
        assert (held["folderUid"], held["dashboard"]["weekStart"], held["version"]) == ("team", "monday", 2)


async def test_what_a_person_changes_is_seen(shared: Path) -> None:
    async with trial(shared, Quick, SETTINGS) as grafana:
        configs = grafana.configs(service_from({}))
        await grafana.bring_about(configs)
        before = [await grafana.observed(config) for config in configs]
        first(grafana, "dashboards")["dashboard"]["panels"].pop()
        for slo in grafana.tool.collections["slos"].everything():
            slo["objectives"][0]["value"] = 0.5
        after = [await grafana.observed(config) for config in configs]
        for old, new in zip(before, after, strict=True):
            assert old is not None
            assert new is not None
            assert new.marked
            assert old.revision != new.revision
            assert old.content != new.content
        await grafana.bring_about(configs)


async def test_a_save_that_came_in_between_is_not_lost(shared: Path) -> None:
    async with trial(shared, Quick, SETTINGS) as grafana:
        [config, *_] = grafana.configs(service_from({}))
        await grafana.apply(config)
        [changed, *_] = grafana.configs(service_from({"title": "Paying"}))
        diff = await grafana.diff(changed)
        grafana.tool.faults.add(
            Fault(method="POST", path="/api/dashboards/db", status=412, body={"message": "changed by someone else"})
        )
        [result] = await grafana.target.write([diff], "k")
        assert (result.outcome, result.temporary) == (Outcome.FAILED, True)
        assert "plan again" in result.reason
        first(grafana, "dashboards")["dashboard"]["panels"].pop()
        [result] = await grafana.target.write([diff], "k")
        assert (result.outcome, result.temporary) == (Outcome.FAILED, True)
        assert "changed since the plan" in result.reason


@pytest.mark.parametrize(("number", "path"), [(0, "/api/dashboards/db"), (1, SLO)])
async def test_a_create_whose_answer_is_lost_makes_one_object(shared: Path, number: int, path: str) -> None:
    async with trial(shared, Quick, SETTINGS) as grafana:
        config = grafana.configs(service_from({}))[number]
        grafana.tool.faults.add(Fault(method="POST", path=path, reset=True, commit=True))
        await grafana.apply(config)
        assert len(grafana.sandbox.ledger.committed()) == 1
        assert (await grafana.diff(config)).action is Action.NOTHING


async def test_what_is_not_ours_is_left_alone(shared: Path) -> None:
    async with trial(shared, Quick, SETTINGS) as grafana:
        configs = grafana.configs(service_from({}))[:2]
        await grafana.bring_about(configs)
        dashboard = first(grafana, "dashboards")["dashboard"]
        dashboard["tags"] = [tag.replace(":default", ":other") for tag in dashboard["tags"]]
        first(grafana, "slos")["description"] = "by hand"
        grafana.remembered.clear()
        for config in configs:
            diff = await grafana.diff(config)
            assert diff.action is Action.REFUSE
            asked = msgspec.structs.replace(diff, action=Action.CREATE, actual=None)
            [result] = await grafana.target.write([asked], "k")
            assert result.outcome is Outcome.FAILED
            assert "is there already" in result.reason


async def test_hostile_values_come_back(shared: Path) -> None:
    async with trial(shared, Quick, SETTINGS) as grafana:
        for value in HOSTILE[::4]:
            for service in list(hostile_services(value))[:6]:
                await grafana.bring_about(grafana.configs(service))


@pytest.mark.parametrize("value", [value for value in HOSTILE if value.strip()])
def test_slos_are_promql_in_which_grafana_finds_only_its_window(
    value: str, accepted: Callable[..., str], tmp_path: Path
) -> None:
    words = {"name": value, "blueprint": {"observability": {"slo": {"latency_p50": "1s"}}}}
    configs = Plugin(GrafanaSettings(source="x")).generate_configs(service_from(words))
    queries = [config.spec.query for config in configs if config.id.kind == "grafana/slo"]  # type: ignore[attr-defined]
    assert len(queries) == 3
    assert all(query.count("$") == query.count("$__rate_interval]") for query in queries)
    rules = [{"record": f"q{i}", "expr": query.replace("$__rate_interval", "5m")} for i, query in enumerate(queries)]
    (tmp_path / "rules.yaml").write_text(dump({"groups": [{"name": "x", "rules": rules}]}))
    accepted("promtool", "check", "rules", tmp_path / "rules.yaml")
