"""A real Prometheus loads what we write into its folder; a rule that it does not load is put back, alone."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.plugins.prometheus import Plugin, PrometheusSettings
from nthlayer_sync.sdk.folder import PENDING, Folder
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.reload import EVERY, Reloaded
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.testing import service_from
from nthlayer_sync.sdk.texts import TextTarget
from tests.plugins.hand import Hand
from tests.plugins.running import free_address, running
from tests.sdk.web import QuickClock

ROOT = "prometheus:server"


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    own = Web(QuickClock())
    yield Runtime(None, web=own)
    await own.close()


@pytest.fixture
async def server(tool: Callable[[str], str], tmp_path: Path) -> AsyncIterator[str]:
    """Prometheus, loading the folder `rules`."""
    (tmp_path / "rules").mkdir()
    config = {"rule_files": [f"{tmp_path}/rules/*.rules.yaml"]}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = free_address()
    command = [
        tool("prometheus"),
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address={address}",
        "--web.enable-lifecycle",
    ]
    with running(command, address, tmp_path / "log") as url:
        yield url


def ask(url: str, path: str) -> Any:
    with urlopen(f"{url}/api/v1/{path}", timeout=5) as answer:
        return json.load(answer)["data"]


def groups(url: str) -> set[str]:
    return {group["name"] for group in ask(url, "rules")["groups"]}


def reloads(log: Path) -> int:
    return log.read_text().count("Loading configuration file")


def make(url: str, folder: Path, runtime: Runtime) -> Hand:
    settings = PrometheusSettings(server={"url": url, "directory": folder})
    plugin = Plugin(settings, runtime)
    hand = Hand(plugin, plugin.connect(runtime))
    hand.target._texts._clock = QuickClock()
    return hand


async def test_rules_are_loaded_and_go(server: str, tmp_path: Path, runtime: Runtime) -> None:
    hand = make(server, tmp_path / "rules", runtime)
    configs = hand.configs(*(service_from({"name": name}) for name in ("payments", "ledger", "search")))
    assert {config.place.root for config in configs} == {ROOT}
    assert len(configs) == 6, "rules only: tests have no rule file to stand beside"
    before = reloads(tmp_path / "log")
    assert set(await hand.outcomes(*await hand.plan(configs))) == {"done"}
    assert reloads(tmp_path / "log") == before + 1, "one reload for all"
    assert "component:default/payments availability" in groups(server)

    assert await hand.plan(configs) == []
    diffs = [Diff(c.id, Action.CREATE, c, None, after=hand.plugin.kind(c.id.kind).content(c.spec)) for c in configs]
    assert set(await hand.outcomes(*diffs)) == {"unchanged"}
    assert reloads(tmp_path / "log") == before + 1, "nothing changed, so nothing is loaded"

    live = await hand.target.revisions(ROOT, None)
    assert live.keys() == {config.place.path for config in configs}
    assert set(await hand.outcomes(*[await hand.removal(config) for config in configs[:2]])) == {"done"}
    assert "component:default/payments availability" not in groups(server)
    assert "component:default/ledger availability" in groups(server)
    assert not (tmp_path / "rules" / PENDING).exists()


async def test_a_rule_that_is_not_loaded_is_put_back_alone(server: str, tmp_path: Path, runtime: Runtime) -> None:
    folder = tmp_path / "rules"
    hand = make(server, folder, runtime)
    configs = hand.configs(*(service_from({"name": f"service-{n}"}) for n in range(6)))
    await hand.apply(*await hand.plan(configs[:4]))
    changes = await hand.plan(configs[4:])
    bad = [0, 3]
    wrong = "# nthlayer-sync\ngroups: [{name: broken, rules: [{record: x, expr: 'sum('}]}]\n"
    for index in bad:
        changes[index] = Diff(changes[index].id, Action.CREATE, changes[index].desired, None, after=wrong)
    results = await hand.apply(*changes)
    assert [index for index, result in enumerate(results) if result.outcome == "failed"] == bad
    assert {str(result.outcome) for index, result in enumerate(results) if index not in bad} == {"done"}
    assert "HTTP 500" in results[0].reason
    files = {path.name for path in folder.iterdir()}
    assert files == {f"{c.place.path.partition('/')[2]}.rules.yaml" for c in configs} - {
        f"{changes[index].desired.place.path.partition('/')[2]}.rules.yaml" for index in bad
    }
    assert ask(server, "status/runtimeinfo")["reloadConfigSuccess"]
    assert "service-5" in str(groups(server))

    updated = await hand.observed(configs[0])
    text = (folder / "service-0.slo.rules.yaml").read_text()
    change = Diff(configs[0].id, Action.UPDATE, configs[0], updated, after=wrong)
    assert await hand.outcomes(change) == ["failed"]
    assert (folder / "service-0.slo.rules.yaml").read_text() == text
    assert ask(server, "status/runtimeinfo")["reloadConfigSuccess"]


async def test_what_was_broken_before_is_not_our_fault(server: str, tmp_path: Path, runtime: Runtime) -> None:
    folder = tmp_path / "rules"
    hand = make(server, folder, runtime)
    (folder / "theirs.rules.yaml").write_text("groups: 7")
    configs = hand.configs(service_from({}))
    with pytest.raises(TemporaryError, match="does not load what it had before"):
        await hand.apply(*await hand.plan(configs))
    assert [path.name for path in folder.iterdir()] == ["theirs.rules.yaml"]


async def test_files_of_others_stay(server: str, tmp_path: Path, runtime: Runtime) -> None:
    folder = tmp_path / "rules"
    hand = make(server, folder, runtime)
    config, other = hand.configs(service_from({}))
    (folder / "payments.slo.rules.yaml").write_text("groups: []\n")
    (tmp_path / "elsewhere").write_text("groups: []\n# nthlayer-sync\n")
    os.symlink(tmp_path / "elsewhere", folder / "payments.alerts.rules.yaml")
    for each in (config, other):
        diff = await hand.diff(each)
        assert diff.action is Action.REFUSE
        [result] = await hand.apply(Diff(each.id, Action.CREATE, each, None, after="# nthlayer-sync\ngroups: []\n"))
        assert (result.outcome, "mark" in result.reason) == ("failed", True)
    assert (tmp_path / "elsewhere").read_text() == "groups: []\n# nthlayer-sync\n"


async def test_without_the_lifecycle_api_nothing_is_left(tool: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "prometheus.yml").write_text("")
    address = free_address()
    command = [tool("prometheus"), f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    own = Web(QuickClock())
    with running([*command, f"--web.listen-address={address}"], address, tmp_path / "log") as url:
        hand = make(url, tmp_path / "rules", Runtime(None, web=own))
        [result, _] = await hand.apply(*await hand.plan(hand.configs(service_from({}))))
        assert (result.outcome, "Lifecycle API is not enabled" in result.reason) == ("failed", True)
    [result, _] = await hand.apply(*await hand.plan(hand.configs(service_from({}))))
    assert (result.outcome, result.temporary) == ("failed", True), "nobody is there"
    assert not list((tmp_path / "rules").iterdir())
    await own.close()


class Server:
    """Answers reloads as a test says."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.reloads = 0
        self.held: asyncio.Event | None = None
        """Set when a reload arrives, which is then never answered."""

    async def reload(self, request: web.Request) -> web.Response:
        self.reloads += 1
        if self.held:
            self.held.set()
            await asyncio.Event().wait()
        return web.Response(status=self.answers.pop(0) if self.answers else 200, text="said")


