"""Cortex: descriptors in files, and the API, well and at fault."""

import json
import re
from pathlib import Path

import pytest
from aiohttp import web

from nthlayer_sync.model.entity import Link, Place
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sources.api import TRIES, ApiSettings
from nthlayer_sync.sources.cortex import CortexSource, cortex_directory
from tests.sources.conftest import Tree
from tests.sources.standin import served


def descriptor(tag: str, **fields: object) -> str:
    info = {"title": tag.title(), "x-cortex-tag": tag} | {key.replace("_", "-"): value for key, value in fields.items()}
    return json.dumps({"openapi": "3.0.1", "info": info})


def edges(snapshot: Snapshot) -> set[str]:
    return {f"{edge.source} {edge.relation} {edge.target}" for edge in snapshot.edges}


async def test_descriptors_become_entities_and_edges(tree: Tree) -> None:
    pay = descriptor(
        "@acme/pay",
        description="Takes money",
        x_cortex_owners=[
            {"type": "group", "name": "acme/payments", "provider": "GITHUB"},
            {"type": "EMAIL", "email": "Ann.Lee@acme.example"},
            {"type": "SLACK", "channel": "pay-alerts"},
        ],
        x_cortex_dependency=[{"tag": "ledger"}, {"tag": "elsewhere"}],
        x_cortex_groups=["tier:1", "public-api", "Not A Tag"],
        x_cortex_oncall={"pagerduty": {"id": "PABC", "type": "SERVICE"}},
        x_cortex_git={"github": {"repository": "acme/pay"}},
        x_cortex_link=[{"name": "Docs", "type": "documentation", "url": "https://docs.example"}],
        x_cortex_domain_parents=[{"tag": "money"}],
        x_cortex_slos={"prometheus": []},
    )
    team = {"members": [{"name": "Ann Lee", "email": "ann.lee@acme.example"}]}
    root = tree(
        {
            "pay/cortex.yaml": pay,
            ".cortex/catalog/ledger.yaml": descriptor("ledger", x_cortex_type="database"),
            ".cortex/domains/money.yaml": descriptor(
                "money", x_cortex_type="domain", x_cortex_children=[{"tag": "ledger"}]
            ),
            ".cortex/teams/payments.yaml": descriptor(
                "payments", x_cortex_type="team", x_cortex_team=team, x_cortex_parents=[{"tag": "engineering"}]
            ),
            "other.yaml": descriptor("not-asked-for"),
        }
    )
    source = cortex_directory("cortex", root, 0.9)
    digest = await source.look()
    snapshot = await source.read()
    assert (snapshot.digest, snapshot.completeness) == (digest, Completeness.COMPLETE)
    entities = {str(entity.ref): entity for entity in snapshot.entities}
    assert set(entities) == {
        "component:default/acme-pay",
        "resource:default/ledger",
        "domain:default/money",
        "group:default/payments",
        "user:default/ann.lee",
    }
    found = entities["component:default/acme-pay"]
    assert found.annotations == {
        "cortex.io/tag": "@acme/pay",
        "github.com/project-slug": "acme/pay",
        "pagerduty.com/service-id": "PABC",
        "slack.com/channel": "pay-alerts",
    }
    assert (found.labels, found.tags) == ({"tier": "1"}, ("public-api",))
    assert found.links == (Link("https://docs.example", "Docs", type="documentation"),)
    assert found.place == Place(str(root), "pay/cortex.yaml")
    assert entities["user:default/ann.lee"].spec["profile"]["displayName"] == "Ann Lee"
    assert edges(snapshot) == {
        "component:default/acme-pay ownedBy group:default/payments",
        "component:default/acme-pay ownedBy user:default/ann.lee",
        "component:default/acme-pay dependsOn resource:default/ledger",
        "component:default/acme-pay dependsOn component:default/elsewhere",
        "component:default/acme-pay partOf domain:default/money",
        "resource:default/ledger partOf domain:default/money",
        "group:default/payments childOf group:default/engineering",
        "user:default/ann.lee memberOf group:default/payments",
    }
    assert {(edge.origin, edge.confidence) for edge in snapshot.edges} == {("cortex", 0.9)}


