"""What waits, what people changed, what is held: seen and decided over the API."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from nthlayer_sync.model.plan import Plan
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.run import Run, RunState
from tests.web.api.conftest import PAYMENTS, TEAM, Site, at, served

CART = EntityRef("component:default/cart")
TOKENS = {"viewer": "look", "operator": "operate", "admin": "rule"}


@asynccontextmanager
async def guarding(folder: Path) -> AsyncIterator[Site]:
    """Changes of Kubernetes wait for an approval, and who comes in needs a token."""
    tokens = ", ".join(
        f"{{name: {role}, role: {role}, sha256: {sha256(text.encode()).hexdigest()}}}" for role, text in TOKENS.items()
    )
    async with served(folder, f", access: {{tokens: [{tokens}]}}", "{policy: propose}") as found:
        found.client.headers["Authorization"] = f"Bearer {TOKENS['viewer']}"
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One that tests share; what they say there, they take back."""
    async with guarding(tmp_path_factory.mktemp("guarded") / "demo") as found:
        yield found


async def retier(site: Site, tier: str) -> Plan:
    """The cart's people ask for another tier, and the daemon plans what follows from it."""
    engine, daemon = site.daemon.engine, site.daemon
    entity = engine.graph.entities[CART]
    changed = msgspec.structs.replace(entity, annotations={**entity.annotations, "nthlayer.dev/tier": tier})
    engine.subjects.forget(engine.graph.update("shop", [changed]))
    return await engine.reconcile([CART], daemon.store, await daemon.policies.terms())


def edit(site: Site, ref: str, kind: str, old: str, new: str) -> None:
    """Somebody edits an artefact by hand where it landed."""
    engine = site.daemon.engine
    [config] = engine.generator.generate(engine.subject(EntityRef(ref)), {kind}).configs
    tree = site.folder.parent / "edited"
    git("clone", "--quiet", "--branch=nthlayer-sync", config.place.root, str(tree), cwd=site.folder)
    file = tree / config.place.path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    git("commit", "--quiet", "--all", "--message=by hand", cwd=tree)
    git("push", "--quiet", cwd=tree)


def git(*words: str, cwd: Path) -> None:
    who = ("-c", "user.name=Grace", "-c", "user.email=grace@example.com")
    subprocess.run(["git", *who, *words], cwd=cwd, check=True, capture_output=True)


async def test_what_waits_is_approved_by_its_key(tmp_path: Path) -> None:
    async with guarding(tmp_path / "demo") as guarded:
        await approve_what_waits(guarded)


