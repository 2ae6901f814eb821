"""What generators get to see of a service, a team and the organisation."""

import pytest

from nthlayer_sync.graph.build import Graph, News
from nthlayer_sync.graph.conflicts import conflicts
from nthlayer_sync.graph.query import cycles, dead_owners, orphans, unknown_targets
from nthlayer_sync.graph.subjects import Held, Subjects
from nthlayer_sync.graph.technology import HINTS, TECHNOLOGIES
from nthlayer_sync.model.blueprint import Packs
from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.service import Home, Person, Service
from nthlayer_sync.model.snapshot import BlueprintFile, CodeFacts
from nthlayer_sync.sources.entities import read_value
from nthlayer_sync.yaml.read import read_documents

A, B, C = (entity_ref("component", name) for name in "abc")


def test_a_service_is_a_component_with_a_tier(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="critical", type="Service", lifecycle="Production", owner="pay", system="shop"),
        describe("component:b", type="service"),
        describe("system:shop", domain="retail"),
    )
    service = subjects.get(A)
    assert (service.type, service.lifecycle, service.blueprint.tier) == ("service", "production", "1")
    assert (service.system, service.domain) == ("system:default/shop", "domain:default/retail")
    assert subjects.get(B) is None
    assert subjects.get(entity_ref("system", "shop")) is None
    notes = [found for found in subjects.diagnoses() if found.code == "unmanaged"]
    assert [(note.entity, note.severity) for note in notes] == [(B, Severity.NOTE)]


def test_layers_are_laid_from_the_team_up_to_the_annotations(view, describe) -> None:
    channel = "nthlayer.dev/communication.channel"
    subjects = view(
        describe("component:a", owner="pay", system="shop"),
        describe("group:pay", tier="3", annotations={channel: "team"}),
        describe("system:shop", annotations={"nthlayer.dev/tier": "2", channel: "system"}),
    )
    assert (subjects.get(A).blueprint.tier, subjects.get(A).blueprint.communication.channel) == ("2", "#system")
    assert subjects.resolved(A).origins["tier"].startswith("system system:default/shop")
    file = BlueprintFile("nthlayer.yaml", b"service: {tier: 1, communication: {channel: file}}\n")
    subjects.forget(subjects.graph.tell("backstage", News(blueprints={A: file})))
    assert (subjects.get(A).blueprint.tier, subjects.get(A).blueprint.communication.channel) == ("1", "#file")
    again = describe("component:a", owner="pay", system="shop", annotations={channel: "own"})
    subjects.forget(subjects.graph.update("backstage", [again]))
    assert (subjects.get(A).blueprint.tier, subjects.get(A).blueprint.communication.channel) == ("1", "#own")


@pytest.mark.parametrize(
    "annotations",
    [
        {"nthlayer.dev/tier": "9"},
        {"nthlayer.dev/tier": "1", "nthlayer.dev/observability.slo.availability": "150"},
        {"nthlayer.dev/tier": "1", "nthlayer.dev/teir": "1"},
        {"nthlayer.dev/tier": "1", "nthlayer.dev/ignore": "perhaps"},
    ],
)
def test_a_mistake_holds_the_service_and_nothing_else(view, describe, annotations) -> None:
    broken = describe("component:a", place="r!a/catalog-info.yaml", annotations=annotations)
    subjects = view(broken, describe("component:b", tier="1"))
    held = subjects.get(A)
    assert isinstance(held, Held)
    assert [(found.entity, found.file) for found in held.diagnoses] == [(A, "a/catalog-info.yaml")]
    assert subjects.get(B).ref == B


def test_a_mistake_of_a_team_holds_its_services_and_names_the_team(view, describe) -> None:
    group = describe("group:pay", annotations={"nthlayer.dev/tier": "9"})
    subjects = view(describe("component:a", tier="1", owner="pay"), group)
    held = subjects.get(A)
    assert isinstance(held, Held)
    assert held.diagnoses[0].entity == group.ref