@pytest.mark.parametrize(
    ("text", "code", "whole"),
    [
        ("info: [", "syntax", False),
        ("", "document-foreign", True),
        ("stages: [build]", "document-foreign", True),
        ("info: {title: x}", "cortex-tag", False),
        ("info: {x-cortex-tag: '%%%'}", "cortex-tag", False),
        ("info: {x-cortex-tag: [a]}", "cortex-tag", False),
        ("info: {x-cortex-tag: a, x-cortex-type: {}}", "cortex-type", False),
        ("info: {x-cortex-tag: a, x-cortex-owners: b}", "cortex-field", True),
        ("info: {x-cortex-tag: a, x-cortex-owners: [{type: EMAIL}]}", "cortex-field", True),
        ("info: {x-cortex-tag: a, x-cortex-dependency: [{cql: x}]}", "cortex-field", True),
        ("info: {x-cortex-tag: a, x-cortex-link: [{url: 'not one'}]}", "cortex-field", True),
        ("info: {x-cortex-tag: a, x-cortex-team: {members: [x]}}", "cortex-field", True),
        (
            "info: {x-cortex-tag: a, x-cortex-relationships: [{type: own}]}",
            "cortex-relationship",
            True,
        ),
        ("info: {x-cortex-tag: ok}", "entity-twice", False),
        (f"info: {{x-cortex-tag: a, description: {'x' * 70_000}}}", "entity-too-large", False),
    ],
)
async def test_what_cannot_be_used_is_reported_with_its_place(tree: Tree, text: str, code: str, whole: bool) -> None:
    root = tree({"a/cortex.yaml": descriptor("ok"), "b/cortex.yaml": text})
    snapshot = await cortex_directory("cortex", root, 0.9).read()
    assert "component:default/ok" in {entity.ref for entity in snapshot.entities}
    (diagnosis,) = snapshot.diagnoses
    assert (diagnosis.file, diagnosis.code) == ("b/cortex.yaml", code)
    assert diagnosis.line or not text
    assert snapshot.completeness is Completeness.COMPLETE
    assert code == "entity-twice" or (not snapshot.unread) == whole


async def test_real_descriptors_give_entities_or_say_why_not(shared: Path) -> None:
    folder = shared / "corpus" / "cortex"
    snapshot = await cortex_directory("cortex", folder, 0.9, patterns=["*"]).read()
    said = {diagnosis.file for diagnosis in snapshot.diagnoses if diagnosis.line}
    told = {entity.place.path for entity in snapshot.entities if entity.place}
    assert {file.name for file in folder.iterdir()} <= said | told
    assert len(told) > 70


