"""The configuration in a real Alertmanager that loads a folder, and in a stand-in for Mimir's."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from aiohttp.test_utils import TestServer

from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.plugins.alertmanager import AlertmanagerSettings, Plugin
from nthlayer_sync.plugins.alertmanager.mimir import Inserted
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sdk.testing import organisation_from
from tests.plugins.hand import Hand
from tests.plugins.mimir import TENANT, TOKEN, MimirStandIn
from tests.plugins.running import free_address, running
from tests.sdk.web import QuickClock

MAIL = {"smarthost": "smtp.example.com:587", "sender": "alerts@example.com", "username": "alerts"}
SLACK = "https://hooks.slack.com/services/T0/B0/canary-slack"
GOLDEN = sorted(Path(__file__).parent.glob("route/*/then.yaml"))


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    own = Web(QuickClock())
    yield own
    await own.close()


def connected(web: Web, **settings: Any) -> Hand:
    runtime = Runtime(None, web=web)
    plugin = Plugin(AlertmanagerSettings(**settings), runtime)
    return Hand(plugin, plugin.connect(runtime))


def fetched(url: str) -> str:
    with urlopen(url, timeout=5) as answer:
        return answer.read().decode()


async def test_a_real_alertmanager_loads_it(tool: Callable[[str], str], tmp_path: Path, web: Web) -> None:
    (tmp_path / "slack").write_text(SLACK)
    folder = tmp_path / "config"
    folder.mkdir()
    file = folder / "alertmanager.yaml"
    file.write_text("# nthlayer-sync\nroute: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    address = free_address()
    command = [tool("prometheus-alertmanager"), f"--config.file={file}", f"--storage.path={tmp_path}/data"]
    log = tmp_path / "log"
    with running([*command, f"--web.listen-address={address}", "--cluster.listen-address="], address, log) as url:
        server = {"url": url, "directory": folder}
        hand = connected(web, server=server, slack_api_url_file=str(tmp_path / "slack"))
        hand.target._texts._clock = QuickClock()
        [config] = hand.configs(organisation_from({}))
        assert (config.place.root, config.place.path) == ("alertmanager:server", "config/alertmanager")
        assert await hand.outcomes(*await hand.plan([config])) == ["done"]
        loaded = json.loads(fetched(f"{url}/api/v2/status"))["config"]["original"]
        assert 'owner="group:default/payments-team"' in loaded
        before, text = log.read_text().count("Loading configuration file"), file.read_text()
        assert await hand.plan([config]) == []
        blind = Diff(
            config.id, Action.CREATE, config, None, after=hand.plugin.kind(config.id.kind).content(config.spec)
        )
        assert await hand.outcomes(blind) == ["unchanged"]
        assert log.read_text().count("Loading configuration file") == before

        wrong = "# nthlayer-sync\nroute: {receiver: missing}\nreceivers: [{name: nobody}]\n"
        [result] = await hand.apply(Diff(config.id, Action.UPDATE, config, await hand.observed(config), after=wrong))
        assert (result.outcome, 'undefined receiver "missing"' in result.reason) == ("failed", True), result.reason
        assert file.read_text() == text
        assert "alertmanager_config_last_reload_successful 1" in fetched(f"{url}/metrics")


@pytest.fixture
async def mimir(web: Web, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[MimirStandIn, Hand]]:
    for name, value in (("TOKEN", TOKEN), ("SLACK", SLACK), ("SMTP", "canary: smtp # x")):
        monkeypatch.setenv(f"MIMIR_{name}", value)
    stand_in = MimirStandIn()
    server = TestServer(stand_in.app)
    await server.start_server()
    chosen = {
        "url": str(server.make_url("")),
        "tenant": TENANT,
        "token": "env:MIMIR_TOKEN",
        "slack_api_url": "env:MIMIR_SLACK",
        "smtp_password": "env:MIMIR_SMTP",
    }
    yield stand_in, connected(web, mimir=chosen, mail=MAIL)
    await server.close()


async def test_mimir_gets_secrets_and_nobody_else(mimir: tuple[MimirStandIn, Hand]) -> None:
    stand_in, hand = mimir
    [config] = hand.configs(organisation_from({}))
    changes = await hand.plan([config])
    results = await hand.apply(*changes)
    assert results[0].outcome == "done", results
    assert SLACK in stand_in.alerts["alertmanager_config"]
    assert "canary: smtp # x" in stand_in.alerts["alertmanager_config"]
    observed = await hand.observed(config)
    assert "canary" not in str((changes, results, observed))
    assert await hand.plan([config]) == []
    assert len(stand_in.writes) == 1
    await hand.apply(await hand.removal(config))
    assert stand_in.alerts == {}


async def test_templates_of_people_are_kept(mimir: tuple[MimirStandIn, Hand]) -> None:
    stand_in, hand = mimir
    [config] = hand.configs(organisation_from({}))
    await hand.apply(*await hand.plan([config]))
    stand_in.alerts["template_files"] = {"theirs.tmpl": '{{ define "x" }}{{ end }}'}
    stand_in.alerts["alertmanager_config"] += "# by hand\n"
    await hand.apply(*await hand.plan([config]))
    assert stand_in.alerts["template_files"] == {"theirs.tmpl": '{{ define "x" }}{{ end }}'}
    assert "by hand" not in stand_in.alerts["alertmanager_config"]


async def test_a_configuration_of_others_is_left_alone_and_not_shown(mimir: tuple[MimirStandIn, Hand]) -> None:
    stand_in, hand = mimir
    stand_in.alerts = {"alertmanager_config": "route: {receiver: a}\nreceivers: [{name: a, url: https://canary}]\n"}
    [config] = hand.configs(organisation_from({}))
    diff = await hand.diff(config)
    assert diff.action is Action.REFUSE
    assert "canary" not in str(await hand.observed(config))
    assert stand_in.writes == []


async def test_what_mimir_refuses_is_told_without_the_secret(mimir: tuple[MimirStandIn, Hand]) -> None:
    stand_in, hand = mimir
    [config] = hand.configs(organisation_from({}))
    wrong = "# nthlayer-sync\nglobal:\n  slack_api_url_file: x\nroute: {receiver: missing}\nreceivers: [{name: a}]\n"
    [result] = await hand.apply(Diff(config.id, Action.CREATE, config, None, after=wrong))
    assert (result.outcome, "undefined receiver" in result.reason) == ("failed", True)
    assert "canary" not in str(result)
    assert stand_in.alerts == {}


@pytest.mark.parametrize("text", [path.read_text() for path in GOLDEN], ids=[path.parent.name for path in GOLDEN])
async def test_secrets_go_in_and_come_out_again(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for secret in (SLACK, "canary", 'canary"\\', "canary: # x", "${canary}", "\\1 canary", "- canary"):
        monkeypatch.setenv("ONE", secret)
        settings = AlertmanagerSettings()
        inserted = Inserted({"slack_api_url": "env:ONE"}, {"slack_api_url": settings.slack_api_url_file}, Secrets())
        put_in = await inserted.put_in(text)
        assert "canary" in put_in
        assert inserted.take_out(put_in) == text


@pytest.mark.parametrize(
    "text",
    [
        "    routing_key: canary\n",
        "      - api_url: 'https://canary'\n",
        "  smtp_auth_password: |\n    canary\n    canary\nroute:\n",
        '  "slack_api_url" : "canary"\n',
        "        credentials: >-\n          canary\n        other: 1\n",
        "  password: !!str canary\n",
    ],
)
def test_what_people_write_by_hand_is_not_shown_where_it_is_secret(text: str) -> None:
    assert "canary" not in Inserted({"slack_api_url": "env:X"}, {"slack_api_url": "/x"}, Secrets()).take_out(text)
