"""Rules in a ruler: what comes back is what was sent, whatever the ruler makes of its form."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import yaml
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.plugins.prometheus import Plugin, PrometheusSettings
from nthlayer_sync.plugins.prometheus.ruler import canonical
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.testing import service_from
from tests.plugins.hand import Hand
from tests.plugins.mimir import TENANT, TOKEN, MimirStandIn, printed
from tests.sdk.web import QuickClock

ROOT = "prometheus:mimir"
WRONG = "# nthlayer-sync\ngroups: [{name: broken, rules: [{record: x, expr: 'sum('}]}]\n"


@pytest.fixture
async def mimir() -> MimirStandIn:
    return MimirStandIn()


@pytest.fixture
async def make(mimir: MimirStandIn, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Hand]]:
    monkeypatch.setenv("MIMIR_TOKEN", TOKEN)
    server, own = TestServer(mimir.app), Web(QuickClock())
    await server.start_server()

    def connected(instance: str = "default") -> Hand:
        url = str(server.make_url("/prometheus"))
        settings = PrometheusSettings(mimir={"url": url, "tenant": TENANT, "token": "env:MIMIR_TOKEN"})
        runtime = Runtime(None, instance, web=own)
        plugin = Plugin(settings, runtime)
        return Hand(plugin, plugin.connect(runtime))

    yield connected
    await own.close()
    await server.close()


async def test_rules_come_change_and_go(make: Callable[..., Hand], mimir: MimirStandIn) -> None:
    hand = make()
    configs = hand.configs(*(service_from({"name": name, "tier": tier}) for name, tier in (("a", "1"), ("b", "3"))))
    assert {config.place.root for config in configs} == {ROOT}
    assert set(await hand.outcomes(*await hand.plan(configs))) == {"done"}
    assert "nthlayer-sync:default:a.slo" in mimir.rules
    sent = len(mimir.writes)
    assert await hand.plan(configs) == []
    diffs = [Diff(c.id, Action.CREATE, c, None, after=hand.plugin.kind(c.id.kind).content(c.spec)) for c in configs]
    assert set(await hand.outcomes(*diffs)) == {"unchanged"}
    assert len(mimir.writes) == sent, "nothing changed, so nothing is sent"
    live = await hand.target.revisions(ROOT, None)
    assert live == {c.place.path: (await hand.observed(c)).revision for c in configs}

    changed = hand.configs(service_from({"name": "a", "tier": "3"}))
    assert set(await hand.outcomes(*await hand.plan(changed))) == {"done"}
    assert await hand.plan(changed) == []

    assert set(await hand.outcomes(*[await hand.removal(config) for config in configs])) == {"done"}
    assert mimir.rules == {}


async def test_what_is_changed_by_hand_is_seen(make: Callable[..., Hand], mimir: MimirStandIn) -> None:
    hand = make()
    config, _ = configs = hand.configs(service_from({}))
    await hand.apply(*await hand.plan(configs))
    before = await hand.observed(config)
    groups = mimir.rules["nthlayer-sync:default:payments.slo"]
    name = next(iter(groups))
    groups[name]["rules"][0]["expr"] = "vector(0.5)"
    assert (await hand.observed(config)).revision != before.revision
    [change] = await hand.plan(configs)
    groups[name]["rules"][0]["expr"] = "vector(0.6)"
    [result] = await hand.apply(change)
    assert (result.outcome, "changed since the plan" in result.reason) == ("failed", True)
    groups["by hand"] = {"name": "by hand", "rules": [{"record": "x", "expr": "1"}]}
    assert await hand.outcomes(*await hand.plan(configs)) == ["done"]
    assert "by hand" not in groups
    assert await hand.plan(configs) == []


async def test_a_rule_that_is_refused_leaves_what_was_there(make: Callable[..., Hand], mimir: MimirStandIn) -> None:
    hand = make()
    config, other = hand.configs(service_from({}))
    await hand.apply(await hand.diff(config))
    before = yaml.safe_dump(mimir.rules)
    wrong = canonical(WRONG.replace("groups: [", "groups: [{name: a, rules: [{record: y, expr: '1'}]}, "))
    bad = Diff(config.id, Action.UPDATE, config, await hand.observed(config), after=wrong)
    failed, done = await hand.apply(bad, await hand.diff(other))
    assert (failed.outcome, "could not parse expression" in failed.reason) == ("failed", True)
    assert done.outcome == "done"
    await hand.apply(await hand.removal(other))
    assert yaml.safe_dump(mimir.rules) == before


async def test_a_limit_of_the_ruler_is_told(make: Callable[..., Hand], mimir: MimirStandIn) -> None:
    hand = make()
    mimir.most_groups = 1
    config, _ = hand.configs(service_from({}))
    [result] = await hand.apply(await hand.diff(config))
    assert (result.outcome, "groups limit" in result.reason) == ("failed", True)
    assert mimir.rules == {}


async def test_an_answer_that_is_lost_does_no_harm(make: Callable[..., Hand], mimir: MimirStandIn) -> None:
    hand = make()
    configs = hand.configs(service_from({}))
    mimir.lost = [502, 504]
    assert await hand.outcomes(*await hand.plan(configs)) == ["done", "done"], "sent again, which changes nothing"
    assert await hand.plan(configs) == []


async def test_a_ruler_that_stays_away_leaves_it_open(make: Callable[..., Hand], mimir: MimirStandIn) -> None:
    hand = make()
    config, _ = hand.configs(service_from({}))
    mimir.lost = [500] * 100
    assert await hand.outcomes(await hand.diff(config)) == ["unknown"]
    mimir.lost = []
    assert await hand.outcomes(*await hand.plan([config])) == ["done"]


async def test_what_is_not_ours_stays(make: Callable[..., Hand], mimir: MimirStandIn) -> None:
    for name in ("payments", "nthlayer-sync:default:eu:payments.slo", "nthlayer-sync:other:payments.slo"):
        mimir.rules[name] = {"theirs": {"name": "theirs", "rules": [{"record": "x", "expr": "1"}]}}
    before = yaml.safe_dump(mimir.rules)
    hand = make()
    assert await hand.target.revisions(ROOT, None) == {}
    configs = hand.configs(*(service_from({"name": f"s{n}"}) for n in range(15)))
    assert set(await hand.outcomes(*await hand.plan(configs))) == {"done"}
    assert len(await hand.target.revisions(ROOT, [config.place.path for config in configs])) == 30
    assert set(await hand.outcomes(*[await hand.removal(config) for config in configs])) == {"done"}
    assert yaml.safe_dump(mimir.rules) == before


async def test_the_token_is_in_no_error(make: Callable[..., Hand], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIMIR_TOKEN", "canary-wrong-token")
    with pytest.raises(Exception, match="unauthorized") as caught:
        await make().target.revisions(ROOT, None)
    assert "canary" not in str(caught.value)


HOSTILE = ['a"b', "a\\b", "{{ .x }}", "a\nb", "é漢😀", "../..", "a/b", "%2e%2e", "yes", "0x10", "#", "a: b", "x" * 200]


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_come_back(make: Callable[..., Hand], mimir: MimirStandIn, name: str) -> None:
    hand = make()
    configs = hand.configs(service_from({"name": name}))
    assert configs
    assert set(await hand.outcomes(*await hand.plan(configs))) == {"done"}
    assert await hand.plan(configs) == []
    assert all(key.startswith("nthlayer-sync:default:") for key in mimir.rules)
    assert set(await hand.outcomes(*[await hand.removal(config) for config in configs])) == {"done"}


@given(st.integers(min_value=0, max_value=400 * 86_400))
def test_durations_come_back(seconds: int) -> None:
    def file(span: str) -> str:
        rule: dict[str, Any] = {"alert": "a", "expr": "1", "for": span, "labels": {"b": "1", "a": "2"}}
        return yaml.safe_dump({"groups": [{"name": "a", "rules": [rule]}]})

    assert canonical(file(f"{seconds}s")) == canonical(file(printed(f"{seconds}s")))
