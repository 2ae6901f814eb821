"""A live edit becomes a value of the blueprint: only what gives exactly what is live, and by the kinds' own output."""

import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from nthlayer_sync.blueprint.layer import Layer
from nthlayer_sync.blueprint.resolve import resolve
from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.nudge import dials
from nthlayer_sync.engine.promote import Promoted, promote
from nthlayer_sync.engine.search import TEXT, Edit
from nthlayer_sync.engine.trial import Trial
from nthlayer_sync.model.config import ConfigId, Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.discover import load
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.testing import service_from

PLUGINS = ("kubernetes", "openslo", "prometheus", "techdocs")
WRITTEN: dict[str, Any] = {
    "tier": "1",
    "observability": {
        "slo": {"availability": 99.95, "latency_p99": "200ms"},
        "alerts": [{"name": "Slow", "when": "p95 > 500ms", "for": "10m", "severity": "ticket", "summary": "slow"}],
    },
    "deployment": {"strategy": "canary", "canary_percent": [10, 50, 100]},
    "cost": {"tags": {"cost-centre": "cc-1"}},
}
GENERATOR = Generator([load(name)(load(name).settings_type()) for name in PLUGINS])


def trial_of(written: dict[str, Any], *above: Layer, generator: Generator = GENERATOR) -> Trial:
    resolved = resolve([Layer("file nthlayer.yaml", written), *above], load_tiers(None))
    assert not resolved.diagnoses
    service = service_from({"blueprint": written})
    assert resolved.blueprint is not None
    service = type(service)(
        **{name: getattr(service, name) for name in service.__struct_fields__}
        | {"blueprint": resolved.blueprint, "blueprint_digest": resolved.digest}
    )
    return Trial(service, resolved.layers, load_tiers(None), generator)


TRIAL = trial_of(WRITTEN)


def paths(trial: Trial) -> dict[ConfigId, str]:
    return {config.id: config.place.path for config in trial.generator.generate(trial.service).configs}


def edited(trial: Trial, kind: str, *changes: tuple[str, str]) -> Promoted:
    """Promote a config in which a person replaced texts."""
    ((id, text), *_) = sorted((trial.contents({}, {kind}) or {}).items())
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    found = promote(trial, {id: Edit(text, paths(trial)[id])})
    if not found.promotions[0].unsaid:
        assert (trial.contents(found.said) or {})[id] == text
    return found


def reasons(found: Promoted) -> dict[str, str]:
    return {unsaid.path: unsaid.reason for each in found.promotions for unsaid in each.unsaid}


HPA = "kubernetes/hpa"
MEMORY = """\
    - type: Resource
      resource:
        name: memory
        target:
          type: Utilization
          averageUtilization: 85
"""


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        (HPA, [("minReplicas: 3", "minReplicas: 5")], {"cost.autoscaling.min": 5}),
        (
            HPA,  # neither is possible without the other, in this order
            [("minReplicas: 3", "minReplicas: 77"), ("maxReplicas: 20", "maxReplicas: 100")],
            {"cost.autoscaling.max": 100, "cost.autoscaling.min": 77},
        ),
        (
            HPA,  # two things that have nothing to do with each other
            [("averageUtilization: 70", "averageUtilization: 65"), ("WindowSeconds: 300", "WindowSeconds: 90")],
            {"cost.autoscaling.cpu": "65%", "cost.autoscaling.scale_down_stabilisation": "1m30s"},
        ),
        (HPA, [("  behavior:", MEMORY + "  behavior:")], {"cost.autoscaling.memory": "85%"}),
        (
            "prometheus/alert_rules",
            [("> 0) > 0.01", "> 0) > 0.02"), ("more than 1%", "more than 2%"), ("More than 1%", "More than 2%")],
            {"observability.golden.error_rate": "2%"},
        ),
        (
            "openslo/slo",
            [("target: 0.9995", "target: 0.999"), ("99.95% of requests", "99.9% of requests")],
            {"observability.slo.availability": 99.9},
        ),
    ],
)  # fmt: skip
def test_an_edit_that_a_blueprint_can_say(kind, changes, said):
    found = edited(TRIAL, kind, *changes)
    assert found.promotions[0].said == said
    assert reasons(found) == {}


def test_what_else_changes_is_told():
    found = edited(TRIAL, HPA, ("minReplicas: 3", "minReplicas: 5"))
    assert found.also == ()
    found = edited(TRIAL, "openslo/slo", ("target: 0.9995", "target: 0.999"), ("99.95% of", "99.9% of"))
    assert {id.kind for id in found.also} >= {"prometheus/slo_rules", "techdocs/runbook"}


def test_a_sentence_that_nobody_changed_along_follows():
    found = edited(TRIAL, "prometheus/alert_rules", ("> 0) > 0.01", "> 0) > 0.02"))
    assert found.promotions[0].said == {"observability.golden.error_rate": "2%"}
    assert {path.rpartition(".")[2] for path in reasons(found)} == {"summary", "description"}
    assert all("follows" in reason for reason in reasons(found).values())