def test_ignored_is_held_with_a_note_and_leaves_its_team(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="1", owner="pay", annotations={"nthlayer.dev/ignore": "true"}),
        describe("component:b", tier="3", owner="pay"),
        describe("group:pay"),
    )
    held = subjects.get(A)
    assert isinstance(held, Held)
    assert [found.severity for found in held.diagnoses] == [Severity.NOTE]
    team = subjects.get(entity_ref("group", "pay"))
    assert [service.ref for service in team.services] == [B]
    assert team.blueprint.tier == "3"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("..", "r!c.yaml"),
        ("../../etc", "r!c.yaml"),
        ("a/b", "r!c.yaml"),
        (".git", "r!c.yaml"),
        ("a b", "r!c.yaml"),
        ("a\n", "r!c.yaml"),
        ("", "r!c.yaml"),
        ("a" * 64, "r!c.yaml"),
        ("${{ values.name }}", "r!c.yaml"),
        ("a", "r!../c.yaml"),
        ("a", "r!x/../../c.yaml"),
        ("a", "r!/etc/c.yaml"),
        ("a", "r!.git/hooks/c.yaml"),
        ("a", "r!x\\..\\y/c.yaml"),
    ],
)
def test_names_and_places_that_lead_elsewhere_are_held(view, describe, name, place) -> None:
    hostile = describe("component:x", tier="1", place=place)
    hostile = type(hostile)(ref=A, kind="Component", name=name, annotations=hostile.annotations, place=hostile.place)
    subjects = view(hostile, describe("component:b", tier="1"), central=Home("ops"))
    held = subjects.get(A)
    assert isinstance(held, Held)
    assert {found.code for found in held.diagnoses} == {"unsafe-path"}
    assert subjects.get(B).central.folder == "default/b"


def test_homes(view, describe) -> None:
    slug = {"github.com/project-slug": "acme/alpha"}
    subjects = view(
        describe("component:a", tier="1", place="https://git.acme.org/team/a!catalog-info.yaml", annotations=slug),
        describe("component:b", tier="1", place="https://git.acme.org/team/mono.git!svc/catalog-info.yaml"),
        describe("component:c", tier="1", place="https://git.acme.org/team/mono.git!svc/other.yaml", owner="g"),
        describe("component:prod/c", tier="1", place="https://git.acme.org/team/mono.git!svc/prod.yaml"),
        describe("group:g"),
        central=Home("ops", "catalog", "acme/ops"),
    )
    assert subjects.get(A).own == Home("https://git.acme.org/team/a", "", "acme/alpha")
    assert subjects.get(A).central == Home("ops", "catalog/default/a", "acme/ops")
    assert subjects.get(B).own == Home("https://git.acme.org/team/mono.git", "svc/b", "team/mono")
    assert subjects.get(C).own.folder == "svc/c"
    assert subjects.get(entity_ref("component", "c", "prod")).own.folder == "svc/prod/c"
    assert subjects.get(entity_ref("group", "g")).central.folder == "catalog/teams/g"
    assert subjects.get(subjects.graph.organisation).central == Home("ops", "catalog", "acme/ops")


def test_people_behind_an_owner(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="1", owner="pay"),
        describe(
            "group:Pay",
            profile={"displayName": "Payments", "email": "pay@acme.org"},
            members=["ada"],
            children=["core"],
            annotations={"slack.com/channel": "payments", "github.com/team-slug": "acme/pay"},
        ),
        describe("group:core", members=["grace"], children=["pay"]),
        describe("user:ada", profile={"displayName": "Ada Lovelace", "email": "ada@acme.org"}),
    )
    owner = subjects.get(A).owner
    assert (owner.label, owner.email) == ("Payments", "pay@acme.org")
    assert (owner.channel, owner.handle) == ("#payments", "acme/pay")
    assert owner.people == (
        Person(entity_ref("user", "ada"), "Ada Lovelace", "ada@acme.org"),
        Person(entity_ref("user", "grace"), "grace"),
    )


