"""What the API shows of the sample organisation."""

import asyncio

import msgspec
import pytest

from tests.web.api.conftest import PAYMENTS, TEAM, Site, at

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_entities_can_be_asked_for_by_what_they_are(site: Site) -> None:
    everything = await site.all("entities", 7)
    refs = [row["ref"] for row in everything]
    assert refs == sorted(site.daemon.engine.graph.entities)
    services = await site.all("entities", 5, kind="component")
    assert [row["ref"] for row in services] == [ref for ref in refs if ref.startswith("component:")]
    assert {row["standing"] for row in services} == {"managed"}
    owned = await site.found("entities", owner=TEAM, kind="component")
    assert {row["owner"] for row in owned["items"]} == {TEAM}
    assert owned["next"] is None
    strict = await site.found("entities", tier="1")
    assert strict["items"]
    assert {row["tier"] for row in strict["items"]} == {"1"}
    assert [row["ref"] for row in (await site.found("entities", text="PAYMENTS-A"))["items"]] == [PAYMENTS]
    assert (await site.found("entities", standing="held"))["items"] == []


async def test_an_entity_tells_where_each_value_comes_from(site: Site) -> None:
    shown = await site.found(f"entities/{at(PAYMENTS)}")
    assert shown["owner"]["ref"] == TEAM
    assert shown["owner"]["people"]
    values = {value["path"]: value for value in shown["blueprint"]}
    assert values["tier"]["value"] == shown["tier"] == "1"
    assert values["observability.slo.availability"]["value"]
    assert values["observability.slo.availability"]["origin"]
    assert {value["origin"] for value in shown["blueprint"]} > {"tier 1"}
    assert any("%" in promise for promise in shown["promises"])
    assert "tier-inversion" in {finding["code"] for finding in shown["findings"]}
    assert all(set(counts) == {"applied"} for counts in shown["artefacts"].values())
    assert shown["pause"] is None
    assert shown["last_run"] is None
    assert shown["waiting"] == []
    team = await site.found(f"entities/{at(TEAM)}")
    assert team["standing"] == "managed"
    assert team["kind"] == "group"
    person = await site.found(f"entities/{at('user:default/ada')}")
    assert person["standing"] == "unmanaged"
    assert person["blueprint"] == []
    assert (await site.found(f"entities/{at('organisation:default/acme')}"))["standing"] == "managed"


async def test_a_neighbourhood_has_both_directions(site: Site) -> None:
    shown = await site.found(f"entities/{at(PAYMENTS)}/neighbourhood")
    assert "component:default/fraud-check" in {row["ref"] for row in shown["dependencies"]}
    assert shown["rings"]
    assert set(shown["rings"][0]) == {row["ref"] for row in shown["dependents"]}
    assert sum(shown["reached"].values()) == sum(map(len, shown["rings"]))


async def test_artefacts_have_a_text_a_diff_and_a_reason(site: Site) -> None:
    shown = await site.found(f"entities/{at(PAYMENTS)}/artefacts")
    kinds = {kind["kind"]: kind for category in shown["categories"] for kind in category["kinds"]}
    [hpa] = kinds["kubernetes/hpa"]["artefacts"]
    assert hpa["state"] == "applied"
    assert hpa["place"]["path"].endswith(".yaml")
    assert hpa["change"] is None
    one = f"entities/{at(PAYMENTS)}/artefacts/kubernetes/hpa"
    text = await site.found(f"{one}/text")
    assert text["media_type"] == "application/yaml"
    assert "HorizontalPodAutoscaler" in text["text"]
    diff = await site.found(f"{one}/diff")
    assert diff["before"] == diff["after"] == text["text"]
    assert diff["change"]["action"] == "nothing"
    why = await site.found(f"{one}/why")
    leaf = next(leaf for leaf in why["leaves"] if leaf["path"] == "spec.minReplicas")
    assert {reason["origin"] for reason in leaf["reasons"]} >= {"tier 1"}


async def test_every_artefact_can_be_rendered(site: Site) -> None:
    for ref in (PAYMENTS, "organisation:default/acme"):
        shown = await site.found(f"entities/{at(ref)}/artefacts")
        rows = [(kind["kind"], row) for c in shown["categories"] for kind in c["kinds"] for row in kind["artefacts"]]
        assert rows
        for kind, row in rows:
            assert (await site.found(f"entities/{at(ref)}/artefacts/{kind}/text", name=row["name"]))["text"]


async def test_the_graph_is_drawn_whole_or_in_part(site: Site) -> None:
    whole = await site.found("graph")
    assert {node["ref"] for node in whole["nodes"]} >= set(site.daemon.engine.graph.entities)
    near = await site.found("graph", around=PAYMENTS, relation=["dependsOn"])
    assert len(near["nodes"]) < len(whole["nodes"])
    assert {edge["relation"] for edge in near["edges"]} == {"dependsOn"}
    assert all(edge["origins"] and 0 < edge["confidence"] <= 1 for edge in near["edges"])