def test_a_value_that_decides_more_than_was_edited_is_named_but_not_said():
    found = edited(TRIAL, "prometheus/alert_rules", ("for: 5m", "for: 10m"))
    assert found.said == {}
    ((path, reason),) = reasons(found).items()
    assert path == "groups[0].rules[0].for"
    assert 'observability.golden.for = "10m" gives this, but also changes' in reason


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ([("minReplicas: 3", "minReplicas: 77")], "spec.minReplicas", "min (77) is greater than max (20)"),
        ([("team: payments-team", "team: other")], "metadata.labels.nthlayer.dev/team", "it comes from the catalog"),
        ([("scaleDown", "scaleUp")], "spec.behavior.scaleUp.stabilizationWindowSeconds", "generates nothing there"),
        ([("kind: Deployment", "kind: Rollout")], "spec.scaleTargetRef.kind", "the kind itself fixes it"),
        ([("# Managed", "# Not managed")], "line 1", "the kind itself fixes it"),
    ],
)
def test_an_edit_that_no_blueprint_says(changes, path, reason):
    found = edited(TRIAL, HPA, *changes)
    assert found.said == {}
    assert reason in reasons(found)[path]


def test_the_tier_is_no_answer():
    found = edited(TRIAL, HPA, ('nthlayer.dev/tier: "1"', 'nthlayer.dev/tier: "2"'))
    assert found.said == {}


def test_a_comment_beside_a_value_keeps_it_from_being_exact():
    found = edited(TRIAL, HPA, ("minReplicas: 3", "minReplicas: 5 # ask Ada"))
    assert found.promotions[0].said == {"cost.autoscaling.min": 5}
    assert list(reasons(found)) == [TEXT]


def test_an_annotation_goes_before_the_file():
    annotation = Layer("annotation nthlayer.dev/cost.autoscaling.min", {"cost": {"autoscaling": {"min": 4}}})
    found = edited(trial_of(WRITTEN, annotation), HPA, ("minReplicas: 4", "minReplicas: 6"))
    assert found.said == {}
    assert "annotation nthlayer.dev/cost.autoscaling.min goes before" in reasons(found)["spec.minReplicas"]


def test_a_config_that_was_removed():
    ((id, _),) = (TRIAL.contents({}, {"techdocs/runbook"}) or {}).items()
    found = promote(TRIAL, {id: Edit(None, paths(TRIAL)[id])})
    assert found.promotions[0].said == {"documentation.runbook": False}
    ((id, _),) = (TRIAL.contents({}, {HPA}) or {}).items()
    found = promote(TRIAL, {id: Edit(None, paths(TRIAL)[id])})
    assert found.said == {}
    assert "it was removed" in reasons(found)["(exists)"]


def test_several_configs_of_a_service_at_once():
    contents = TRIAL.contents({}) or {}
    where = paths(TRIAL)
    said = {("cost", "autoscaling", "min"): 6, ("documentation", "review"): "45d"}
    now = TRIAL.contents(said) or {}
    moved = {id: Edit(now[id], where[id]) for id in contents if now.get(id) not in (None, contents[id])}
    assert len(moved) > 1
    found = promote(TRIAL, moved)
    assert not reasons(found)
    assert {id: (TRIAL.contents(found.said) or {})[id] for id in moved} == {
        id: edit.content for id, edit in moved.items()
    }


class LimitSpec(Spec):
    replicas: int
    mode: str
    budget: str | None


def limit(service: Service):
    blueprint = service.blueprint
    yield LimitSpec(
        replicas=blueprint.cost.autoscaling.max * 2,
        mode=blueprint.deployment.strategy,
        budget=str(blueprint.cost.budget.amount * 3) if blueprint.cost.budget else None,
    )


class Limits(OperationalPlugin):
    """A live kind that nothing here knows of."""

    name = "limits"
    version = "1"
    category = Category.COST
    summary = "limits, to test with"
    kinds = (
        Kind(name="limits/limit", version=1, summary="limits", subject=Service, spec=LimitSpec, generate=limit),
    )  # fmt: skip

    def place(self, kind, subject, spec):
        from nthlayer_sync.model.entity import Place

        return Place("limits", f"limits/{subject.name}")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"replicas":40', '"replicas":50', {"cost.autoscaling.max": 25}),
        ('"mode":"canary"', '"mode":"rolling"', {"deployment.strategy": "rolling"}),
        ('"budget":null', '"budget":"6000"', None),
    ],
)
def test_a_live_object(old, new, said):
    trial = trial_of(WRITTEN, generator=Generator([Limits(Limits.settings_type())]))
    found = edited(trial, "limits/limit", (old, new))
    assert found.promotions[0].said == said if said else reasons(found)


def changed(step: tuple[str | int, ...], value: object, chance: random.Random) -> object:
    """Another value that somebody could want."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, list) and value and all(isinstance(item, int) for item in value):
        return sorted({chance.randint(1, 99), chance.randint(1, 99), 100})
    if value is None:
        return chance.choice(["37%", "17m", 23])
    if found := dials(value):
        number, turn = chance.choice(found)
        return turn(round(number * Fraction(chance.randint(60, 170), 100), chance.choice([0, 1, 2])))
    return value


@pytest.mark.parametrize("seed", range(4))
def test_any_single_change_that_was_made_live_by_hand_is_found(seed):
    chance = random.Random(seed)
    inputs, base, where = [*TRIAL.inputs()], TRIAL.contents({}) or {}, paths(TRIAL)
    chance.shuffle(inputs)
    tried = 0
    for step, value in inputs:
        keys, whole = TRIAL.say(step, changed(step, value, chance), {})
        now = TRIAL.contents({keys: whole}) or {}
        moved = [id for id in base if id in now and now[id] != base[id]]
        if not moved:
            continue
        id = chance.choice(moved)
        found = promote(replace(TRIAL), {id: Edit(now[id], where[id])})
        assert not reasons(found), (step, value, whole, id)
        assert (TRIAL.contents(found.said) or {})[id] == now[id]
        tried += 1
        if tried == 5:
            break