def test_people_say_where_they_live_and_what_they_learnt(view, describe) -> None:
    own = {"timezone": "Europe/Berlin", "holidays": "DE-BY", "badges": "[team-lead, incident-commander]"}
    annotations = {f"nthlayer.dev/{name}": text for name, text in own.items()}
    subjects = view(
        describe("component:a", tier="1", owner="pay"),
        describe("component:b", tier="1", owner="user:ada"),
        describe("group:pay", members=["ada"]),
        describe("user:ada", annotations={**annotations, "nthlayer.dev/deployment.approvals": "4"}),
    )
    ada = Person(
        entity_ref("user", "ada"), "ada", "", "Europe/Berlin", "DE-BY", badges=("incident-commander", "team-lead")
    )
    assert subjects.get(A).owner.people == (ada,)
    assert subjects.get(B).owner.people == (ada,)
    assert subjects.get(B).blueprint.deployment.approvals == 4, "a user that owns something is its own team"
    assert list(subjects.diagnoses()) == []


@pytest.mark.parametrize("key", ["timezone", "timzone"])
def test_a_team_is_held_while_a_member_s_time_zone_cannot_be_read(view, describe, key) -> None:
    """A slip of the pen changes nobody's night."""
    subjects = view(
        describe("component:a", tier="1", owner="pay"),
        describe("group:pay", members=["ada"]),
        describe("user:ada", place="r!org.yaml", annotations={f"nthlayer.dev/{key}": "Europe/Berln"}),
    )
    held = subjects.get(entity_ref("group", "pay"))
    assert isinstance(held, Held)
    (wrong,) = held.diagnoses
    assert (wrong.severity, wrong.file, wrong.entity, wrong.field) == (
        Severity.ERROR, "org.yaml", entity_ref("user", "ada"), f"nthlayer.dev/{key}",
    )  # fmt: skip
    assert isinstance(subjects.get(A), Service)
    assert [str(found) for found in subjects.diagnoses()].count(str(wrong)) >= 1


def test_a_handle_follows_from_the_code_host(view, describe) -> None:
    subjects = view(describe("component:a", tier="1", owner="pay"), describe("group:pay"), code_host="acme")
    assert subjects.get(A).owner.handle == "acme/pay"


def test_an_owner_that_nobody_describes_has_a_name_and_is_no_team(view, describe) -> None:
    subjects = view(describe("component:a", tier="1", owner="pay"))
    assert subjects.get(A).owner.name == "pay"
    assert subjects.get(A).owner.people == ()
    assert subjects.get(entity_ref("group", "pay")) is None


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"annotations": {"slack.com/channel": "#a\n| evil"}}, "slack.com/channel"),
        ({"annotations": {"github.com/team-slug": "acme/pay @everyone"}}, "github.com/team-slug"),
        ({"profile": {"email": "x@y.org\nBcc: z@y.org"}}, "spec.profile.email"),
    ],
)
def test_contact_details_that_are_none_are_left_out_with_a_warning(view, describe, words, field) -> None:
    subjects = view(describe("component:a", tier="1", owner="pay"), describe("group:pay", **words))
    owner = subjects.get(A).owner
    assert (owner.channel, owner.handle, owner.email) == ("", "", "")
    assert [(found.code, found.field) for found in subjects.diagnoses()] == [("unusable-contact", field)]