class Workspace:
    """A Cortex workspace on the loopback."""

    def __init__(self, count: int = 0, *, page: int = 1000) -> None:
        self.page = page
        self.tags = [f"svc-{number:03d}" for number in range(count)]
        self.faults: dict[int, web.Response] = {}
        self.asked: list[str] = []
        self.headers: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        self.headers.append(request.headers.get("Authorization", ""))
        if fault := self.faults.pop(len(self.asked), None):
            return fault
        if request.path == "/api/v1/teams":
            return web.json_response({"teams": [team("payments"), team("engineering")]})
        if request.path == "/api/v1/teams/relationships":
            return web.json_response({"edges": [{"parentTeamTag": "engineering", "childTeamTag": "payments"}]})
        size, number = min(int(request.query["pageSize"]), self.page), int(request.query["page"])
        rows = self.tags[number * size : (number + 1) * size]
        body: dict[str, object] = {"page": number, "total": len(self.tags), "totalPages": -(-len(self.tags) // size)}
        if request.path == "/api/v1/catalog/descriptors":
            return web.json_response(
                body | {"descriptors": [json.loads(descriptor(tag, **self.written(tag))) for tag in rows]}
            )
        return web.json_response(body | {"entities": [row(tag) for tag in rows]})

    def written(self, tag: str) -> dict[str, object]:
        return {"x_cortex_dependency": [{"tag": self.tags[0]}]} if tag != self.tags[0] else {}


def row(tag: str) -> dict[str, object]:
    group = {"id": "en1", "isArchived": False, "name": "Payments", "tag": "payments"}
    return {
        "id": f"en-{tag}",
        "tag": tag,
        "type": "service",
        "name": tag.title(),
        "description": "From the listing",
        "groups": ["tier-1"],
        "hierarchy": {"parents": [], "children": []},
        "isArchived": False,
        "lastUpdated": "2026-01-01T00:00:00Z",
        "links": [{"name": "Docs", "type": "documentation", "url": "https://docs.example"}],
        "slackChannels": [{"name": "pay", "notificationsEnabled": True}],
        "owners": {"teams": [group], "individuals": [{"email": "bob@acme.example"}]},
        "git": {"provider": "github", "repository": f"acme/{tag}", "repositoryUrl": "https://github.com/acme/x"},
    }


def team(tag: str) -> dict[str, object]:
    member = {"name": "Ann Lee", "email": "ann.lee@acme.example", "notificationsEnabled": True, "roleTags": []}
    return {
        "type": "CORTEX",
        "teamTag": tag,
        "catalogEntityTag": tag,
        "id": "t1",
        "isArchived": False,
        "links": [],
        "slackChannels": [],
        "metadata": {"name": tag.title()},
        "cortexTeam": {"members": [member]},
    }


async def read(workspace: Workspace, **settings: object) -> Snapshot:
    async with served(workspace.answer) as url:
        return await CortexSource("cortex", ApiSettings(url=url, pause=0.001, **settings), 0.9).read()  # type: ignore[arg-type]


async def test_the_service_tells_all_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORTEX_TOKEN", "canary")
    workspace = Workspace(25, page=10)
    snapshot = await read(workspace, authorize=Secrets().header("env:CORTEX_TOKEN"))
    assert (snapshot.completeness, snapshot.diagnoses) == (Completeness.COMPLETE, ())
    assert len([entity for entity in snapshot.entities if entity.kind == "Component"]) == 25
    assert set(workspace.headers) == {"Bearer canary"}
    service = next(entity for entity in snapshot.entities if entity.name == "svc-003")
    assert service.annotations["github.com/project-slug"] == "acme/svc-003"
    assert service.annotations["slack.com/channel"] == "pay"
    assert edges(snapshot) >= {
        "component:default/svc-003 ownedBy group:default/payments",
        "component:default/svc-003 ownedBy user:default/bob",
        "component:default/svc-003 dependsOn component:default/svc-000",
        "group:default/payments childOf group:default/engineering",
        "user:default/ann.lee memberOf group:default/payments",
    }


async def test_a_look_is_the_digest_of_the_read() -> None:
    workspace = Workspace(5)
    async with served(workspace.answer) as url:
        source = CortexSource("cortex", ApiSettings(url=url), 0.9)
        digest = await source.look()
        asked = len(workspace.asked)
        assert (await source.read()).digest == digest
        assert len(workspace.asked) == asked
        assert await source.look() == digest
        workspace.tags.pop()
        assert await source.look() != digest


async def test_it_waits_as_long_as_it_is_told_and_asks_again() -> None:
    workspace = Workspace(25, page=10)
    workspace.faults[2] = web.Response(status=429, headers={"Retry-After": "0"})
    assert (await read(workspace)).completeness is Completeness.COMPLETE
    assert workspace.asked.count("GET /api/v1/catalog") == 3 + 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, b"", "application/json", "HTTP 401"),
        (404, b"", "application/json", "HTTP 404"),
        (429, b"", "application/problem+json", "HTTP 429"),
        (500, b"", "text/plain", "HTTP 500"),
        (200, b"<html>", "text/html", "login page"),
        (200, b'{"entities": [', "application/json", "not what Cortex gives"),
        (200, b"[]", "application/json", "not what Cortex gives"),
        (200, b'{"entities": []}', "application/json", "lacks entities, total or totalPages"),
    ],
)
@pytest.mark.parametrize("page", [0, 1])
async def test_a_page_that_fails_is_named_and_never_complete(
    page: int, status: int, body: bytes, kind: str, said: str
) -> None:
    workspace = Workspace(25, page=10)
    for number in range(TRIES):
        workspace.faults[page + 1 + number] = web.Response(status=status, body=body, content_type=kind)
        if status not in (401, 429, 500):
            break
    snapshot = await read(workspace)
    failed = page == 0 or status == 401
    assert snapshot.completeness is (Completeness.FAILED if failed else Completeness.INCOMPLETE)
    assert f"page {page}: " in snapshot.reason
    assert said in snapshot.reason