@pytest.fixture
async def stub(tmp_path: Path) -> AsyncIterator[tuple[Server, TextTarget, QuickClock]]:
    server, app = Server(), web.Application()
    app.router.add_post("/-/reload", server.reload)
    listening, own, clock = TestServer(app), Web(QuickClock()), QuickClock()
    await listening.start_server()
    (tmp_path / "rules").mkdir()
    folder = Folder(tmp_path / "rules", ".rules.yaml")
    tool = own.tool("prometheus", str(listening.make_url("")))
    yield server, TextTarget("prometheus", "server", Reloaded("rules", folder, tool, clock)), clock
    await own.close()
    await listening.close()


async def test_reloads_keep_a_minute_apart(stub: tuple[Server, TextTarget, QuickClock], runtime: Runtime) -> None:
    server, target, clock = stub
    hand = Hand(Plugin(PrometheusSettings(server={"url": "http://x", "directory": "/x"}), runtime), target)
    for name in ("a", "b", "c"):
        assert set(await hand.outcomes(*await hand.plan(hand.configs(service_from({"name": name}))))) == {"done"}
    assert server.reloads == 3
    assert [seconds for seconds in clock.slept if seconds] == [EVERY, EVERY]


async def test_an_answer_that_is_lost_is_looked_into(
    stub: tuple[Server, TextTarget, QuickClock], tmp_path: Path, runtime: Runtime
) -> None:
    server, target, _ = stub
    hand = Hand(Plugin(PrometheusSettings(server={"url": "http://x", "directory": "/x"}), runtime), target)
    configs = hand.configs(service_from({}))
    server.answers = [502]
    changes = await hand.plan(configs)
    assert await hand.outcomes(*changes) == ["unknown", "unknown"]
    assert (tmp_path / "rules" / "payments.slo.rules.yaml").exists()
    assert await hand.target.revisions(ROOT, None) == {}, "what the server may not have is not there"
    assert await hand.outcomes(*await hand.plan(configs)) == ["done", "done"]
    assert await hand.plan(configs) == []


async def test_a_killed_writer_is_put_right(
    stub: tuple[Server, TextTarget, QuickClock], tmp_path: Path, runtime: Runtime
) -> None:
    server, target, _ = stub
    folder = tmp_path / "rules"
    hand = Hand(Plugin(PrometheusSettings(server={"url": "http://x", "directory": "/x"}), runtime), target)
    first = hand.configs(service_from({}))
    await hand.apply(*await hand.plan(first))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    second = hand.configs(service_from({"tier": "3"}), service_from({"name": "new"}))
    server.held = asyncio.Event()
    writing = asyncio.create_task(hand.apply(*await hand.plan(second)))
    await server.held.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert {path.name: path.read_bytes() for path in folder.iterdir()} != before
    server.held = None
    assert await hand.plan(first) == [], "it is seen as the server has it"
    third = hand.configs(service_from({"name": "third"}))
    await hand.apply(*await hand.plan(third))
    now = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name: now[name] for name in before} == before
    assert not [name for name in now if name.startswith(("new", "."))]


def test_rules_go_to_one_place_only() -> None:
    with pytest.raises(ValueError, match="not to both"):
        PrometheusSettings(
            server={"url": "http://localhost:9090", "directory": "/rules"}, mimir={"url": "http://localhost:9009"}
        )


async def test_a_path_never_leads_elsewhere(stub: tuple[Server, TextTarget, QuickClock]) -> None:
    _, target, _ = stub
    for path in ("rules/../x", "rules/.hidden", "rules/a/b"):
        with pytest.raises(PermanentError):
            await target.revisions(ROOT, [path])
