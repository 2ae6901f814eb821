"""Who comes in, what his buttons do, and that no other page can press them."""

from pathlib import Path

import pytest

from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.work import Topic
from tests.web.api.conftest import Site
from tests.web.page.conftest import GUARDED, TOKENS, browsing, busy, checked, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")

CART = "component:default/cart"
SYNC = {"back": "/sources"}


async def test_who_is_not_known_is_asked(guarded: Site) -> None:
    async with browsing(guarded) as browser:
        status, found, where = await browser.get("/runs?limit=5")
        assert (status, where.partition("?")[0]) == (200, "/login")
        assert [each["value"] for each in found.of("input") if each.get("name") == "next"] == ["/runs?limit=5"]
        checked(found)
        assert not found.of("nav")
        status, found, _ = await browser.send("/login", {"token": "guess", "next": "/"})
        assert status == 401
        assert "the token is none that is known here" in found.text
        status, found, where = await browser.send("/login", {"token": TOKENS["viewer"], "next": "/runs?limit=5"})
        assert (status, where) == (200, "/runs?limit=5")
        assert "You are logged in." in found.text
        _, found, _ = await browser.get("/runs")
        assert "You are logged in." not in found.text
        status, found, where = await browser.send("/logout", {"csrf": await _proof(browser)})
        assert (status, where) == (200, "/login")
        assert (await browser.get("/"))[2].startswith("/login")


async def test_the_cookie_is_kept_close(guarded: Site) -> None:
    async with browsing(guarded) as browser:
        proof = await browser.csrf()
        for origin, secure in ((guarded.client.url, False), (guarded.client.url.replace("http:", "https:"), True)):
            fields = {"token": TOKENS["viewer"], "csrf": proof}
            async with browser.session.post(
                guarded.client.url + "/login", data=fields, headers={"Origin": origin}, allow_redirects=False
            ) as answer:
                assert answer.status == 303
                for name in ("nthlayer-sync-login", "nthlayer-sync-form"):
                    cookie = answer.cookies[name]
                    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
                    assert bool(cookie["secure"]) is secure
                assert TOKENS["viewer"] not in str(answer.headers)
                assert int(answer.cookies["nthlayer-sync-login"]["max-age"]) <= 8 * 3600
                break  # the form's secret is another one from here on


async def test_the_api_takes_no_cookie(guarded: Site) -> None:
    async with browsing(guarded) as browser:
        await browser.log_in("admin")
        async with browser.session.get(f"{guarded.client.url}/api/v1/status") as answer:
            assert answer.status == 401
        async with browser.session.post(f"{guarded.client.url}/api/v1/sync", json={}) as answer:
            assert answer.status == 401