@pytest.mark.parametrize("answer", [{"total": 30}, {"entities": [], "totalPages": 9}, {"totalPages": 1}])
async def test_a_listing_that_contradicts_itself_is_never_complete(answer: dict[str, object]) -> None:
    workspace = Workspace(25, page=10)
    told = {"page": 2, "total": 25, "totalPages": 3, "entities": [row("svc-024")]} | answer
    workspace.faults[3] = web.json_response(told)
    assert (await read(workspace)).completeness is Completeness.INCOMPLETE


async def test_an_empty_workspace_proves_nothing() -> None:
    class Empty(Workspace):
        async def answer(self, request: web.Request) -> web.StreamResponse:
            key = {"/api/v1/teams": "teams", "/api/v1/teams/relationships": "edges"}.get(request.path)
            if key:
                return web.json_response({key: []})
            return await super().answer(request)

    assert (await read(Empty(0))).completeness is Completeness.INCOMPLETE


def with_parts(schema: dict, schemas: dict) -> dict:
    """The schema with the parts it refers to, and no others: the whole interface takes minutes to search."""
    needed: dict[str, dict] = {}
    pending = [schema]
    while pending:
        for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(pending.pop())):
            if name not in needed:
                needed[name] = schemas[name]
                pending.append(schemas[name])
    return {**schema, "components": {"schemas": needed}}


async def test_every_request_and_answer_is_as_the_published_interface_says(shared: Path) -> None:
    import aiohttp
    import jsonschema

    spec = json.loads((shared / "specs/api/cortex/cortex.openapi3.json").read_text())
    asked: list[tuple[str, dict[str, str]]] = []
    workspace = Workspace(3)

    async def noting(request: web.Request) -> web.StreamResponse:
        asked.append((request.path, dict(request.query)))
        return await workspace.answer(request)

    async with served(noting) as url, aiohttp.ClientSession(url) as session:
        await CortexSource("cortex", ApiSettings(url=url), 0.9).read()
        for path, query in asked.copy():
            operation = spec["paths"][path]["get"]
            known = {parameter["name"]: parameter for parameter in operation.get("parameters", [])}
            assert set(query) <= set(known)
            assert {name for name, each in known.items() if each.get("required")} <= set(query)
            async with session.get(path, params=query) as response:
                answer = await response.json()
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            if path in ("/api/v1/catalog", "/api/v1/teams/relationships"):
                jsonschema.Draft4Validator(with_parts(schema, spec["components"]["schemas"])).validate(answer)
    assert {path for path, _ in asked} == {
        "/api/v1/catalog",
        "/api/v1/catalog/descriptors",
        "/api/v1/teams",
        "/api/v1/teams/relationships",
    }