def test_neighbours(view, describe) -> None:
    availability = {"nthlayer.dev/observability.slo.availability": "99.9%"}
    subjects = view(
        describe("component:a", tier="1", dependsOn=["component:b", "resource:db", "resource:pay", "component:gone"]),
        describe("component:b", tier="2", owner="g", type="service"),
        describe("component:c", tier="3", dependsOn=["component:a"]),
        describe("component:d", tier="3", dependsOn=["component:c", "component:a"]),
        describe("component:e", dependsOn=["component:c"]),
        describe("resource:db", type="aurora-postgresql", annotations=availability),
        describe("resource:pay", type="Third Party"),
        describe("group:g", annotations={"slack.com/channel": "g"}),
    )
    service = subjects.get(A)
    b, gone, db, pay = service.depends_on
    assert (b.tier, b.availability, b.owner, b.channel) == ("2", "99.5", "group:default/g", "#g")
    assert (gone.name, gone.known) == ("gone", False)
    assert (db.technology, db.availability, db.external) == ("postgresql", "99.9", False)
    assert pay.external
    assert [neighbour.name for neighbour in service.dependents] == ["c", "d"]
    assert service.further == (entity_ref("component", "e"),)
    assert subjects.get(B).dependents[0] is subjects.get(C).depends_on[0]
    assert [neighbour.pages for neighbour in service.depends_on] == [True, False, False, False]
    assert not service.dependents[0].pages


def test_an_api_stands_for_who_provides_it(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="1", consumesApis=["known", "orphan"], providesApis=["own"]),
        describe("component:b", tier="1", providesApis=["known"], consumesApis=["own", "known"]),
        describe("api:known", type="openapi"),
        describe("api:orphan", type="grpc"),
    )
    assert [found.ref for found in subjects.get(A).depends_on] == [entity_ref("api", "orphan"), B]
    assert [found.ref for found in subjects.get(A).dependents] == [B]
    assert subjects.get(A).provides == (entity_ref("api", "own"),)
    assert [found.ref for found in subjects.get(B).dependents] == [A]


def test_only_an_api_can_be_stood_for(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="1", dependsOn=["component:b"]),
        describe("component:b", tier="1"),
        describe("component:c", tier="1", providesApis=["component:b"]),
    )
    assert [found.ref for found in subjects.get(A).depends_on] == [B]
    assert [found.ref for found in subjects.get(B).dependents] == [A]
    assert subjects.get(C).dependents == ()


@pytest.mark.parametrize(
    ("reference", "words", "wanted"),
    [
        ("resource:orders", {"type": "postgres"}, "postgresql"),
        ("resource:orders", {"type": "Amazon ElastiCache"}, "redis"),
        ("resource:orders", {"type": "elasticache", "tags": ("memcached",)}, "memcached"),
        ("resource:orders", {"type": "database", "tags": ("mariadb",)}, "mysql"),
        ("resource:orders", {"type": "kafka-topic"}, "kafka"),
        ("resource:orders", {"type": "topic"}, "kafka"),
        ("resource:orders", {"type": "sns-topic"}, ""),
        ("resource:orders-postgres15", {"type": "database"}, "postgresql"),
        ("resource:orders", {"type": "opensearch"}, "elasticsearch"),
        ("resource:orders", {"type": "s3-bucket"}, ""),
        ("component:redis-proxy", {"type": "service", "tags": ("redis",)}, ""),
        ("component:cache", {"type": "redis"}, "redis"),
    ],
)
def test_technology(view, describe, reference, words, wanted) -> None:
    entity = describe(reference, **words)
    assert view(entity).neighbour(entity.ref).technology == wanted


def test_technologies_are_those_that_have_packs() -> None:
    assert {*TECHNOLOGIES.values(), *HINTS.values()} <= set(Packs.model_fields)


@pytest.mark.parametrize(
    ("words", "technologies"),
    [({"labels": {"language": "Golang"}}, ()), ({"tags": ("grpc", "go")}, ("python",)), ({}, ("postgresql", "go"))],
)
def test_language(view, describe, words, technologies) -> None:
    subjects = view(describe("component:a", tier="1", **words))
    facts = CodeFacts(entity=A, technologies=technologies)
    subjects.forget(subjects.graph.tell("git", News(facts={A: facts})))
    assert (subjects.get(A).language, subjects.get(A).facts) == ("go", facts)