async def test_events_are_for_who_is_logged_in(guarded: Site) -> None:
    async with browsing(guarded) as browser:
        address = f"{guarded.client.url}/events"
        async with browser.session.get(address, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2Fevents")
        await browser.log_in("viewer")
        async with browser.session.get(address) as answer:
            assert (answer.status, answer.content_type) == (200, "text/event-stream")
            assert (await answer.content.readline()).startswith(b"retry:")


async def test_a_login_leads_nowhere_else(guarded: Site) -> None:
    for next in ("//example.com/", "https://example.com/", "/\\example.com", "javascript:alert(1)", "/a\r\nX: y", ""):
        async with browsing(guarded) as browser:
            fields = {"token": TOKENS["viewer"], "next": next, "csrf": await browser.csrf()}
            async with browser.session.post(
                guarded.client.url + "/login", data=fields, headers={"Origin": guarded.client.url},
                allow_redirects=False,
            ) as answer:  # fmt: skip
                assert answer.headers["Location"] == "/"


async def test_no_other_page_presses_our_buttons(guarded: Site) -> None:
    async with browsing(guarded) as browser:
        await browser.log_in("operator")
        for origin in ("https://example.com", "null", "http://127.0.0.1:1", ""):
            status, _, _ = await browser.send("/do/sync", SYNC, Origin=origin)
            assert status == 403, origin
        for proof in ("", "0" * 64, "é"):
            status, found, _ = await browser.send("/do/sync", {**SYNC, "csrf": proof})
            assert status == 403
            assert "this form is too old, or none of ours" in found.text
        status, _, _ = await browser.send("/do/sync", SYNC, Content_Type="text/plain")
        assert status == 415
        assert not (await guarded.daemon.work.backlog())[Topic.LOOK].due
        async with browsing(guarded) as other:
            await other.log_in("operator")
            foreign = await _proof(other)
        status, _, _ = await browser.send("/do/sync", {**SYNC, "csrf": foreign})
        assert status == 403


async def test_a_role_sees_its_buttons_only(guarded: Site) -> None:
    buttons: dict[str, set[str]] = {}
    for role in TOKENS:
        async with browsing(guarded) as browser:
            await browser.log_in(role)
            for path in ("/", "/waiting", "/sources", f"/entities/{CART.replace('/', '%2F')}"):
                _, found, _ = await browser.get(path)
                checked(found)
                buttons.setdefault(role, set()).update(
                    str(form["action"]) for form in found.of("form") if form.get("method") == "post"
                )
    assert "/do/sync" not in buttons["viewer"]
    assert {"/do/sync", "/do/pause", "/do/approve", "/do/reconcile"} <= buttons["operator"] <= buttons["admin"]
    async with browsing(guarded) as browser:
        await browser.log_in("viewer")
        for command, fields in (("sync", {}), ("pause", {"entity": CART, "reason": "x"}), ("go-on", {}),
                                ("consent", {"guard": "deletes", "count": "1"})):  # fmt: skip
            status, found, _ = await browser.send(f"/do/{command}", await _with_proof(browser, fields))
            assert status == 403
            assert "viewer is a viewer" in found.text or "viewer may not" in found.text


async def test_buttons_do_what_they_say(tmp_path: Path) -> None:
    async with shown(tmp_path / "demo", GUARDED) as site, browsing(site) as browser:
        await busy(site)
        await browser.log_in("admin")
        here = f"/entities/{CART.replace('/', '%2F')}"

        async def press(command: str, **fields: str | list[str]) -> str:
            status, found, where = await browser.send(
                f"/do/{command}", await _with_proof(browser, {"back": here, **fields})
            )
            assert (status, where) == (200, here), found.text
            return found.text

        assert "Asked for" in await press("sync")
        assert "Asked for" in await press("audit")
        assert "Asked for" in await press("reconcile", entities=CART)
        assert "Paused: nothing is written" in await press("pause", entity=CART, reason="a sale")
        assert "a sale" in (await browser.get(here))[1].text
        assert "Resumed" in await press("resume", entity=CART)
        keys = [change["key"] for change in (await _api(site, "waiting"))["items"]]
        assert len(keys) == 2
        assert "Approved" in await press("approve", entity=CART, changes=keys)
        approvals = (await site.daemon.policies.said()).approvals
        assert set(approvals) == set(keys)
        assert "Agreed" in await press("consent", guard="deletes", count="3")
        assert (await site.daemon.policies.said()).consents["deletes"].count == 3
        assert "goes on" in await press("go-on")
        assert (await site.daemon.work.backlog())[Topic.SUBJECT].due

        status, found, _ = await browser.send("/do/pause", await _with_proof(browser, {"entity": CART, "reason": " "}))
        assert status == 422
        checked(found)
        assert "#/reason" in found.text
        status, found, _ = await browser.send("/do/nothing", await _with_proof(browser, {}))
        assert (status, "there is no such command" in found.text) == (404, True)
        plan = (await site.daemon.store.undoable())[0][0]
        status, found, where = await browser.send("/do/undo", await _with_proof(browser, {"plan": plan}))
        assert (status, where[:6]) == (200, "/runs/")
        assert EntityRef(CART) in (await site.daemon.policies.said()).pauses


async def test_light_or_dark_is_remembered(site: Site) -> None:
    async with browsing(site) as browser:
        _, found, _ = await browser.get("/")
        assert "data-theme" not in found.of("html")[0]
        for theme, kept in (("dark", "dark"), ("light", "light"), ("auto", None), ("<script>", None)):
            fields = {"theme": theme, "back": "/runs", "csrf": await _proof(browser)}
            _, found, where = await browser.send("/theme", fields)
            assert (where, found.of("html")[0].get("data-theme")) == ("/runs", kept)


async def test_nobody_logs_in_on_this_machine(site: Site) -> None:
    async with browsing(site) as browser:
        assert (await browser.get("/login"))[2] == "/"
        status, _, _ = await browser.get("/", Host="example.com")
        assert status == 421
        status, found, _ = await browser.get("/runs", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
        assert "You come from another site" in found.text
        assert found.of("meta")[-1]["content"] == "0;url=/runs"
        status, _, _ = await browser.get("/runs", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")
        assert status == 403


async def test_a_proxy_may_send_the_token(guarded: Site) -> None:
    said = await guarded.client.get("/runs", TOKENS["viewer"])
    assert (said.status, b"webhook github" in said.body) == (200, True)


async def test_a_token_that_is_too_long_is_refused(guarded: Site) -> None:
    async with browsing(guarded) as browser:
        status, found, _ = await browser.send("/login", {"token": "x" * 5000})
        assert (status, "too long for a cookie" in found.text) == (401, True)


async def _proof(browser) -> str:
    _, found, _ = await browser.get("/")
    return next(str(each["value"]) for each in found.of("input") if each.get("name") == "csrf")


async def _with_proof(browser, fields):
    return {"csrf": await _proof(browser), **fields}


async def _api(site: Site, path: str):
    return (await site.get(path, TOKENS["admin"])).json