async def test_questions_to_the_whole_graph(site: Site) -> None:
    assert await site.all("graph/cycles", 1) == []
    inversions = await site.all("graph/inversions", 1)
    assert [PAYMENTS, "component:default/fraud-check"] in [found["path"] for found in inversions]
    assert await site.all("graph/inversions", 1, entity="component:default/cart") == []
    ceilings = await site.all("graph/ceilings", 3)
    assert len(ceilings) == len({found["entity"] for found in ceilings}) > 3
    [ours] = await site.all("graph/ceilings", 3, entity=PAYMENTS)
    assert ours["arithmetic"].startswith(ours["objective"])
    [conflict] = await site.all("conflicts", 1)
    assert (conflict["entity"], conflict["field"]) == ("component:default/search", "owner")
    assert next(iter(conflict["values"])) == conflict["winner"]


async def test_findings_come_the_worst_first(site: Site) -> None:
    found = await site.all("findings", 3)
    assert len(found) == len({msgspec.json.encode(finding) for finding in found}) > 3
    order = ["error", "warning", "note"]
    assert [order.index(f["severity"]) for f in found] == sorted(order.index(f["severity"]) for f in found)
    only = await site.all("findings", 3, code="tier-inversion")
    assert only == [finding for finding in found if finding["code"] == "tier-inversion"]
    notes = await site.all("findings", 50, severity="note", entity=PAYMENTS)
    assert notes == [f for f in found if f["severity"] == "note" and f["entity"] == PAYMENTS]


async def test_findings_are_made_anew_when_the_graph_moves(site: Site) -> None:
    engine = site.daemon.engine
    entity = engine.graph.entities["component:default/cart"]
    before = await site.all("findings", 100)
    changed = msgspec.structs.replace(entity, annotations={**entity.annotations, "nthlayer.dev/tier": "gold"})
    try:
        engine.subjects.forget(engine.graph.update("shop", [changed]))
        assert any("gold" in finding["found"] for finding in await site.all("findings", 100))
        assert (await site.found(f"entities/{at(entity.ref)}"))["standing"] == "held"
        held = await site.get(f"entities/{at(entity.ref)}/artefacts/kubernetes/hpa/text")
        assert held.status == 409
        assert "unknown tier" in held.json["detail"]
    finally:
        engine.subjects.forget(engine.graph.update("shop", [entity]))
    assert await site.all("findings", 100) == before


async def test_a_plan_is_shown_by_part_and_by_change(site: Site) -> None:
    [head] = (await site.found("plans"))["items"]
    assert head["writes"] > 100
    assert head["refusals"] == []
    assert [source["name"] for source in head["sources"]] == ["catalog", "shop", "payments", "code"]
    assert await site.found(f"plans/{head['id']}") == head
    parts = await site.all(f"plans/{head['id']}/parts", 4)
    assert [part["entity"] for part in parts] == sorted(part["entity"] for part in parts)
    changes = [change for part in parts for change in part["changes"]]
    assert len(changes) == sum(sum(counts.values()) for counts in head["counts"].values())
    assert len({change["key"] for change in changes}) == len(changes)
    diff = await site.found(f"plans/{head['id']}/diff", entity=PAYMENTS, kind="kubernetes/hpa")
    assert diff["change"]["action"] == "create"
    assert diff["after"] == diff["before"]


async def test_who_of_a_team_is_called_when(site: Site) -> None:
    shown = await site.found(f"entities/{at(TEAM)}/oncall", weeks=3)
    assert not shown["connected"]
    assert len(shown["schedules"]) == 2
    assert all("payments-team" in schedule["name"] and len(schedule["turns"]) >= 3 for schedule in shown["schedules"])
    assert (await site.get(f"entities/{at(PAYMENTS)}/oncall")).status == 404


async def test_kinds_sources_and_status(site: Site) -> None:
    kinds = {row["kind"]: row for row in (await site.found("kinds"))["items"]}
    assert kinds["kubernetes/hpa"]["on"]
    assert not kinds["datadog/monitor"]["on"]
    sources = (await site.found("sources"))["items"]
    assert [(row["name"], row["type"]) for row in sources][:3] == [(n, "git") for n in ("catalog", "shop", "payments")]
    status = await site.found("status")
    assert status["replica"] == "one"
    assert status["configs"] > 100


async def test_nothing_stands_open_after_an_apply(site: Site) -> None:
    for path in ("changes", "drift", "waiting", "held", "runs"):
        assert await site.found(path) == {"items": [], "next": None}


