"""A stand-in of an API server, every exchange with which is held against the specification, and the plugin for it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from nthlayer_sync.plugins.kubernetes import KubernetesSettings, Plugin
from nthlayer_sync.sandbox import Sandbox
from nthlayer_sync.sdk.http import Manners, Web
from nthlayer_sync.sdk.runtime import Runtime
from tests.plugins.hand import Hand
from tests.sandbox.oracle import Oracle


class Cluster:
    """The stand-in, and what people do to it past us."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.tool: Any = sandbox.kubernetes
        self.tool.namespaces |= {"default", "payments", "shop"}
        self.writes = sandbox.ledger.entries
        self._session = session

    async def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {self.tool.token}", "Content-Type": kind}
        async with self._session.request(method, self.tool.url + path, json=body, headers=headers) as answer:
            return await answer.json()

    async def edit(self, path: str, patch: Any, manager: str = "kubectl-edit") -> Any:
        """A person's edit."""
        return await self.ask("PATCH", f"{path}?fieldManager={manager}", patch, "application/merge-patch+json")

    def changed(self) -> list[str]:
        """Every write so far that changed something."""
        return [
            f"{entry.method} {entry.path.rpartition('/')[0].rpartition('/')[2]}"
            for entry in self.writes
            if entry.committed
        ]


@pytest.fixture
async def cluster(shared: Path) -> AsyncIterator[Cluster]:
    async with Sandbox(["kubernetes"], empty=True) as sandbox, aiohttp.ClientSession() as session:
        with Oracle(shared, sandbox):
            yield Cluster(sandbox, session)


@pytest.fixture
async def connect(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Hand]]:
    """Makes the plugin, with a target in the stand-in."""
    webs: list[Web] = []
    monkeypatch.setenv("NTHLAYER_TEST_KUBERNETES", cluster.tool.token)
    # One try: what is not answered is not waited for.
    monkeypatch.setattr("nthlayer_sync.sdk.kubernetes.connection._MANNERS", Manners(rate=1e6, burst=1000, tries=1))

    def make(instance: str = "default", **settings: Any) -> Hand:
        web = Web()
        webs.append(web)
        where = {"url": cluster.tool.url, "token": "env:NTHLAYER_TEST_KUBERNETES"}
        plugin = Plugin(
            KubernetesSettings.model_validate({"cluster": where} | settings),
            Runtime(files=None, instance=instance, web=web),  # type: ignore[arg-type]
        )
        assert plugin.live is not None
        return Hand(plugin, plugin.live)

    yield make
    for web in webs:
        await web.close()
