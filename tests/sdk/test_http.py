"""What is sent to a system, and where to."""

import json

import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.http import Call, Web, at
from tests.sdk.system import CANARY, GET, System, ask


async def test_what_is_sent(connections: Web) -> None:
    system = System()
    for call in (
        Call(path=at("a b", "c/d?e", "ü"), query=[("q", "x&y=z +"), ("q", "2")], headers={"If-None-Match": '"1"'}),
        Call(method="PUT", path="/x", json={"é": [1, None]}),
        Call(method="POST", path="/x", form={"a b": "1&2"}),
        Call(method="PATCH", path="/x", data=b"a: 1", content_type="application/apply-patch+yaml"),
        Call(method="DELETE", path="/x", headers={"Accept": "application/vnd.x+json;version=2"}),
    ):
        assert (await ask(connections, system, call)).json() == {"status": 200}
    first, put, post, patch, delete = system.seen
    assert first[1] == "/base/a%20b/c%2Fd%3Fe/%C3%BC?q=x%26y%3Dz%20%2B&q=2"
    assert (first[0], first[2]["If-None-Match"], first[2]["Accept"]) == ("GET", '"1"', "application/json")
    assert first[2]["Authorization"] == f"Bearer {CANARY}-0"
    assert "Content-Type" not in first[2]
    assert (put[0], put[2]["Content-Type"], json.loads(put[3])) == ("PUT", "application/json", {"é": [1, None]})
    assert (post[2]["Content-Type"], post[3]) == ("application/x-www-form-urlencoded", b"a+b=1%262")
    assert (patch[2]["Content-Type"], patch[3]) == ("application/apply-patch+yaml", b"a: 1")
    assert (delete[0], delete[2]["Accept"]) == ("DELETE", "application/vnd.x+json;version=2")


@pytest.mark.parametrize(
    "path",
    [
        "x",
        "//h\n",
        "/a b",
        "/a?b",
        "/a#b",
        "/..",
        "/a/../b",
        "/a/%2e%2E/b",
        "/.",
        "/a/.%2e",
        "/ü",
        "/a\r\nX: 1",
        "/a\\b",
    ],
)
async def test_a_path_leads_nowhere_else(connections: Web, path: str) -> None:
    system = System()
    with pytest.raises(PermanentError, match="not the path of a request"):
        await ask(connections, system, Call(path=path))
    assert not system.seen


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_segment_that_leads_elsewhere_is_refused(segment: str) -> None:
    with pytest.raises(PermanentError):
        at("a", segment)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host",
        "file:///etc/passwd",
        "ftp://h",
        f"https://user:{CANARY}@h",
        f"https://{CANARY}@h",
        "https://h?x=1",
        "https://h?",
        "https://h#x",
        "https://h:99999",
        "https://[::1",
        "https:///x",
        "https://h/a b",
        "javascript:1",
    ],
)
def test_only_the_address_of_a_system_is_taken(connections: Web, url: str) -> None:
    with pytest.raises(PermanentError, match="tool: its url is not the address") as caught:
        connections.tool("tool", url)
    assert CANARY not in str(caught.value)


async def test_it_can_be_closed_twice_and_opened_again(connections: Web) -> None:
    await connections.close()
    await ask(connections, System(), GET)
    await connections.close()
    await connections.close()
    await ask(connections, System(), GET)
