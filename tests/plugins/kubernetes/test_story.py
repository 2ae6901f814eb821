"""The whole engine with a cluster: plan, apply, edits by hand, undo."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.reading import Setup
from nthlayer_sync.engine.run import Engine, Request
from nthlayer_sync.state.sqlite import SqliteStore
from tests.faults.house import TIERS, Catalog, says, service
from tests.plugins.hand import Hand
from tests.plugins.kubernetes.conftest import Cluster

HPA = "/apis/autoscaling/v2/namespaces/payments/horizontalpodautoscalers/payments"


def payments(**annotations: str) -> Any:
    entity = service("payments")
    own = {"backstage.io/kubernetes-namespace": "payments"}
    return msgspec.structs.replace(entity, annotations=entity.annotations | own | annotations)


class Story:
    """An organisation of one service."""

    def __init__(self, folder: Path, connect: Callable[..., Hand]) -> None:
        self.catalog = Catalog(says([payments()]))
        self._folder = folder
        self._connect = connect

    @asynccontextmanager
    async def engine(self, **settings: Any) -> AsyncIterator[Engine]:
        generator = Generator([self._connect(**settings).plugin])
        async with SqliteStore(self._folder / "state.db") as store:
            yield Engine(Setup("acme", TIERS), [self.catalog], generator, store)

    async def plan(self, **settings: Any) -> dict[str, tuple[str, str]]:
        """What is to be done, by collection, with the reason."""
        async with self.engine(**settings) as engine:
            plan = await engine.plan()
            return {
                change.place.path.partition("/")[0]: (str(change.action), change.reason)
                async for part in engine.store.parts(plan.id)
                for change in part.changes
                if change.action != "nothing"
            }

    async def run(self, request: Request = Request(), **settings: Any) -> list[str]:
        """Plan and apply; what failed."""
        async with self.engine(**settings) as engine:
            plan = await engine.plan(request)
            assert not plan.refusals
            results = await engine.apply(plan, engine.store.parts(plan.id))
            return [result.reason for result in results if not result.made]


async def test_the_story(tmp_path: Path, connect: Callable[..., Hand], cluster: Cluster) -> None:
    story = Story(tmp_path, connect)
    assert {action for action, _ in (await story.plan()).values()} == {"create"}
    assert await story.run() == []
    assert await story.plan() == {}
    assert len(cluster.changed()) == 6  # no network policy: nobody asked for one

    await cluster.edit(HPA, {"spec": {"minReplicas": 7}})
    assert await story.plan() == {"hpa": ("keep", "drift: it was changed by hand")}
    assert await story.run() == []
    assert (await cluster.ask("GET", HPA))["spec"]["minReplicas"] == 7
    assert await story.run(drift="enforce") == []
    assert (await cluster.ask("GET", HPA))["spec"]["minReplicas"] == 3
    assert await story.plan() == {}

    await cluster.edit(HPA, {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}})
    assert (await story.plan())["hpa"][0] in ("keep", "refuse")
    await cluster.edit(HPA, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "nthlayer-sync"}}})
    assert await story.plan() == {}

    story.catalog.said = says([payments(**{"nthlayer.dev/tier": "2"})])
    assert {action for action, _ in (await story.plan()).values()} == {"update"}
    assert await story.run() == []
    assert await story.plan() == {}
    async with story.engine() as engine:
        plan, _ = (await engine.store.undoable(1))[0]
        assert [result.reason for result in await engine.undo(plan) if not result.made] == []
    assert (await cluster.ask("GET", HPA))["spec"]["minReplicas"] == 3

    story.catalog.said = says([service("other")])
    gone = frozenset({service("payments").ref})
    await story.run(Request(Consent(deletes=9), gone=gone), drift="enforce")
    kept = {item["metadata"]["name"] for items in cluster.tool.snapshot().values() for item in items}
    assert kept == {"other"}
