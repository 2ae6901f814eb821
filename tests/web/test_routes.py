"""What the core does for every route: reading, refusing, ETags, and problems that tell nothing of our insides."""

import asyncio
import io
import json
from typing import Annotated, Any, Literal

import pytest
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from nthlayer_sync.daemon.person import NotAllowed
from nthlayer_sync.errors import InputError, PermanentError, TemporaryError
from nthlayer_sync.sdk.redact import hide
from nthlayer_sync.settings.serve import AccessSettings, TokenSettings
from nthlayer_sync.web.problem import TYPES, Refusal
from nthlayer_sync.web.route import Context, Encoded, Page, Paging, Query, Route
from tests.web.conftest import Serve


class Asked(Paging):
    """How dogs are asked for."""

    kind: tuple[str, ...] = Field(default=(), description="Kinds.")
    size: Literal["small", "large"] | None = None
    from_: int = Field(default=0, alias="from")


class Sent(BaseModel):
    """A dog."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=20)]
    legs: int = Field(default=4, ge=0)
    friends: tuple[str, ...] = ()


class Dog(BaseModel):
    """A dog as it is."""

    name: str
    by: str
    query: dict[str, Any] = {}


async def one_dog(context: Context) -> Dog:
    """Any dog."""
    return Dog(name=context.path["name"], by=context.person.name)


async def dogs(context: Context) -> Page[Dog]:
    asked = context.asked(Asked)
    return Page(items=(Dog(name="rex", by=context.person.name, query=asked.model_dump()),), next=None)


async def make_dog(context: Context) -> Dog:
    return Dog(name=context.sent(Sent).name, by=context.person.name)


async def sniff(context: Context) -> Encoded:
    return Encoded(b'{"kept":1}', etag='"kept"')


async def wash(context: Context) -> None:
    return None


async def bark(context: Context) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(context.request)
    await response.write(b"data: wow\n\n")
    return response


async def fail(context: Context) -> Dog:
    match context.path["how"]:
        case "refusal":
            raise Refusal(404, "there is no such dog")
        case "not-allowed":
            raise NotAllowed("the dog is not yours")
        case "input":
            raise InputError("a dog has four legs")
        case "permanent":
            raise PermanentError("the dog is gone; token hunter2-secret")
        case "temporary":
            raise TemporaryError("the dog sleeps", delay=17)
        case _:
            raise RuntimeError("insides: /etc/passwd")


ROUTES = (
    Route("GET", "/api/v1/dogs", "Dogs", Page[Dog], dogs, "dogs", query=Asked),
    Route("POST", "/api/v1/dogs", "Make a dog", Dog, make_dog, "dogs", role="operator", body=Sent, status=201),
    Route("GET", "/api/v1/dogs/{name}", "A dog", Dog, one_dog, "dogs"),
    Route("POST", "/api/v1/dogs/{name}/wash", "Wash a dog", None, wash, "dogs", role="admin", status=204),
    Route("GET", "/api/v1/sniff", "Sniff", Dog, sniff, "dogs"),
    Route("GET", "/api/v1/bark", "Bark", None, bark, "dogs", media_type="text/event-stream"),
    Route("GET", "/api/v1/fail/{how}", "Fail", Dog, fail, "failures", role=None),
)
VIEWER = AccessSettings(tokens=(TokenSettings(name="vera", sha256="0" * 64),))


async def test_a_route_is_handled(serve: Serve) -> None:
    client = await serve(ROUTES)
    said = await client.get("/api/v1/dogs/component:default%2Frex")
    assert (said.status, said.json) == (200, {"name": "component:default/rex", "by": "local", "query": {}})
    said = await client.get("/api/v1/dogs?limit=7&kind=a&kind=b&size=small&from=3")
    assert said.json["items"][0]["query"] == {
        "cursor": "", "limit": 7, "kind": ["a", "b"], "size": "small", "from_": 3,
    }  # fmt: skip
    said = await client.ask("POST", "/api/v1/dogs", json={"name": "rex"})
    assert (said.status, said.json["name"], said.headers["Cache-Control"]) == (201, "rex", "no-store")
    said = await client.ask("POST", "/api/v1/dogs/rex/wash")
    assert (said.status, said.body) == (204, b"")
    said = await client.get("/api/v1/bark")
    assert said.body == b"data: wow\n\n"
    assert said.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("target", "pointer"),
    [
        ("?limit=0", "#/limit"),
        ("?limit=501", "#/limit"),
        ("?limit=many", "#/limit"),
        ("?limit=" + "9" * 5000, "#/limit"),
        ("?limit=1&limit=2", "#/limit"),
        ("?size=medium", "#/size"),
        ("?colour=red", "#/colour"),
        ("?from_=3", "#/from_"),
        ("?kind=a%00b", "#/kind"),
        ("?a%00b=1", "#/a?b"),
    ],
)
async def test_a_query_that_does_not_fit_is_refused_by_name(serve: Serve, target: str, pointer: str) -> None:
    client = await serve(ROUTES)
    said = await client.get("/api/v1/dogs" + target)
    assert said.status == 400
    assert said.headers["Content-Type"] == "application/problem+json"
    assert said.json["type"] == f"{TYPES}bad-request"
    assert [(each["where"], each["pointer"]) for each in said.json["errors"]] == [("query", pointer)]


async def test_a_route_without_a_query_takes_no_parameter(serve: Serve) -> None:
    client = await serve(ROUTES)
    assert (await client.get("/api/v1/sniff?x=1")).status == 400
    said = await client.get("/api/v1/dogs/a%00b")
    assert (said.status, said.json["errors"][0]["where"]) == (400, "path")


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("data", "headers", "status", "pointers"),
    [
        (b'{"name": "rex"', JSON, 400, []),
        (b"", JSON, 400, []),
        (b"\xff\xfe", JSON, 400, []),
        (b"[" * 100_000, JSON, 400, []),
        (b'{"name": "\\ud800"}', JSON, 400, []),
        (b"[]", JSON, 422, ["#"]),
        (b"null", JSON, 422, ["#"]),
        (b'{"name": "", "legs": "4", "x/y": 1}', JSON, 422, ["#/name", "#/legs", "#/x~1y"]),
        (b'{"name": "a\\u0000b"}', JSON, 422, ["#/name"]),
        (b'{"name": "rex", "friends": ["a", "\\u0000"]}', JSON, 422, ["#/friends/1"]),
        (b'{"name": "rex"}', {"Content-Type": "text/plain"}, 415, []),
        (b"name=rex", {"Content-Type": "application/x-www-form-urlencoded"}, 415, []),
        (b'{"name": "rex"}', {**JSON, "Content-Encoding": "gzip"}, 415, []),
        (b'{"name": "' + b"x" * (1 << 20) + b'"}', JSON, 413, []),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_by_name(
    serve: Serve, data: bytes, headers: dict[str, str], status: int, pointers: list[str]
) -> None:
    client = await serve(ROUTES)
    said = await client.ask("POST", "/api/v1/dogs", data=io.BytesIO(data), headers=headers)
    assert said.status == status, said.body
    assert said.headers["Content-Type"] == "application/problem+json"
    assert [each["pointer"] for each in said.json.get("errors", ())] == pointers


async def test_an_escaped_backslash_before_u0000_is_no_nul(serve: Serve) -> None:
    client = await serve(ROUTES)
    said = await client.ask("POST", "/api/v1/dogs", data=b'{"name": "a\\\\u0000"}', headers=JSON)
    assert said.json["name"] == "a\\u0000"


async def test_a_very_wrong_body_gets_a_short_answer(serve: Serve) -> None:
    client = await serve(ROUTES)
    data = json.dumps({"name": "rex", "friends": list(range(100_000))})
    said = await client.ask("POST", "/api/v1/dogs", data=data, headers=JSON)
    assert said.status == 422
    assert len(said.json["errors"]) == 50


@pytest.mark.parametrize(
    ("how", "status", "kind", "detail"),
    [
        ("refusal", 404, "not-found", "there is no such dog"),
        ("not-allowed", 403, "not-allowed", "the dog is not yours"),
        ("input", 422, "invalid", "a dog has four legs"),
        ("permanent", 409, "conflict", "the dog is gone; token [removed]"),
        ("temporary", 503, "not-now", "the dog sleeps"),
        ("bug", 500, "internal-error", "something went wrong here; the log says what"),
    ],
)
async def test_what_is_raised_becomes_its_problem(
    serve: Serve, capfd: pytest.CaptureFixture[str], how: str, status: int, kind: str, detail: str
) -> None:
    hide("hunter2-secret")
    client = await serve(ROUTES)
    said = await client.get(f"/api/v1/fail/{how}")
    assert said.status == status
    assert said.json["type"] == f"{TYPES}{kind}"
    assert (said.json["status"], said.json["detail"]) == (status, detail)
    assert said.json["title"]
    assert b"passwd" not in said.body
    assert b"Traceback" not in said.body
    assert said.headers["Cache-Control"] == "no-store"
    assert ("/etc/passwd" in capfd.readouterr().err) == (how == "bug")
    if how == "temporary":
        assert said.headers["Retry-After"] == "17"


async def test_refusals_of_the_framework_are_problems_too(serve: Serve) -> None:
    client = await serve(ROUTES)
    said = await client.get("/nothing")
    assert (said.status, said.json["type"]) == (404, f"{TYPES}not-found")
    said = await client.ask("DELETE", "/api/v1/dogs")
    assert (said.status, said.json["type"]) == (405, f"{TYPES}method-not-allowed")
    assert said.headers["Allow"] == "GET,HEAD,POST"


async def test_an_answer_that_the_client_has_is_not_sent_again(serve: Serve) -> None:
    client = await serve(ROUTES)
    first = await client.get("/api/v1/dogs/rex")
    etag = first.headers["ETag"]
    assert etag.startswith('"')
    assert first.headers["Cache-Control"] == "private, no-cache"
    for named in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await client.get("/api/v1/dogs/rex", headers={"If-None-Match": named})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    assert (await client.get("/api/v1/dogs/rex", headers={"If-None-Match": '"other"'})).status == 200
    assert (await client.get("/api/v1/dogs/bello")).headers["ETag"] != etag
    kept = await client.get("/api/v1/sniff", headers={"If-None-Match": '"kept"'})
    assert kept.status == 304
    head = await client.ask("HEAD", "/api/v1/dogs/rex")
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", etag)


async def test_a_route_that_needs_more_says_so() -> None:
    from nthlayer_sync.daemon.person import Person

    with pytest.raises(NotAllowed, match="vera is a viewer, and this takes an operator"):
        Person("vera").require("operator", "this")


async def test_two_routes_of_one_name_cannot_be_described(serve: Serve) -> None:
    other = Route("GET", "/api/v1/other", "Other dogs", None, one_dog, "dogs")
    with pytest.raises(ValueError, match="one_dog"):
        await serve((*ROUTES, other))


async def test_a_handler_ends_when_its_client_has_left(serve: Serve) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(context: Context) -> Dog:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    client = await serve((Route("GET", "/wait", "Wait", Dog, wait, "dogs", query=Query),))
    asking = asyncio.create_task(client.get("/wait"))
    await begun.wait()
    asking.cancel()
    await asyncio.wait_for(ended.wait(), 5)
