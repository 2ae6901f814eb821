"""What is made of everything that is not the expected answer: which failure, and whether it is tried again."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.http import BadRequest, Call, Conflict, Manners, NotThere, Refused, Tool, TooLarge, Unsure, Web
from nthlayer_sync.sdk.http.verdict import LONGEST_DELAY, asked_delay
from tests.sdk.system import CANARY, CREATE, GET, SEARCH, System, ask, failure
from tests.sdk.web import QuickClock, served

BEGIN = datetime.now(UTC)
CUT = "Content-Length: 100\r\nContent-Type: application/json\r\n\r\n{"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (402, PermanentError),
        (404, NotThere),
        (405, PermanentError),
        (409, Conflict),
        (410, NotThere),
        (412, Conflict),
        (413, BadRequest),
        (414, BadRequest),
        (418, PermanentError),
        (422, BadRequest),
        (301, PermanentError),
        (304, PermanentError),
    ],
)
async def test_what_cannot_pass_is_asked_once_and_says_so(
    connections: Web, status: int, kind: type[PermanentError]
) -> None:
    system = System(status)
    error = await failure(connections, system, GET)
    assert type(error) is kind
    assert f"HTTP {status}" in str(error)
    assert getattr(error, "status", status) == status
    assert len(system.seen) == 1


async def test_redirects_are_not_followed(connections: Web) -> None:
    canary = System()
    async with served(canary.answer) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            error = await failure(
                connections, System(web.Response(status=status, headers={"Location": elsewhere})), GET
            )
            assert "redirects are not followed" in str(error)
    assert not canary.seen


async def test_an_unchanged_answer_is_one_when_it_was_asked_for(connections: Web) -> None:
    call = Call(path="/things", headers={"If-None-Match": '"1"'})
    assert (await ask(connections, System(304), call)).status == 304


async def test_the_systems_own_words_are_told_short_and_without_what_lets_us_in(connections: Web) -> None:
    words = f'{{"error":"no\x1b[31m such\nteam","you sent":"Bearer {CANARY}-0","and":"{CANARY}-0","x":"{"y" * 5000}"}}'
    for status in (400, 404, 409, 422, 500):
        system = System(*[web.Response(status=status, text=words, content_type="application/json") for _ in range(4)])
        text = str(await failure(connections, system, GET))
        assert 'no [31m such team","you sent":"[removed]","and":"[removed]"' in text
        assert len(text) < 400
        assert text.isprintable()
    page = web.Response(status=400, text=f"<html>{CANARY}-0", content_type="text/html")
    assert str(await failure(connections, System(page), GET)).endswith("HTTP 400 Bad Request")


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_secret_is_looked_up_once_more(connections: Web, status: int) -> None:
    system = System(status)
    assert (await ask(connections, system, CREATE, tries=1)).status == 200
    assert [headers["Authorization"][-1] for _, _, headers, _ in system.seen] == ["0", "1"]
    system = System(status, status, status)
    assert isinstance(await failure(connections, system, CREATE), Refused)
    assert len(system.seen) == 2


@pytest.mark.parametrize(
    "fault",
    [408, 500, 502, 503, 504, 599, "", f"HTTP/1.1 200 OK\r\n{CUT}", f"HTTP/1.1 201 Created\r\n{CUT}", "what\r\n\r\n"],
)
async def test_what_may_have_been_carried_out_is_repeated_only_where_that_does_no_harm(
    connections: Web, clock: QuickClock, fault: int | str
) -> None:
    system = System(fault)
    error = await failure(connections, system, CREATE)
    assert isinstance(error, Unsure)
    assert error.status == (fault if isinstance(fault, int) else 0)
    assert len(system.seen) == 1
    assert clock.slept == []
    for call in (GET, Call(method="PUT", path="/t", json={}), Call(method="DELETE", path="/t"), SEARCH):
        system = System(fault, fault)
        assert (await ask(connections, system, call)).status == 200
        # aiohttp itself repeats a request of these methods when a kept connection turns out to be closed.
        assert len(system.seen) == 3
        system = System(*[fault] * 20)
        error = await failure(connections, system, call)
        assert type(error) is TemporaryError
        assert len(system.seen) >= 4


@pytest.mark.parametrize(
    "fault", [429, 425, web.Response(status=503, headers={"Retry-After": "1"}), web.Response(status=429)]
)
async def test_what_was_certainly_not_carried_out_is_always_repeated(
    connections: Web, fault: int | web.Response
) -> None:
    def again() -> int | web.Response:
        return fault if isinstance(fault, int) else web.Response(status=fault.status, headers={**fault.headers})

    system = System(again(), again())
    assert (await ask(connections, system, CREATE)).status == 200
    system = System(*[again() for _ in range(9)])
    assert type(await failure(connections, system, CREATE)) is TemporaryError
    assert len(system.seen) == 4


async def test_a_closed_door_is_knocked_at_again_and_certain(connections: Web, clock: QuickClock) -> None:
    async with served(System().answer) as url:
        pass
    tool = connections.tool("tool", url, manners=Manners(rate=1e9))
    with pytest.raises(TemporaryError, match="tool: POST /things: the connection failed") as caught:
        await tool.ask(CREATE)
    assert type(caught.value) is TemporaryError
    assert len(clock.slept) == 3


async def test_waiting_grows_and_is_jittered(connections: Web, clock: QuickClock) -> None:
    await ask(connections, System(500, 500, 500), GET, pause=100, rate=1e9)
    assert len(clock.slept) == 3
    assert all(0 <= wait <= 200 * 2**index for index, wait in enumerate(clock.slept))
    assert len(set(clock.slept)) == 3


async def test_no_answer_in_time(connections: Web) -> None:
    async def never(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with served(never) as url:
        tool = connections.tool("tool", url, manners=Manners(timeout=0.05, tries=2))
        with pytest.raises(Unsure, match=r"no whole answer within 0.05 s"):
            await tool.ask(CREATE)
        with pytest.raises(TemporaryError, match=r"no whole answer within 0.05 s") as caught:
            await tool.ask(GET)
        assert type(caught.value) is TemporaryError
        assert tool.facts.requests == 3


async def test_an_answer_is_no_larger_than_allowed(connections: Web) -> None:
    def big(status: int = 200) -> web.Response:
        response = web.Response(status=status, body=b" " * 2_000_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    assert isinstance(await failure(connections, System(big()), GET, largest_answer=1_000_000), TooLarge)
    assert len((await ask(connections, System(big()), GET, largest_answer=2_000_000)).body) == 2_000_000
    assert isinstance(await failure(connections, System(big(400)), GET, largest_answer=10), BadRequest)


@pytest.mark.parametrize("body", ["<html>log in</html>", '{"a": ', "", "\xff"])
async def test_what_is_not_json_says_what_it_is(connections: Web, body: str) -> None:
    answer = await ask(connections, System(web.Response(body=body.encode("latin-1"), content_type="text/html")), GET)
    with pytest.raises(PermanentError, match="'text/html' that are not JSON; is it a login page"):
        answer.json()


async def test_read_only_sends_nothing_that_changes_something(connections: Web) -> None:
    system = System()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        error = await failure(connections, system, Call(method=method, path="/x"), read_only=True)
        assert "only reading is allowed here" in str(error)
    assert not system.seen
    await ask(connections, system, GET, read_only=True)
    await ask(connections, system, SEARCH, read_only=True)


def date(seconds: float) -> str:
    return format_datetime(BEGIN + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "3"}, 3, 3),
        ({"Retry-After": "2.5"}, 2.5, 2.5),
        ({"Retry-After": "0"}, 0, 0),
        ({"Retry-After": "-5"}, 0, 0),
        ({"Retry-After": "1000000000"}, 0, 0),
        ({"Retry-After": "99999999"}, LONGEST_DELAY, LONGEST_DELAY),
        ({"Retry-After": "9" * 4000}, LONGEST_DELAY, LONGEST_DELAY),
        ({"Retry-After": date(3500)}, 500, 3500),
        ({"Retry-After": date(-60)}, 0, 0),
        ({"Retry-After": date(1e9)}, LONGEST_DELAY, LONGEST_DELAY),
        ({"Retry-After": date(60), "Date": date(-3000)}, 3059, 3061),
        ({"Retry-After": "soon"}, 0, 0),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, LONGEST_DELAY, LONGEST_DELAY),
        ({"Retry-After": "Fri, 99 Foo 99999 99:99:99 GMT"}, 0, 0),
        ({"Retry-After": "٣"}, 0, 0),
        ({"Retry-After": "1.2.3"}, 0, 0),
        ({"X-RateLimit-Reset": "7"}, 7, 7),
        ({"X-RateLimit-Reset": str(int(BEGIN.timestamp()) + 3500)}, 500, 3500),
        ({}, 0, 0),
    ],
)
def test_how_long_a_system_makes_us_wait(headers: dict[str, str], least: float, most: float) -> None:
    assert least <= asked_delay(headers) <= most


async def test_a_limit_that_says_so_with_403_is_one(connections: Web) -> None:
    system = System(web.Response(status=403, headers={"Retry-After": "2"}))
    async with served(system.answer) as url:
        tool: Tool = connections.tool("tool", url)
        await tool.ask(CREATE)
        assert (tool.facts.requests, tool.facts.limited) == (2, 1)


async def test_when_it_wants_more_than_we_wait_the_call_fails_and_says_when_to_come_again(
    connections: Web, clock: QuickClock
) -> None:
    for status in (429, 503):
        system = System(web.Response(status=status, headers={"Retry-After": "120"}))
        error = await failure(connections, system, CREATE, longest_wait=60)
        assert isinstance(error, TemporaryError)
        assert error.delay == 120
    assert clock.slept == []
