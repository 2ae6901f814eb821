"""Who is signed in to Backstage is somebody to the daemon as well."""

from typing import Any

import pytest

from tests.backstage.town import ORGANISATION, Town, component, until

pytestmark = pytest.mark.timeout(300)


async def guest(town: Town) -> dict[str, str]:
    """The headers of the signed-in guest."""
    async with town.session.get(f"{town.url('backstage')}/api/auth/guest/refresh") as answer:
        assert answer.status == 200
        token = (await answer.json())["backstageIdentity"]["token"]
    return {"Authorization": f"Bearer {token}"}


async def post(town: Town, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
    """What is answered to a command through Backstage."""
    url = f"{town.url('backstage')}/api/nthlayer/v1/{path}"
    async with town.session.post(url, json=body, headers=headers) as answer:
        return answer.status, await answer.json() if answer.content_type == "application/json" else None


async def test_a_user_is_known_with_what_they_own(town: Town) -> None:
    mine = component("shop")
    theirs = component("other")
    theirs["spec"]["owner"] = "group:default/strangers"
    town.commit({"org.yaml": ORGANISATION, "shop.yaml": [mine, theirs]})
    await town.start_backstage()
    await town.start_daemon()

    async def both() -> bool:
        return bool(await town.seen("shop") and await town.seen("other"))

    await until(both, "the daemon has read both")
    who = await guest(town)
    me = await town.backstage_get("nthlayer/v1/me", who)
    assert me["name"] == "user:default/guest"
    assert me["role"] == "viewer"
    assert "group:default/payments" in me["groups"]

    pause = {"entity": "component:default/shop", "reason": "we look into it"}
    assert await post(town, "pause", pause, who) == (204, None)
    [paused] = (await town.daemon_get("status"))["pauses"]
    assert (paused["entity"], paused["by"]) == ("component:default/shop", "user:default/guest")
    status, said = await post(town, "pause", {**pause, "entity": "component:default/other"}, who)
    assert status == 403
    assert said["error"]["name"] == "NotAllowedError"
    assert "guest" in said["error"]["message"]


async def test_a_permission_that_is_denied_keeps_people_out_although_the_daemon_would_let_them(town: Town) -> None:
    town.denied = ["nthlayer.operate"]
    town.commit({"org.yaml": ORGANISATION, "shop.yaml": [component("shop")]})
    await town.start_backstage()
    await town.start_daemon()
    await until(lambda: town.seen("shop"), "the daemon has read it")
    who = await guest(town)
    assert await town.backstage_get("nthlayer/v1/me", who)
    body = {"entity": "component:default/shop", "reason": "we look into it"}
    status, said = await post(town, "pause", body, who)
    assert status == 403
    assert "nthlayer.operate" in said["error"]["message"]
    assert (await town.daemon_get("status"))["pauses"] == []
