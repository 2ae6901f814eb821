"""A Backstage catalog that is well, and one that is not."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sources import api
from nthlayer_sync.sources.api import ApiSettings
from nthlayer_sync.sources.backstage import BackstageSource
from tests.sources.standin import Catalog, Rule, entity, served

ASKED = "the catalog: GET /api/catalog/entities/by-query"


def source(url: str, **settings: object) -> BackstageSource:
    return BackstageSource("backstage", ApiSettings(url=url, pause=0.001, **settings))  # type: ignore[arg-type]


async def read(catalog: Catalog, **settings: object) -> Snapshot:
    async with served(catalog.answer) as url:
        return await source(url, **settings).read()


def names(snapshot: Snapshot) -> list[str]:
    return [each.name for each in snapshot.entities]


async def test_all_pages_are_read() -> None:
    catalog = Catalog(25, page=10)
    snapshot = await read(catalog)
    assert names(snapshot) == [f"svc-{number:03d}" for number in range(25)]
    assert (snapshot.completeness, snapshot.diagnoses) == (Completeness.COMPLETE, ())
    assert "25" in snapshot.reason
    assert snapshot.entities[3].place == Place("https://h.example/o/svc-003", "c.yaml")
    assert snapshot.entities[3].relations is not None


async def test_a_look_is_cheap_and_the_read_after_it_asks_nothing_twice() -> None:
    catalog = Catalog(25)
    async with served(catalog.answer) as url:
        first = source(url)
        digest = await first.look()
        assert len(catalog.asked) == 1
        assert (await first.read()).digest == digest
        assert len(catalog.asked) == 2
        assert await source(url).look() == digest


async def test_a_second_read_fetches_only_what_changed() -> None:
    catalog = Catalog(25)
    async with served(catalog.answer) as url:
        backstage = source(url)
        before = await backstage.read()
        catalog.asked.clear()
        assert await backstage.read() == before
        assert catalog.asked == ["GET by-query"]
        catalog.asked.clear()
        catalog.change(7, "Changed")
        del catalog.entities[3]
        catalog.entities.append(entity(99))
        after = await backstage.read()
    assert catalog.asked == ["GET by-query", "POST by-refs"]
    assert after.completeness is Completeness.COMPLETE
    assert after.digest != before.digest
    assert {each.name: each.title for each in after.entities}["svc-007"] == "Changed"
    assert set(names(after)) ^ set(names(before)) == {"svc-003", "svc-099"}


async def test_many_names_are_asked_for_in_requests_that_backstage_takes() -> None:
    catalog = Catalog(9000, page=10_000)
    async with served(catalog.answer) as url:
        backstage = source(url)
        await backstage.read()
        for number in range(4000):
            catalog.change(number, "x")
        catalog.asked.clear()
        after = await backstage.read()
    assert (after.completeness, len(after.entities)) == (Completeness.COMPLETE, 9000)
    assert catalog.asked.count("POST by-refs") > 1


async def test_entities_that_change_during_the_read_are_read_again() -> None:
    async def changing(catalog: Catalog, request: web.Request) -> None:
        catalog.change(1, "during")

    catalog = Catalog(5)
    catalog.rules = {2: changing}
    snapshot = await read(catalog)
    assert snapshot.completeness is Completeness.COMPLETE
    assert snapshot.entities[1].title == "during"


async def test_a_catalog_that_never_rests_is_incomplete() -> None:
    async def changing(catalog: Catalog, request: web.Request) -> None:
        catalog.change(1, "again")

    catalog = Catalog(5)
    catalog.every = changing
    snapshot = await read(catalog)
    assert snapshot.completeness is Completeness.INCOMPLETE
    assert "changing" in snapshot.reason


def always(make: Callable[[], web.StreamResponse]) -> Rule:
    async def rule(catalog: Catalog, request: web.Request) -> web.StreamResponse:
        return make()

    return rule


async def reset(catalog: Catalog, request: web.Request) -> None:
    assert request.transport
    request.transport.abort()


async def truncated(catalog: Catalog, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"items": [')
    assert request.transport
    request.transport.close()
    return response


async def dripping(catalog: Catalog, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)
    except ConnectionError:
        return response


def text(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> Rule:
    return always(lambda: web.Response(status=status, body=body, headers={"Content-Type": kind, **headers}))


FAULTS: dict[str, tuple[Rule, str]] = {
    "401": (text(401), "HTTP 401"),
    "403": (text(403), "HTTP 403"),
    "404": (text(404), "HTTP 404"),
    "429": (text(429, **{"Retry-After": "0"}), "HTTP 429"),
    "429 for ever": (text(429, **{"Retry-After": "1000000000"}), "HTTP 429"),
    "429 until a date": (text(429, **{"Retry-After": "Wed, 01 Jan 2200 00:00:00 GMT"}), "HTTP 429"),
    "500": (text(500), "HTTP 500"),
    "503": (text(503), "HTTP 503"),
    "redirect": (text(302, Location="http://127.0.0.1:1/"), "redirects are not followed"),
    "304": (text(304), "HTTP 304"),
    "login page": (text(200, b"<html>", "text/html"), "login page"),
    "empty": (text(200), "not what a catalog gives"),
    "truncated JSON": (text(200, b'{"items": [{"kind"'), "not what a catalog gives"),
    "array": (text(200, b"[]"), "not what a catalog gives"),
    "no total": (text(200, b'{"items": [], "pageInfo": {}}'), "not what a catalog gives"),
    "error as 200": (text(200, b'{"error": {"name": "x"}}'), "not what a catalog gives"),
    "gzip garbage": (text(200, b"garbage", **{"Content-Encoding": "gzip"}), "connection failed"),
    "reset": (reset, "connection failed"),
    "cut": (truncated, "connection failed"),
    "drip": (dripping, "no whole answer"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_on_the_first_page_is_a_failed_read_that_says_why(fault: str) -> None:
    catalog = Catalog(9)
    catalog.every, said = FAULTS[fault]
    snapshot = await read(catalog, timeout=0.2)
    assert (snapshot.completeness, snapshot.entities, snapshot.digest) == (Completeness.FAILED, (), "")
    assert said in snapshot.reason
    assert snapshot.reason.startswith("page 1: ")
    # aiohttp itself asks again, once, when a connection breaks under a GET.
    assert len(catalog.asked) <= 2 * api.TRIES


@pytest.mark.parametrize("page", range(2, 21))
async def test_a_page_that_fails_leaves_what_was_read_before_and_is_named(page: int) -> None:
    catalog = Catalog(200, page=10)
    for tries in range(api.TRIES):
        catalog.rules[page + tries] = text(503)
    snapshot = await read(catalog)
    assert snapshot.completeness is Completeness.INCOMPLETE
    assert snapshot.reason == f"page {page}: {ASKED}: HTTP 503 Service Unavailable"
    assert len(snapshot.entities) == (page - 1) * 10


@pytest.mark.parametrize("fault", ["login page", "truncated JSON", "404", "cut", "304"])
async def test_whatever_fails_on_a_later_page_is_never_a_complete_read(fault: str) -> None:
    catalog = Catalog(50, page=10)
    rule, said = FAULTS[fault]
    catalog.rules = dict.fromkeys(range(3, 3 + (api.TRIES if fault == "cut" else 1)), rule)
    snapshot = await read(catalog, timeout=0.2)
    assert snapshot.completeness is Completeness.INCOMPLETE
    assert said in snapshot.reason
    assert len(snapshot.entities) == 20


async def test_leave_that_is_withdrawn_during_the_walk_fails_the_read() -> None:
    catalog = Catalog(50, page=10)
    catalog.rules = {3: text(403), 4: text(403)}
    snapshot = await read(catalog)
    assert (snapshot.completeness, snapshot.reason) == (Completeness.FAILED, f"page 3: {ASKED}: HTTP 403 Forbidden")


@pytest.mark.parametrize("kept", [1, 50, 142, 199])
async def test_a_page_that_is_cut_short_is_noticed(kept: int) -> None:
    async def cut(catalog: Catalog, request: web.Request) -> web.StreamResponse | None:
        if catalog.asked[-1] == "POST by-refs":
            return None
        answer = json.loads(catalog._by_query(request).body)
        return web.json_response(answer | {"items": answer["items"][:kept]})

    catalog = Catalog(200)
    catalog.every = cut
    snapshot = await read(catalog)
    assert snapshot.completeness is Completeness.INCOMPLETE
    assert snapshot.reason == f"the catalog says it has 200 entities and gave {kept}"


@pytest.mark.parametrize("what", ["cursor", "fresh cursor", "empty pages"])
async def test_a_cursor_without_end_is_followed_for_so_many_pages_and_no_more(what: str) -> None:
    async def circular(catalog: Catalog, request: web.Request) -> web.StreamResponse:
        answer = json.loads(catalog._by_query(request).body)
        items = [] if what == "empty pages" else answer["items"][:1]
        cursor = "always" if what == "cursor" else str(len(catalog.asked))
        return web.json_response(answer | {"items": items, "pageInfo": {"nextCursor": cursor}})

    async def rule(catalog: Catalog, request: web.Request) -> web.StreamResponse | None:
        if catalog.asked[-1] == "POST by-refs":
            return None
        clone = request.clone(rel_url=request.rel_url.without_query_params("cursor"))
        return await circular(catalog, clone)  # type: ignore[arg-type]

    catalog = Catalog(9)
    catalog.every = rule
    snapshot = await read(catalog)
    assert snapshot.completeness is Completeness.INCOMPLETE
    assert "cursor leads on" in snapshot.reason
    assert len(catalog.asked) <= 9 + 1 + 1


@pytest.mark.parametrize(
    "row", [b'"\xff"', b"null", b"{}", b'{"kind": "Component"}', b'{"kind": 1, "metadata": {"name": "a"}}']
)
async def test_rows_that_are_no_entities_are_never_a_complete_read(row: bytes) -> None:
    catalog = Catalog(1)
    catalog.every = text(200, b'{"items": [' + row + b'], "totalItems": 1, "pageInfo": {}}')
    snapshot = await read(catalog)
    assert (snapshot.completeness, snapshot.entities) == (Completeness.INCOMPLETE, ())


async def test_an_empty_catalog_proves_nothing() -> None:
    snapshot = await read(Catalog(0))
    assert (snapshot.completeness, snapshot.entities) == (Completeness.INCOMPLETE, ())


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"name": "svc-009"}, "have the same uid"),
        ({"uid": "00000000-0000-4000-8000-000000000009"}, "stands in the catalog twice"),
    ],
)
async def test_identities_that_clash_are_reported_and_nothing_is_gone(second: dict[str, str], said: str) -> None:
    catalog = Catalog(3)
    catalog.entities.append(entity(1, **second))
    snapshot = await read(catalog)
    assert snapshot.completeness is Completeness.INCOMPLETE
    assert {"svc-000", "svc-001", "svc-002"} <= set(names(snapshot))
    assert any(said in diagnosis.message for diagnosis in snapshot.diagnoses)


async def test_a_bad_entity_costs_only_itself() -> None:
    catalog = Catalog(4)
    catalog.entities[1]["metadata"]["annotations"]["a"] = 1
    catalog.entities[2]["metadata"]["description"] = "x" * 10_000_000
    snapshot = await read(catalog)
    assert names(snapshot) == ["svc-000", "svc-003"]
    assert snapshot.completeness is Completeness.COMPLETE
    assert snapshot.refused == {"component:default/svc-001", "component:default/svc-002"}
    assert [(each.entity, each.field) for each in snapshot.diagnoses] == [
        ("component:default/svc-001", "metadata.annotations.a"),
        ("component:default/svc-002", "metadata.description"),
    ]


async def test_an_answer_that_is_too_large_is_asked_for_in_smaller_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LARGEST_ANSWER", 30_000)
    snapshot = await read(Catalog(300, page=10_000))
    assert (snapshot.completeness, len(snapshot.entities)) == (Completeness.COMPLETE, 300)


async def test_the_token_is_resolved_for_each_request_and_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = Catalog(3)
    catalog.token = "canary-5d41402abc4b2a76"
    monkeypatch.setenv("CATALOG_TOKEN", catalog.token)
    assert (await read(catalog, authorize=Secrets().header("env:CATALOG_TOKEN"))).completeness is Completeness.COMPLETE
    file = tmp_path / "token"
    file.write_text("canary-old\n")

    async def renew(catalog: Catalog, request: web.Request) -> None:
        file.write_text(catalog.token + "\n")

    catalog.asked.clear()
    catalog.rules = {1: renew}
    assert (await read(catalog, authorize=Secrets().header(f"file:{file}"))).completeness is Completeness.COMPLETE
    for token in ("env:NOT_SET_ANYWHERE", "env:", f"file:{tmp_path}/none", "canary-itself"):
        snapshot = await read(catalog, authorize=Secrets().header(token))
        assert snapshot.completeness is Completeness.FAILED
        assert "canary" not in snapshot.reason
    file.write_text("canary\nsecond line")
    assert (await read(catalog, authorize=Secrets().header(f"file:{file}"))).completeness is Completeness.FAILED


@pytest.mark.parametrize(
    "url", ["", "host", "file:///etc/passwd", "ftp://h", "https://user:pass@h", "https://h?x=1", "javascript:1"]
)
async def test_only_an_address_of_an_api_is_asked(url: str) -> None:
    snapshot = await source(url).read()
    assert snapshot.completeness is Completeness.FAILED
    assert await source(url).look() == ""


async def test_no_server_is_a_failed_read(unused_tcp_port: int) -> None:
    assert (await source(f"http://127.0.0.1:{unused_tcp_port}").read()).completeness is Completeness.FAILED


async def test_a_read_ends_at_its_deadline() -> None:
    catalog = Catalog(9)
    catalog.every = dripping
    snapshot = await read(catalog, deadline=0.2)
    assert (snapshot.completeness, snapshot.reason) == (Completeness.FAILED, "not done within 0.2 s")


async def test_a_proxy_of_the_environment_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:1")
    assert (await read(Catalog(2))).completeness is Completeness.COMPLETE


def prepared(shared: Path) -> dict:
    return json.loads((shared / "specs/api/backstage/catalog-backend.openapi3.json").read_text())


async def test_the_stand_in_speaks_as_the_published_interface_says(shared: Path) -> None:
    import aiohttp
    import jsonschema

    spec = prepared(shared)
    catalog = Catalog(3)
    async with served(catalog.answer) as url, aiohttp.ClientSession(url) as session:
        for path, schema, options in (
            ("by-query?limit=2", "EntitiesQueryResponse", None),
            ("by-refs", "EntitiesBatchResponse", {"entityRefs": ["component:default/svc-000", "component:x/y"]}),
        ):
            method = "POST" if options else "GET"
            async with session.request(method, f"/api/catalog/entities/{path}", json=options) as response:
                answer = await response.json()
            jsonschema.Draft202012Validator(
                {"$ref": f"#/components/schemas/{schema}", "components": spec["components"]}
            ).validate(answer)


async def test_every_request_is_one_of_the_published_interface(shared: Path) -> None:
    spec = prepared(shared)
    allowed: dict[str, set[str]] = {}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            names = set()
            for parameter in operation.get("parameters", []):
                where = parameter.get("$ref", "").rpartition("/")[2]
                names.add((spec["components"]["parameters"][where] if where else parameter)["name"])
            allowed[f"{method.upper()} /api/catalog{path}"] = names
    asked: list[tuple[str, set[str]]] = []

    async def noting(catalog: Catalog, request: web.Request) -> None:
        asked.append((f"{request.method} {request.path}", set(request.query)))

    catalog = Catalog(30, page=10)
    catalog.every = noting
    async with served(catalog.answer) as url:
        backstage = BackstageSource("b", ApiSettings(url=url), filters=["kind=component"])
        await backstage.read()
        catalog.change(2, "x")
        await backstage.read()
    assert {call for call, _ in asked} == {
        "GET /api/catalog/entities/by-query",
        "POST /api/catalog/entities/by-refs",
    }
    for call, parameters in asked:
        assert parameters <= allowed[call], call
