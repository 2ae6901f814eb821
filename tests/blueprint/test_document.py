"""Blueprint files and annotations: what they say, and how their mistakes are reported."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.blueprint.document import LONGEST_ANNOTATION, is_ignored, read_annotations, read_blueprint
from nthlayer_sync.blueprint.resolve import resolve
from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.model.diagnosis import Diagnosis

TIERS = load_tiers(None)
VISION = b"""\
service:
  name: checkout
  tier: 1
  observability:
    slo: {availability: 99.95, latency_p99: 200ms, error_rate: 0.1%}
    retention: 1year
  deployment:
    canary_percent: [10, 50, 100]
    windows: business-hours-only
  access:
    secrets: {rotation: 90days}
  cost:
    budget: $5000/month
"""


def wrong(text: str | bytes) -> Diagnosis:
    data = text if isinstance(text, bytes) else text.encode()
    layer = read_blueprint(data, file="nthlayer.yaml", name="checkout", tiers=TIERS)
    assert layer.diagnoses
    assert resolve([layer], TIERS).blueprint is None
    assert all(diagnosis.file == "nthlayer.yaml" for diagnosis in layer.diagnoses)
    return layer.diagnoses[0]


def test_a_blueprint_file_is_a_layer() -> None:
    layer = read_blueprint(VISION, file="services/checkout/nthlayer.yaml", name="Checkout", tiers=TIERS)
    assert layer.diagnoses == ()
    assert layer.origin == "file services/checkout/nthlayer.yaml"
    resolved = resolve([layer], TIERS)
    assert resolved.blueprint
    assert str(resolved.blueprint.cost.budget) == "5000 USD/month"
    assert resolved.origins["observability.slo.error_rate"] == layer.origin


@pytest.mark.parametrize(
    ("text", "line", "column", "said", "allowed"),
    [
        ("service:\n  tier: 9", 2, 9, "service.tier: unknown tier", "critical"),
        ("service:\n  teir: 1", 2, 3, "service.teir: unknown key; did you mean 'tier'?", "tier"),
        ("service:\n  access: {secrets: {rotation: 1M}}", 2, 32, "unknown unit 'M' at character 2", "min"),
        ("service:\n  observability:\n    slo: {availability: .nan}", 3, 25, "between 0 and 100", ""),
        ("service:\n  observability:\n    slo: {availability: 150}", 3, 25, "between 0 and 100", "0 to 100"),
        ("service:\n  deployment: {windows: office}", 2, 25, "unknown window", "always"),
        ("service:\n  deployment: {strategy: blue-gren}", 2, 26, "did you mean 'blue-green'?", "blue-green"),
        ("service:\n  observability:\n    alerts:\n      - name: Slow", 4, 9, "alerts.0.when: is missing", ""),
        ("service:\n  name: search", 2, 9, "for another entity than checkout", "checkout"),
        ("tier: 1", 1, 1, "tier: unknown key", "service"),
        ("service: 5", 1, 10, "service", ""),
        ("service:\n  tier: 1\n  tier: 2", 3, 3, "in line 2 already", ""),
        ("service: {cost: *a}", 1, 17, "aliases", ""),
        ("service: [", 2, 1, "", ""),
    ],
)
def test_a_mistake_in_a_file_is_reported_with_its_place(
    text: str, line: int, column: int, said: str, allowed: str
) -> None:
    diagnosis = wrong(text + "\n")
    assert said in diagnosis.message
    assert (diagnosis.line, diagnosis.column) == (line, column)
    assert not allowed or allowed in diagnosis.allowed


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"a: 1\n---\nb: 2\n", b"- 1\n", b"text\n", b"\xff\xfe\x00"])
def test_what_is_no_blueprint_is_refused(data: bytes) -> None:
    assert wrong(data).message


def test_all_mistakes_are_reported_at_once() -> None:
    text = b"service:\n  tier: 9\n  cost: {budget: 5}\n  access: {reviewers: -1}\n"
    layer = read_blueprint(text, file="nthlayer.yaml", name="checkout", tiers=TIERS)
    assert [diagnosis.line for diagnosis in layer.diagnoses] == [2, 4, 3]


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_crash(data: bytes) -> None:
    read_blueprint(data, file="nthlayer.yaml", name="checkout", tiers=TIERS)


def values_of(annotations: dict[str, str]) -> Any:
    layers = read_annotations({f"nthlayer.dev/{key}": value for key, value in annotations.items()}, TIERS)
    assert not [diagnosis for layer in layers for diagnosis in layer.diagnoses]
    resolved = resolve(layers, TIERS)
    assert resolved.blueprint
    return resolved.blueprint


def test_annotations_are_layers_with_their_keys_as_origin() -> None:
    blueprint = values_of(
        {
            "tier": "1",
            "observability.slo.availability": "99.9",
            "observability.slo": "{availability: 99, latency_p50: 20ms}",
            "deployment.canary_percent": "[10, 50, 100]",
            "deployment.rollback": "false",
            "cost.autoscaling.min": "4",
            "cost.tags": '{"cost-center": "cc-1"}',
            "cost.budget": "null",
            "communication.channel": "12345",
        }
    )
    assert str(blueprint.observability.slo.availability) == "99.9%", "the longer key is the more exact one"
    assert str(blueprint.observability.slo.latency_p50) == "20ms"
    assert blueprint.deployment.canary_percent == (10, 50, 100)
    assert blueprint.deployment.rollback is False
    assert blueprint.cost.autoscaling.min == 4
    assert blueprint.cost.tags == {"cost-center": "cc-1"}
    assert blueprint.communication.channel == "#12345"
    (layer,) = read_annotations({"nthlayer.dev/tier": "1"}, TIERS)
    assert resolve([layer], TIERS).origins["tier"] == "annotation nthlayer.dev/tier"


def test_only_our_input_prefix_is_read() -> None:
    others = {"sync.nthlayer.dev/tier": "9", "backstage.io/techdocs-ref": "dir:.", "nthlayer.device/tier": "9"}
    assert read_annotations(others, TIERS) == ()


@pytest.mark.parametrize(
    ("key", "text", "said", "allowed"),
    [
        ("tier", "9", "unknown tier", "1"),
        ("teir", "1", "unknown annotation; did you mean 'tier'?", "ignore"),
        ("slo.availability", "99", "unknown annotation", "observability"),
        ("observability.slo.avalability", "99", "did you mean 'availability'?", "availability"),
        ("observability.slo.availability", "150", "between 0 and 100", "0 to 100"),
        ("observability.slo.availability", "NaN", "expected a number", ""),
        ("observability.retention", "1M", "unknown unit 'M'", "min"),
        ("deployment.canary_percent", "[50, 10]", "end at 100", ""),
        ("deployment.canary_percent", "10, 50, 100", "has to be a list", ""),
        ("deployment.checks", "[test]", "0: not one of the allowed values; did you mean 'tests'?", "tests"),
        ("observability.alerts", "[{name: A, when: p95 > 1s}]", "0.for: is missing", ""),
        ("observability.metrics.selector", "{app: '{nam}'}", "unknown placeholder '{nam}'", "{name}"),
        ("observability.metrics.errors", 'code="5"} or vector(1)', "unexpected '}'", ""),
        ("cost.tags", "&a [*a, *a]", "has to be a map", ""),
        ("cost.budget", "", "ends too early", ""),
        ("incident.page", "yes", "true or false", ""),
        ("ignore", "yes", "neither true nor false", "true"),
        ("blueprint", "../../etc/passwd.yaml", "no path", ""),
        ("blueprint", "/etc/passwd.yaml", "no path", ""),
        ("blueprint", "a/$(id).yaml", "no path", ""),
        ("cost.tags", "x" * (LONGEST_ANNOTATION + 1), "longer than", ""),
        ("", "1", "unknown annotation", "tier"),
        ("tier.", "1", "", ""),
    ],
)
def test_a_mistake_in_an_annotation_is_reported_with_its_key(key: str, text: str, said: str, allowed: str) -> None:
    (layer,) = read_annotations({f"nthlayer.dev/{key}": text}, TIERS)
    (diagnosis,) = layer.diagnoses
    assert diagnosis.field == f"nthlayer.dev/{key}"
    assert said in diagnosis.message
    assert len(str(diagnosis)) < 600
    assert not allowed or allowed in diagnosis.allowed
    assert resolve([layer], TIERS).blueprint is None


@given(st.dictionaries(st.text(max_size=30).map("nthlayer.dev/".__add__), st.text(max_size=60), max_size=3))
def test_no_annotation_makes_reading_crash(annotations: dict[str, str]) -> None:
    assert len(read_annotations(annotations, TIERS)) == len(annotations)


def test_an_entity_can_be_taken_out() -> None:
    assert is_ignored({"nthlayer.dev/ignore": "true"})
    assert not is_ignored({"nthlayer.dev/ignore": "false"})
    assert read_annotations({"nthlayer.dev/ignore": "true"}, TIERS)[0].diagnoses == ()