def test_a_team_has_the_blueprint_of_its_strictest_service(view, describe, tiers) -> None:
    subjects = view(
        describe("component:a", tier="3", owner="pay"),
        describe("component:b", tier="1", owner="pay"),
        describe("component:c", owner="pay"),
        describe("resource:db", owner="pay"),
        describe("group:pay", parent="company"),
        describe("group:company"),
    )
    team = subjects.get(entity_ref("group", "pay"))
    assert ([service.name for service in team.services], team.blueprint.tier) == (["a", "b"], "1")
    assert team.parent == "group:default/company"
    assert subjects.get(entity_ref("group", "company")) is None
    organisation = subjects.get(entity_ref("organisation", "acme"))
    assert [contact.name for contact in organisation.teams] == ["pay"]
    assert organisation.tiers == ("1", "2", "3")
    assert [window.name for window in organisation.windows] == sorted(tiers.windows)


def test_a_team_waits_only_when_a_tier_cannot_be_read(view, describe) -> None:
    broken = {"nthlayer.dev/observability.slo.availability": "150"}
    group = entity_ref("group", "pay")
    a, pay = describe("component:a", tier="1", owner="pay", annotations=broken), describe("group:pay")
    subjects = view(a, pay, describe("component:b", tier="3", owner="pay"))
    assert isinstance(subjects.get(A), Held)
    assert subjects.get(group).blueprint.tier == "1"
    subjects = view(describe("component:a", tier="9", owner="pay"), pay, describe("component:b", tier="3", owner="pay"))
    assert isinstance(subjects.get(group), Held)
    assert [contact.name for contact in subjects.get(entity_ref("organisation", "acme")).teams] == ["pay"]


def test_all_of_them_in_order(view, describe) -> None:
    subjects = view(
        describe("group:g"), describe("component:b", tier="1", owner="g"), describe("component:a", tier="9")
    )
    assert [found.ref for found in subjects] == [A, B, "group:default/g", "organisation:default/acme"]


def test_groups_in_a_loop_and_a_very_deep_tree_end(view, describe) -> None:
    loop = [describe("group:g", parent="h", members=["ada"]), describe("group:h", parent="g", children=["h"])]
    deep = [describe(f"group:d{level}", parent=f"d{level - 1}") for level in range(1, 2000)]
    subjects = view(describe("component:a", tier="1", owner="h"), describe("component:b", owner="d0"), *loop, *deep)
    assert [person.name for person in subjects.get(A).owner.people] == ["ada"]
    assert len(subjects.graph.update("backstage", [describe("group:d1999", parent="d1998", title="Deep")])) > 1999


def test_real_organisations(shared, tiers) -> None:
    graph = Graph(organisation="corpus")
    for folder in ("org", "catalog"):
        for path in sorted((shared / "corpus" / folder).glob("*.y*ml")):
            documents, _ = read_documents(path.read_bytes(), file=path.name)
            entities = [found for document in documents if (found := read_value(document.value).entity)]
            graph.update(path.name.partition("__")[0], entities)
    subjects = Subjects(graph, tiers)
    assert len(graph.entities) > 500
    assert [found for found in subjects if not isinstance(found, Held)][-1].ref == graph.organisation
    findings = [*subjects.diagnoses(), *orphans(graph), *dead_owners(subjects), *unknown_targets(graph)]
    assert {"unmanaged", "no-owner", "unknown-owner", "unknown-target"} <= {found.code for found in findings}
    people = [subjects.contact(ref).people for ref in graph.entities if ref.startswith("group:")]
    assert max(map(len, people)) > 5
    assert list(conflicts(graph, tiers.names))
    cycles(graph)


def test_the_organisation_knows_everybody_who_owns_cloud_resources(view, describe) -> None:
    subjects = view(
        describe("component:a", tier="1", owner="pay"),
        describe("component:b", owner="nobody"),
        describe("resource:db", owner="platform"),
        describe("system:shop", owner="shop"),
        describe("resource:queue", owner="user:ada"),
        *(describe(f"group:{name}") for name in ("pay", "platform", "shop", "nobody")),
    )
    organisation = subjects.get(subjects.graph.organisation)
    assert [contact.name for contact in organisation.teams] == ["pay", "platform", "shop", "ada"]
