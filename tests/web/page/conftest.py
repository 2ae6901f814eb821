"""The pages over a socket, on the sample organisation with something of every sort that needs somebody."""

import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

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


TOKENS = {"viewer": "look", "operator": "operate", "admin": "rule"}
ACCESS = ", ".join(
    f"{{name: {role}, role: {role}, sha256: {sha256(text.encode()).hexdigest()}}}" for role, text in TOKENS.items()
)
GUARDED = f", access: {{tokens: [{ACCESS}]}}"
"""Settings of a daemon that takes these tokens."""


@dataclass
class Found(HTMLParser):
    """What a page holds that a browser would act on."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def of(self, name: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of a name."""
        return [attributes for tag, attributes in self.tags if tag == name]

    @property
    def text(self) -> str:
        return "".join(self.words)


@dataclass
class Browser:
    """Somebody without JavaScript: keeps cookies, and sends forms as a browser does."""

    site: Site
    session: aiohttp.ClientSession

    async def get(self, path: str, **more: str) -> tuple[int, Found, str]:
        """A page: its status, what it holds, and where it was found in the end."""
        headers = {"Accept": "text/html", **{name.replace("_", "-"): value for name, value in more.items()}}
        async with self.session.get(URL(self.site.client.url + path, encoded=True), headers=headers) as answer:
            return answer.status, Found(await answer.text()), str(answer.url.relative())

    async def send(self, path: str, fields: dict[str, str | list[str]], **more: str) -> tuple[int, Found, str]:
        """A form, with the proof that the last page put into it."""
        headers = {"Accept": "text/html", "Origin": self.site.client.url} | {
            name.replace("_", "-"): value for name, value in more.items()
        }
        body = urlencode({"csrf": await self.csrf(), **fields}, doseq=True)
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        async with self.session.post(self.site.client.url + path, data=body, headers=headers) as answer:
            return answer.status, Found(await answer.text()), str(answer.url.relative())

    async def csrf(self) -> str:
        """The proof that forms carry now."""
        _, found, _ = await self.get("/login")
        return next((str(each["value"]) for each in found.of("input") if each.get("name") == "csrf"), "")

    async def log_in(self, role: str) -> None:
        status, _, where = await self.send("/login", {"token": TOKENS[role], "next": "/"})
        assert (status, where) == (200, "/")


@asynccontextmanager
async def browsing(site: Site) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)  # `unsafe` lets it keep cookies of an address in numbers
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(site, session)


def checked(found: Found) -> None:
    """Nothing on the page is what we did not put there, and everything is named."""
    scripts = [each.get("src") or "inline" for each in found.of("script")]
    assert len(scripts) == 1
    assert re.fullmatch(r"/static/[0-9a-f]{12}/page\.js", scripts[0])
    for tag, attributes in found.tags:
        assert tag not in ("style", "iframe", "object", "embed", "base")
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for name in ("href", "src", "action"):
            value = attributes.get(name)
            assert value is None or re.match(r"(/(?!/)|#|\?|https?://)", value), (tag, value)
    assert len(found.of("main")) == len(found.of("h1")) == 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One that the tests of a module share: they only look."""
    async with shown(tmp_path_factory.mktemp("page") / "demo") as found:
        await busy(found)
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One that asks who comes in."""
    async with shown(tmp_path_factory.mktemp("guarded") / "demo", GUARDED) as found:
        await busy(found)
        yield found
