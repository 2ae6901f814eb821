"""Forty faults of a catalog in three sizes: none of them deletes, doubles or forgets anything in a live tool."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from nthlayer_sync.sandbox import Sandbox
from nthlayer_sync.sources.api import ApiSettings
from nthlayer_sync.sources.backstage import BackstageSource
from tests.faults.live.company import FULL, Company, settings_of
from tests.faults.live.invariants import Invariants
from tests.sources.standin import Catalog, Rule, entity, served
from tests.sources.test_backstage import dripping, reset, text, truncated

HOUR = 3600.0
PAGES = 20
LARGE = 10_000 if FULL else 1000


class Crowd(Catalog):
    """So many services in twenty pages, with the team that owns them; `size` counts the services."""

    def __init__(self, size: int) -> None:
        super().__init__(size, page=-(-(size + 2) // PAGES))
        for each in self.entities:
            each["metadata"]["annotations"]["nthlayer.dev/tier"] = "1"
        profile = {"profile": {"email": "ada@example.com", "displayName": "Ada"}, "memberOf": ["team"]}
        member = [{"type": "memberOf", "targetRef": "group:default/team"}]
        self.entities += [
            entity(10**6, name="team") | {"kind": "Group", "spec": {"type": "team", "children": []}, "relations": []},
            entity(10**6 + 1, name="ada") | {"kind": "User", "spec": profile, "relations": member},
        ]

    def lose(self, share: float) -> None:
        del self.entities[: int((len(self.entities) - 2) * share)]

    def from_page(self, page: int, rule: Rule) -> None:
        """The page, and all after it, of every walk."""

        async def later(catalog: Catalog, request: web.Request) -> web.StreamResponse | None:
            cursor = request.query.get("cursor")
            at = json.loads(_decoded(cursor))["offset"] // self.page if cursor else 0
            return await rule(catalog, request) if at + 1 >= page or catalog.asked[-1] == "POST by-refs" else None

        self.every = later

    def answers(self, change: Callable[[dict], dict]) -> None:
        """Every page is given otherwise than it is."""

        async def changed(catalog: Catalog, request: web.Request) -> web.StreamResponse | None:
            if catalog.asked[-1] == "POST by-refs":
                return None
            return web.json_response(change(json.loads(catalog._by_query(request).body)))

        self.every = changed


def _decoded(cursor: str) -> bytes:
    return base64.b64decode(cursor)


async def stalled(catalog: Catalog, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    raise AssertionError("nobody waits so long")


async def restless(catalog: Catalog, request: web.Request) -> None:
    catalog.change(1, "again")


def every(rule: Rule) -> Callable[[Crowd], None]:
    return lambda crowd: setattr(crowd, "every", rule)


def page(number: int, rule: Rule) -> Callable[[Crowd], None]:
    return lambda crowd: crowd.from_page(number, rule)


def shown(change: Callable[[dict], dict]) -> Callable[[Crowd], None]:
    return lambda crowd: crowd.answers(change)


def cursor(name: str) -> Callable[[Crowd], None]:
    """A way on that never ends."""
    numbers = iter(range(10**9))

    def change(answer: dict) -> dict:
        info = {"nextCursor": "eyJvZmZzZXQiOjAsInRvdGFsIjoyfQ==" if name == "same" else fresh(next(numbers))}
        return answer | {"items": [] if name == "empty" else answer["items"][:1], "pageInfo": info}

    return shown(change)


def fresh(number: int) -> str:
    return base64.b64encode(json.dumps({"offset": number, "total": 2}).encode()).decode()


def spoilt(**metadata: object) -> Callable[[Crowd], None]:
    return lambda crowd: crowd.entities[1]["metadata"].update(metadata)


def cut(answer: dict) -> dict:
    return answer | {"items": answer["items"][: len(answer["items"]) // 2]}


def emptied(answer: dict) -> dict:
    return {"items": [], "totalItems": 0, "pageInfo": {}}


FAULTS: dict[str, Callable[[Crowd], None]] = {
    "200 and an empty list": shown(emptied),
    "29 % are missing": lambda crowd: crowd.lose(0.29),
    "31 % are missing": lambda crowd: crowd.lose(0.31),
    "99 % are missing": lambda crowd: crowd.lose(0.99),
    **{f"page {number} fails": page(number, text(503)) for number in (1, 2, 10, 11, 20)},
    **{f"{status} from the first page on": every(text(status)) for status in (401, 403, 404, 500, 503)},
    **{f"{status} in the middle": page(10, text(status)) for status in (401, 403, 404, 429)},
    "429 at once again": every(text(429, **{"Retry-After": "0"})),
    "429 for ever": every(text(429, **{"Retry-After": "1000000000"})),
    "429 until a date": every(text(429, **{"Retry-After": "Wed, 01 Jan 2200 00:00:00 GMT"})),
    "304 of nothing": every(text(304)),
    "a redirect to a login page": every(text(302, Location="http://127.0.0.1:1/")),
    "a login page": every(text(200, b"<html>", "text/html")),
    "a login page in the middle": page(10, text(200, b"<html>", "text/html")),
    "JSON that is cut": every(text(200, b'{"items": [{"kind"')),
    "an error as 200": every(text(200, b'{"error": {"name": "x"}}')),
    "gzip that is none": every(text(200, b"garbage", **{"Content-Encoding": "gzip"})),
    "the connection breaks": every(reset),
    "the connection breaks in the middle": page(10, reset),
    "an answer breaks off": page(10, truncated),
    "a byte at a time": every(dripping),
    "no answer": every(stalled),
    "every page is cut": shown(cut),
    "too high a total": shown(lambda answer: answer | {"totalItems": answer["totalItems"] + 1}),
    "rows that are nothing": shown(lambda answer: answer | {"items": [None for _ in answer["items"]]}),
    "the cursor goes in circles": cursor("same"),
    "the cursor never ends": cursor("fresh"),
    "empty pages without end": cursor("empty"),
    "one uid, two names": lambda crowd: crowd.entities.append(entity(1, name="svc-clone")),
}
SLOW = {"a byte at a time", "no answer"}
CASES = [(9, list(FAULTS)), (100, list(FAULTS)), *((LARGE, list(FAULTS)[part::4]) for part in range(4))]


@asynccontextmanager
async def catalogue(crowd: Crowd) -> AsyncIterator[Callable[[Crowd, float], BackstageSource]]:
    """Gives a fresh source for the catalog that is served from then on."""
    now = [crowd]

    async def answer(request: web.Request) -> web.StreamResponse:
        return await now[0].answer(request)

    async with served(answer) as url:

        def serve(crowd: Crowd, timeout: float) -> BackstageSource:
            now[0] = crowd
            return BackstageSource("backstage", ApiSettings(url=url, pause=0.001, timeout=timeout))

        yield serve


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("size", "faults"), CASES, ids=["9", "100", *(f"{LARGE} {part}" for part in "abcd")])
async def test_no_fault_of_a_source_deletes_anything(
    tmp_path: Path, sandbox: Sandbox, clock: list[float], size: int, faults: list[str]
) -> None:
    company = Company(tmp_path, {"pagerduty": settings_of(sandbox.pagerduty)})
    async with catalogue(Crowd(size)) as serve:
        company.source = serve(Crowd(size), 30)
        await company.tick()
        clock[0] += HOUR
        assert (await company.tick())[0].counts == {}
        invariants = Invariants(company, sandbox)
        assert len(sandbox.ledger.committed("pagerduty", "services")) == size
        wrong = 0
        for name in faults:
            crowd = Crowd(size)
            FAULTS[name](crowd)
            company.source = serve(crowd, 0.1 if name in SLOW else 30)
            for _ in range(2):
                clock[0] += HOUR
                await company.tick()
                invariants.no_delete()
            wrong += sum(entry.method == "DELETE" for entry in invariants.since())
            if size < LARGE:
                company.source = serve(Crowd(size), 30)
                clock[0] += HOUR
                await company.tick()
            await invariants.now({"svc-clone"})
        company.source = serve(Crowd(size), 30)
        clock[0] += HOUR
        await invariants.check()
    print(f"source faults against {size} live objects: {len(faults)} tried, {wrong} wrong deletes")


def test_there_are_120() -> None:
    assert sum(len(faults) for _, faults in CASES) == 120
