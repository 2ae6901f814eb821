"""The pages over a socket, on the sample organisation with something of every sort that needs somebody."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from nthlayer_sync import app as program
from nthlayer_sync.daemon.person import Person
from nthlayer_sync.demo import lay_out
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Run, RunState
from nthlayer_sync.web import api, page
from nthlayer_sync.web.auth.door import Door
from nthlayer_sync.web.server import application, listening
from tests.web.api.conftest import Site
from tests.web.api.test_unsettled import CART, edit, retier
from tests.web.conftest import Client

PAYMENTS = "component:default/payments-api"
PROPOSED = "{policy: propose}"


@asynccontextmanager
async def shown(folder: Path, serve: str = "", kubernetes: str = PROPOSED) -> AsyncIterator[Site]:
    """The daemon with its pages; it does not run, so that nothing happens that a test does not do."""
    settings = lay_out(folder)
    text = settings.read_text().replace("kubernetes: {}", f"kubernetes: {kubernetes}")
    settings.write_text(f"{text}serve: {{listen: '127.0.0.1:0'{serve}}}\n")
    made = program.App.load(settings)
    async with made.daemon("one") as daemon:
        plan = await daemon.engine.plan()
        await daemon.engine.apply(plan, daemon.store.parts(plan.id))
        found = daemon.settings.serve
        door = Door(found.access, made.web)
        app = application(daemon, api.ROUTES, door)
        api.install(app, daemon)
        page.install(app, daemon, door)
        async with AsyncExitStack() as stack, aiohttp.ClientSession() as session:
            host, port = await stack.enter_async_context(listening(app, found))
            yield Site(daemon, Client(f"http://{host}:{port}", session), folder, stack.aclose)


async def busy(site: Site) -> None:
    """Something of every sort needs somebody: an approval, drift, a pause, a run that failed."""
    engine, store, desk = site.daemon.engine, site.daemon.store, site.daemon.desk
    ref = EntityRef(PAYMENTS)
    edit(site, PAYMENTS, "prometheus/alert_rules", "severity", "importance")
    await engine.plan()
    plan = await retier(site, "3")
    await desk.pause(Person("ada", "operator"), "component:default/search", "the index moves <b>tonight</b>")
    before, now = (await store.plans())[-1][1], time.time()
    states = ((RunState.DONE, before.id, "full sync", ""), (RunState.FAILED, "", "webhook github", "GitHub said 502"),
              (RunState.RUNNING, plan.id, "asked by ada", ""))  # fmt: skip
    for turn, (state, id, trigger, error) in enumerate(states):
        begun = now - 3600 + turn * 1200
        await store.save_run(
            Run(
                id=f"{1700000000000 + turn}-abcdef{turn:02}",
                trigger=trigger,
                replica="one",
                started=begun,
                state=state,
                ended=begun + 12 if state is not RunState.RUNNING else 0.0,
                plan=id,
                subjects=(CART, ref),
                looked_at=2,
                outcomes={"done": 12} if state is RunState.DONE else {},
                waiting=2 if state is RunState.RUNNING else 0,
                error=error,
            )
        )
