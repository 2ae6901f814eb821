"""The pages in a real Chromium: keys, colours, what happens while somebody looks, and no barriers (axe-core)."""

import json
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from nthlayer_sync.model.run import Event
from tests.web.api.conftest import Site
from tests.web.page.conftest import GUARDED, PAYMENTS, TOKENS, busy, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")

HERE = Path(__file__).parent
AXE = HERE / "node_modules/axe-core/axe.min.js"
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ENTITY = f"/entities/{quote(PAYMENTS, safe=':')}"
CART = "/entities/component:default%2Fcart"
VIEWS = (
    "/",
    "/entities",
    ENTITY,
    CART,
    f"{ENTITY}/artefacts/prometheus/alert_rules",
    f"{ENTITY}/artefacts/techdocs/runbook?show=page",
    f"{ENTITY}/artefacts/kubernetes/hpa?show=why",
    "/waiting",
    "/plans",
    "/runs",
    "/graph",
    "/conflicts",
    "/sources",
    "/nowhere",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """A browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have Chromium")
        pytest.skip("there is no Chromium here")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def looking(chromium: Browser, site: Site, **how: object) -> AsyncIterator[Page]:
    """A page of a browser of its own; nothing may be wrong on it, and nothing may leave this machine."""
    context = await chromium.new_context(base_url=site.client.url, **how)  # type: ignore[arg-type]
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    here = urlsplit(site.client.url).netloc
    page.on("request", lambda sent: None if urlsplit(sent.url).netloc == here else wrong.append(sent.url))
    await page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI))"
    )
    try:
        yield page
        assert [each for each in wrong if "404 (Not Found)" not in each] == []
    finally:
        await context.close()


async def focused(page: Page) -> str:
    """What has the focus, in words."""
    return await page.evaluate("document.activeElement.innerText || document.activeElement.id")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_no_view_has_barriers(chromium: Browser, site: Site, scheme: str, width: int) -> None:
    if not AXE.is_file():
        how = json.loads((HERE / "package.json").read_text())["description"]
        if os.environ.get("CI"):
            pytest.fail(f"CI must have {how}")
        pytest.skip(f"there is no axe-core here; {how}")
    async with looking(chromium, site, color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
        for path in VIEWS:
            await page.goto(path)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            # Into a world of its own: the pages allow no script but theirs.
            await page.evaluate(AXE.read_text() + ";0")
            found = await page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', "
                                        "'best-practice']}).then((r) => r.violations.map((v) => "
                                        "[v.id, v.nodes[0].html, v.nodes[0].failureSummary]))")  # fmt: skip
            assert found == [], path


async def test_something_is_approved_by_keyboard_alone(chromium: Browser, tmp_path: Path) -> None:
    async with shown(tmp_path / "demo", GUARDED) as site:
        await busy(site)
        async with looking(chromium, site) as page:
            press = page.keyboard.press
            await page.goto("/")
            await page.focus("#token")
            await page.keyboard.type(TOKENS["operator"])
            await press("Enter")
            await expect(page.locator("h1")).to_have_text("acme")
            await page.reload()
            await press("Tab")
            assert await focused(page) == "Skip to the content"
            await press("g")
            await press("w")
            await expect(page.locator("h1")).to_have_text("Waiting")
            for _ in range(60):
                await press("Tab")
                if (await focused(page)).startswith("Approve what is ticked"):
                    break
            await press("Enter")
            await expect(page.locator(".done")).to_contain_text("Approved")
        assert len((await site.daemon.policies.said()).approvals) == 2


async def test_lists_are_walked_by_key(chromium: Browser, site: Site) -> None:
    async with looking(chromium, site) as page:
        press = page.keyboard.press
        await page.goto("/entities?kind=component")
        rows = await page.locator("main tbody tr").count()
        await press("j")
        await press("j")
        await press("k")
        await expect(page.locator("tr.at")).to_have_count(1)
        await press("j")
        assert "catalogue" in await focused(page)
        await press("Enter")
        await expect(page.locator("h1")).to_contain_text("catalogue")
        assert rows == 12
        await press("/")
        assert await focused(page) == "find"
        await page.keyboard.type("gr?j")  # no keys of ours while somebody types
        assert await page.locator("#find").input_value() == "gr?j"
        await page.locator("#find").fill("orders")
        await press("Enter")
        await expect(page.locator("main tbody tr").first).to_contain_text("orders")
        for key, title in (("o", "acme"), ("e", "Entities"), ("r", "Runs"), ("g", "Graph")):
            await press("g")
            await press(key)
            await expect(page.locator("h1")).to_have_text(title)
        await press("?")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_reasons_are_reached_by_keyboard(chromium: Browser, site: Site) -> None:
    async with looking(chromium, site) as page:
        await page.goto(f"{ENTITY}/artefacts/kubernetes/hpa")
        await page.get_by_role("link", name="Why it is so").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("main h2")).to_have_text("Where each value comes from")
        await page.keyboard.press("j")
        assert "(exists)" in await focused(page)


async def test_dark_is_dark_from_the_first_moment(chromium: Browser, site: Site) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    async with looking(chromium, site, color_scheme="light") as page:
        await page.goto("/")
        light = await page.evaluate(ground)
        await page.get_by_role("button", name="Dark colours").click()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        dark = await page.evaluate(ground)
        assert dark != light
        await page.goto("/runs")
        assert 'data-theme="dark"' in await (await page.request.get("/runs")).text()  # nothing has to run for it
        await page.get_by_role("button", name="Colours as the system has them").click()
        assert await page.evaluate(ground) == light
        await page.emulate_media(color_scheme="dark")
        assert await page.evaluate(ground) == dark


async def test_a_page_follows_what_happens(chromium: Browser, site: Site) -> None:
    async with looking(chromium, site) as page:
        await page.goto("/sources")
        await expect(page.locator("[data-live-state]")).to_have_text("live")
        await page.goto("/")
        await expect(page.locator("[data-live-state]")).to_have_text("live")
        await site.daemon.store.pin("pause", "component:default/orders", b'{"by": "bob", "at": 1, "reason": "x"}', 9e9)
        site.daemon.policies.forget()
        await site.daemon.store.record([Event(at=time.time(), name="pause.set", text="orders was paused by bob")])
        await expect(page.locator("[data-news]")).to_have_text("orders was paused by bob")
        await expect(page.locator("#live-attention")).to_contain_text("by bob", timeout=15_000)
        await site.daemon.store.unpin("pause", ["component:default/orders"])
        site.daemon.policies.forget()


async def test_it_works_without_script(chromium: Browser, site: Site) -> None:
    async with looking(chromium, site, java_script_enabled=False) as page:
        await page.goto("/")
        await page.get_by_label("Find an entity").fill("payments-api")
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="component:payments-api").click()
        await expect(page.locator("h1")).to_contain_text("payments-api")
        await page.locator("summary", has_text="Pause…").click()
        await page.get_by_label("Why, for those who come upon it").fill("it is late")
        await page.get_by_role("button", name="Pause", exact=True).click()
        await expect(page.locator(".done")).to_contain_text("Paused")
        await expect(page.locator("main")).to_contain_text("it is late")
        await page.get_by_role("button", name="Resume").click()
        await expect(page.locator(".done")).to_contain_text("Resumed")


async def test_pictures_are_dragged(chromium: Browser, site: Site) -> None:
    async with looking(chromium, site, viewport={"width": 500, "height": 500}) as page:
        await page.goto("/graph")
        picture = page.locator("[data-pan]")
        await picture.scroll_into_view_if_needed()
        box = await picture.bounding_box()
        assert box
        before = await picture.evaluate("(p) => p.scrollLeft")
        await page.mouse.move(box["x"] + 300, box["y"] + 8)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 100, box["y"] + 8)
        await page.mouse.up()
        assert await picture.evaluate("(p) => p.scrollLeft") > before