async def test_annotations_are_those_that_are_written_and_come_with_an_etag(site: Site) -> None:
    said = await site.get("annotations")
    assert said.status == 200
    engine = site.daemon.engine
    assert set(said.json) == {ref for ref in engine.graph.entities if ref.startswith("component:")}
    written = site.daemon.engine.generator.generate(engine.subject(PAYMENTS), {"backstage/annotations"})
    wanted = msgspec.json.decode(engine.generator.kinds["backstage/annotations"].content(written.configs[0].spec))
    ours = said.json[PAYMENTS]["annotations"]
    assert {key: ours[key] for key in wanted["annotations"]} == wanted["annotations"]
    assert said.json[PAYMENTS].get("links", []) == wanted["links"]
    records = {"sync.nthlayer.dev/managed", "sync.nthlayer.dev/written"}
    records |= {"sync.nthlayer.dev/links"} if wanted["links"] else set()
    assert set(ours) - set(wanted["annotations"]) == records
    again = await site.client.get("/api/v1/annotations", headers={"If-None-Match": said.headers["ETag"]})
    assert again.status == 304
    assert again.body == b""


async def test_annotations_follow_the_graph(site: Site) -> None:
    before = await site.get("annotations")
    engine = site.daemon.engine
    entity = engine.graph.entities["component:default/cart"]
    changed = msgspec.structs.replace(entity, annotations={**entity.annotations, "nthlayer.dev/tier": "3"})
    try:
        engine.subjects.forget(engine.graph.update("shop", [changed]))
        after = await site.get("annotations")
        assert after.json["component:default/cart"]["annotations"]["sync.nthlayer.dev/tier"] == "3"
        assert after.headers["ETag"] != before.headers["ETag"]
    finally:
        engine.subjects.forget(engine.graph.update("shop", [entity]))
    assert (await site.get("annotations")).headers["ETag"] == before.headers["ETag"]


async def test_etags_hold_while_nothing_changes(site: Site) -> None:
    for path in ("entities", f"entities/{at(PAYMENTS)}", "graph", "plans", "findings", "kinds"):
        first = await site.get(path)
        again = await site.client.get(f"/api/v1/{path}", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.body) == (304, b""), path


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("entities/component%3Adefault%2Fnobody", 404),
        ("entities/%2F%2F%2F", 404),
        ("entities/component%3Adefault%2F%00", 400),
        ("entities/%ff%fe", 404),
        (f"entities/{'x' * 3000}", 400),
        ("entities?owner=//", 400),
        ("entities?limit=0", 400),
        ("entities?limit=100000000000000000000000000", 400),
        ("entities?cursor=bm9uc2Vuc2U", 400),
        ("entities?standing=odd", 400),
        ("entities?colour=red", 400),
        (f"entities/{at(PAYMENTS)}/artefacts/kubernetes/nothing/text", 404),
        (f"entities/{at(PAYMENTS)}/artefacts/kubernetes/nothing/diff", 404),
        (f"entities/{at(PAYMENTS)}/artefacts/kubernetes/nothing/why", 404),
        (f"entities/{at(PAYMENTS)}/artefacts/kubernetes/hpa/text?name=x", 404),
        ("entities/organisation%3Adefault%2Facme/artefacts/alertmanager/route/why", 409),
        (f"entities/{at('user:default/ada')}/artefacts/kubernetes/hpa/text", 404),
        ("graph?around=component:default/nobody", 404),
        ("graph?depth=21", 400),
        ("plans/nothing", 404),
        ("plans/%27%3B--", 404),
        ("plans/nothing/parts", 404),
        ("runs/nothing", 404),
        ("runs/nothing/writes", 404),
        (f"entities/{at(TEAM)}/oncall?weeks=53", 400),
        ("events?after=-1", 400),
        ("events?after=99999999999999999999", 400),
        ("changes?action=explode", 400),
    ],
)
async def test_what_makes_no_sense_is_a_problem(site: Site, path: str, status: int) -> None:
    said = await site.client.get(f"/api/v1/{path}")
    assert said.status == status, said.body
    assert said.headers["Content-Type"].startswith("application/problem+json")
    assert said.json["status"] == status
    assert said.json["detail"]


async def test_a_plan_tells_of_one_change_only_what_it_has(site: Site) -> None:
    [head] = (await site.found("plans"))["items"]
    assert (await site.get(f"plans/{head['id']}/diff", entity=PAYMENTS, kind="no/such")).status == 404
    assert (await site.get(f"plans/{head['id']}/diff", entity="::", kind="x")).status == 400
    assert (await site.get(f"plans/{head['id']}/diff", kind="x")).status == 400


async def test_explaining_leaves_others_their_turn(site: Site) -> None:
    slow = asyncio.create_task(site.get(f"entities/{at(PAYMENTS)}/artefacts/techdocs/runbook/why"))
    for _ in range(5):
        assert (await site.get("entities", limit=1)).status == 200
        assert not slow.done()
    assert (await slow).status == 200