async def approve_what_waits(guarded: Site) -> None:
    await retier(guarded, "3")
    waiting = await guarded.all("waiting", 1)
    assert {change["kind"] for change in waiting} == {"kubernetes/hpa", "kubernetes/rbac"}
    assert all("approval of group:default/shop-team" in change["reason"] for change in waiting)
    shown = await guarded.found(f"entities/{at(CART)}")
    assert list(shown["waiting"]) == waiting
    assert sum(counts.get("waiting", 0) for counts in shown["artefacts"].values()) == 2
    change = next(change for change in waiting if change["kind"] == "kubernetes/hpa")
    body = {"entity": CART, "changes": [change["key"]]}
    refused = await guarded.post("approve", body)
    assert refused.status == 403
    assert refused.json["type"].endswith("/not-allowed")
    stale = await guarded.post("approve", {"entity": CART, "changes": ["0"]}, TOKENS["operator"])
    assert stale.status == 422
    approved = await guarded.post("approve", body, TOKENS["operator"])
    assert (approved.status, approved.json) == (200, {"asked": 1})
    plan = await retier(guarded, "3")
    await guarded.daemon.engine.apply(plan, guarded.daemon.store.parts(plan.id))
    assert await guarded.all("waiting", 1) == [other for other in waiting if other != change]
    diff = await guarded.found(f"entities/{at(CART)}/artefacts/kubernetes/hpa/diff")
    assert diff["before"] == diff["after"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_change_that_waits_is_shown_with_its_diff(guarded: Site) -> None:
    await retier(guarded, "3")
    diff = await guarded.found(f"entities/{at(CART)}/artefacts/kubernetes/hpa/diff")
    assert diff["change"]["action"] == "wait"
    assert diff["before"] != diff["after"]
    assert "HorizontalPodAutoscaler" in diff["before"]


@pytest.mark.asyncio(loop_scope="module")
async def test_changes_can_be_asked_for_by_owner_kind_and_action(guarded: Site) -> None:
    await retier(guarded, "3")
    everything = await guarded.all("changes", 2)
    keys = [(change["entity"], change["kind"], change["name"]) for change in everything]
    assert keys == sorted(set(keys))
    assert {change["action"] for change in everything} == {"wait", "update", "create", "delete"} & {
        change["action"] for change in everything
    }
    updates = await guarded.all("changes", 1, action=["update", "create", "delete"])
    assert updates == [change for change in everything if change["action"] != "wait"]
    assert await guarded.all("changes", 10, owner=TEAM) == []
    assert await guarded.all("changes", 10, entity=PAYMENTS) == []
    [hpa] = await guarded.all("waiting", 10, kind="kubernetes/hpa")
    assert hpa in await guarded.all("waiting", 10)


async def test_what_people_changed_is_shown_as_drift(own: Site) -> None:
    edit(own, PAYMENTS, "kubernetes/hpa", "maxReplicas: ", "maxReplicas: 1")
    await own.daemon.engine.plan()
    [drift] = await own.all("drift", 10)
    assert (drift["entity"], drift["kind"]) == (PAYMENTS, "kubernetes/hpa")
    assert drift["reason"] == "drift: it was changed by hand"
    shown = await own.found(f"entities/{at(PAYMENTS)}/artefacts")
    states = {row["state"] for c in shown["categories"] for k in c["kinds"] for row in k["artefacts"]}
    assert states == {"applied", "drifted"}
    diff = await own.found(f"entities/{at(PAYMENTS)}/artefacts/kubernetes/hpa/diff")
    assert "maxReplicas: 1" in diff["before"]
    assert diff["before"] != diff["after"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_pause_is_set_shown_and_ended(guarded: Site) -> None:
    assert (await guarded.post("pause", {"entity": CART, "reason": "sale"})).status == 403
    assert (await guarded.post("pause", {"entity": CART, "reason": " "}, TOKENS["operator"])).status == 422
    assert (await guarded.post("pause", {"entity": CART, "reason": "sale"}, TOKENS["operator"])).status == 204
    pause = (await guarded.found(f"entities/{at(CART)}"))["pause"]
    assert (pause["entity"], pause["by"], pause["reason"]) == (CART, "operator", "sale")
    assert [each["entity"] for each in (await guarded.found("status"))["pauses"]] == [CART]
    assert (await guarded.post("resume", {"entity": CART}, TOKENS["operator"])).status == 204
    assert (await guarded.found(f"entities/{at(CART)}"))["pause"] is None
    assert (await guarded.post("resume", {"entity": CART}, TOKENS["operator"])).status == 422
    assert (await guarded.post("pause", {"entity": "*", "reason": "all"}, TOKENS["operator"])).status == 204
    assert (await guarded.found(f"entities/{at(PAYMENTS)}"))["pause"]["entity"] == "*"
    assert (await guarded.post("resume", {"entity": "*"}, TOKENS["operator"])).status == 204


@pytest.mark.asyncio(loop_scope="module")
async def test_work_is_asked_for(guarded: Site) -> None:
    operator = TOKENS["operator"]
    assert (await guarded.post("sync", {}, operator)).json == {"asked": 3}
    assert (await guarded.post("sync", {"sources": ["shop", "shop"]}, operator)).json == {"asked": 1}
    assert (await guarded.post("sync", {"sources": ["nowhere"]}, operator)).status == 422
    assert (await guarded.post("audit", {}, operator)).status == 202
    said = await guarded.post("reconcile", {"entities": [CART, PAYMENTS, "component:cart"]}, operator)
    assert (said.status, said.json) == (202, {"asked": 2})
    backlog = (await guarded.found("status"))["backlog"]
    assert all(backlog[topic]["due"] for topic in ("look", "audit", "subject"))
    for command, body in (("sync", {}), ("audit", {}), ("reconcile", {"entities": [CART]})):
        assert (await guarded.post(command, body)).status == 403


@pytest.mark.asyncio(loop_scope="module")
async def test_consent_takes_an_admin(guarded: Site) -> None:
    body = {"guard": "deletes", "count": 3}
    assert (await guarded.post("consent", body, TOKENS["operator"])).status == 403
    assert (await guarded.post("consent", body, TOKENS["admin"])).status == 204
    [consent] = (await guarded.found("status"))["consents"]
    assert (consent["guard"], consent["by"], consent["count"]) == ("deletes", "admin", 3)
    assert (await guarded.post("consent", {"guard": "protected"}, TOKENS["admin"])).status == 422


@pytest.mark.parametrize(
    ("command", "body", "pointer"),
    [
        ("reconcile", {"entities": []}, "#/entities"),
        ("approve", {"entity": CART, "changes": ["x" * 101, "y"]}, "#/changes/0"),
        ("reconcile", {"entities": CART}, "#/entities"),
        ("pause", {"entity": "::", "reason": "x"}, "#/entity"),
        ("consent", {"guard": "all", "count": 1}, "#/guard"),
        ("consent", {"guard": "deletes", "count": 2**60}, "#/count"),
        ("undo", {"plan": "../etc"}, "#/plan"),
        ("undo", {"plan": "x", "more": 1}, "#/more"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_command_that_makes_no_sense_says_where(
    site: Site, command: str, body: dict[str, object], pointer: str
) -> None:
    said = await site.post(command, body)
    assert said.status == 422
    assert pointer in [error["pointer"] for error in said.json["errors"]]


async def test_an_undo_is_made_once_for_its_key(own: Site) -> None:
    [head] = (await own.found("plans"))["items"]
    body = {"plan": head["id"]}
    first = await own.post("undo", body, Idempotency_Key="one")
    assert first.status == 200, first.body
    run = first.json
    assert run["state"] == "done"
    assert run["outcomes"]["done"] == head["writes"]
    assert (await own.post("undo", body, Idempotency_Key="one")).json == run
    assert (await own.post("undo", {"plan": "other"}, Idempotency_Key="one")).status == 422
    assert (await own.post("undo", body, Idempotency_Key="two")).status == 422
    assert (await own.post("undo", body, Idempotency_Key="x" * 201)).status == 400
    assert (await own.post("undo", body)).status == 422
    assert [row["id"] for row in (await own.found("runs"))["items"]] == [run["id"]]
    assert await own.found(f"runs/{run['id']}") == run
    assert (await own.found(f"entities/{at(PAYMENTS)}"))["last_run"]["id"] == run["id"]


async def test_what_a_run_wrote_is_shown_page_by_page(own: Site) -> None:
    [head] = (await own.found("plans"))["items"]
    run = Run(id="r1", trigger="test", replica="one", started=1.0, state=RunState.DONE, plan=head["id"])
    await own.daemon.store.save_run(run)
    writes = await own.all("runs/r1/writes", 100)
    assert len(writes) == head["writes"]
    assert all(write["done"] for write in writes)
    assert len({(write["entity"], write["kind"], write["name"]) for write in writes}) == len(writes)


async def test_an_undo_is_finished_when_nobody_waits_for_it(own: Site) -> None:
    [head] = (await own.found("plans"))["items"]
    asking = asyncio.create_task(own.post("undo", {"plan": head["id"]}, Idempotency_Key="one"))
    async with asyncio.timeout(10):
        while True:
            if await own.daemon.store.notes("undone"):  # it was begun
                break
            await asyncio.sleep(0)
    asking.cancel()
    await own.stop()
    [run] = await own.daemon.store.runs()
    assert run.outcomes["done"] == head["writes"]


@pytest.mark.asyncio(loop_scope="module")
async def test_bytes_that_are_no_text_are_a_problem(site: Site) -> None:
    for path in ("changes?entity=component:default/%ED%A0%80", "entities?text=%ff", "entities/%ED%A0%80"):
        assert (await site.client.get(f"/api/v1/{path}")).status in (200, 400, 404)
    host, _, port = site.client.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = b'{"plan": "x"}'
    head = f"POST /api/v1/undo HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    length = f"Content-Length: {len(body)}\r\nConnection: close\r\n"
    writer.write(f"{head}{length}Idempotency-Key: ".encode() + b"\xff\xfe\r\n\r\n" + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 4"), answer
