"""Laying layers over each other: order, origins, sharing, and what happens when something is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.blueprint.layer import Layer, combine, origins, overlay
from nthlayer_sync.blueprint.resolve import NO_TIER, resolve
from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.diagnosis import Diagnosis, Severity

TIERS = load_tiers(None)
ORDER = ("team group:default/payments", "system system:default/shop", "file nthlayer.yaml", "annotation nthlayer.dev/x")

trees = st.recursive(
    st.none() | st.integers() | st.lists(st.integers(), max_size=2),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)
maps = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


def merge_patch(target: Any, patch: Any) -> Any:
    """The pseudo-code of RFC 7386, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


@given(maps, maps)
def test_layers_combine_as_json_merge_patch(below: dict[str, Any], above: dict[str, Any]) -> None:
    before = json.dumps([below, above])
    assert overlay(below, above) == merge_patch(below, above)
    assert json.dumps([below, above]) == before


@given(st.lists(maps, max_size=4))
def test_each_leaf_has_one_origin_that_said_it(stack: list[dict[str, Any]]) -> None:
    layers = [Layer(str(place), values) for place, values in enumerate(stack)]
    known = origins(layers)
    for path, value in leaves(combine(stack)):
        if value == {}:  # what is left of a map from which everything was taken away
            continue
        said = dict(leaves(stack[int(known[path])]))
        assert said[path] == value
        assert all(path not in dict(leaves(values)) for values in stack[int(known[path]) + 1 :])


def leaves(tree: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found = list[tuple[str, Any]]()
    for key, value in tree.items():
        path = f"{above}.{key}" if above else key
        found += leaves(value, path) if isinstance(value, dict) and value else [(path, value)]
    return found


@pytest.mark.parametrize("strongest", range(len(ORDER)))
def test_the_last_layer_that_speaks_wins(strongest: int) -> None:
    layers = [
        Layer(origin, {"tier": "3", "access": {"reviewers": place + 10}})
        for place, origin in enumerate(ORDER[: strongest + 1])
    ]
    resolved = resolve(layers, TIERS)
    assert resolved.blueprint
    assert resolved.blueprint.access.reviewers == strongest + 10
    assert resolved.origins["access.reviewers"] == ORDER[strongest]
    assert resolved.origins["access.secrets.rotation"] == "every tier"
    assert resolved.origins["observability.slo.availability"] == "tier 3"


def test_the_strongest_layer_that_names_a_tier_chooses_it() -> None:
    layers = [Layer("team", {"tier": 3}), Layer("file", {"tier": "critical"}), Layer("annotation", {"access": {}})]
    resolved = resolve(layers, TIERS)
    assert resolved.blueprint
    assert resolved.blueprint.tier == "1"
    assert resolved.origins["tier"] == "file"
    assert resolved.origins["incident.commander"] == "tier 1"


def test_without_a_tier_nothing_is_guessed() -> None:
    resolved = resolve([Layer("team", {"access": {"reviewers": 1}})], TIERS)
    assert resolved.blueprint is None
    assert [diagnosis.code for diagnosis in resolved.diagnoses] == [NO_TIER]
    with_default = resolve([], load_tiers(None, {"tier": "2"}))
    assert with_default.blueprint
    assert with_default.origins["tier"] == "organisation"


def test_lists_replace_maps_merge_null_takes_away() -> None:
    written: dict[str, Any] = {
        "tier": "1",
        "incident": {"escalation": ["1h"]},
        "observability": {
            "slo": {"latency_p99": None},
            "metrics": {"selector": {"service": None, "app": "{name}"}},
        },
    }
    resolved = resolve([Layer("file", written)], TIERS)
    assert resolved.blueprint
    assert [str(delay) for delay in resolved.blueprint.incident.escalation] == ["1h"]
    assert resolved.blueprint.observability.slo.latency_p99 is None
    assert resolved.blueprint.observability.metrics.select("search", "default") == {"app": "search"}
    assert resolved.origins["observability.slo.latency_p99"] == "file"


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"tier": "9"}, "tier", "unknown tier"),
        ({"tier": "critcal"}, "tier", "did you mean 'critical'?"),
        ({"tier": True}, "tier", "unknown tier"),
        ({"tier": "1", "access": {"reviewrs": 1}}, "access.reviewrs", "did you mean 'reviewers'?"),
        ({"tier": "1", "observability": {"slo": {"availability": float("nan")}}}, "availability", "between 0 and 100"),
        ({"tier": "1", "observability": {"slo": {"availability": "150%"}}}, "availability", "between 0 and 100"),
        ({"tier": "1", "observability": {"slo": {"availability": 100}}}, "availability", "no error budget"),
        ({"tier": "1", "observability": {"retention": "1M"}}, "observability.retention", "unknown unit 'M'"),
        ({"tier": "1", "deployment": {"windows": "nights"}}, "deployment.windows", "unknown window"),
        ({"tier": "1", "deployment": {"canary_percent": [50, 10]}}, "deployment.canary_percent", "end at 100"),
        ({"tier": "1", "cost": {"autoscaling": {"min": 99}}}, "cost.autoscaling", "min (99) is greater than max (20)"),
        ({"tier": "1", "incident": {"page": None}}, "incident.page", "is missing"),
        ({"tier": "1", "incident": "loud"}, "incident", "has to be a map"),
    ],
)
def test_a_wrong_value_is_named_with_its_origin_and_holds_the_entity(
    values: dict[str, Any], field: str, said: str
) -> None:
    resolved = resolve([Layer("file nthlayer.yaml", values)], TIERS)
    assert resolved.blueprint is None
    assert resolved.digest == ""
    (diagnosis,) = resolved.diagnoses
    assert diagnosis.field.endswith(field)
    assert said in diagnosis.message
    assert "file nthlayer.yaml" in diagnosis.message


def test_a_value_that_a_stronger_layer_replaces_does_no_harm() -> None:
    layers = [Layer("team", {"access": {"reviewers": "many"}}), Layer("file", {"tier": 1, "access": {"reviewers": 2}})]
    assert resolve(layers, TIERS).blueprint


def test_an_error_found_on_reading_holds_the_entity_and_a_warning_does_not() -> None:
    error = Diagnosis(code="x", message="broken")
    warning = Diagnosis(code="x", message="odd", severity=Severity.WARNING)
    held = resolve([Layer("file", {"tier": "1"}, (error,))], TIERS)
    assert held.blueprint is None
    assert held.diagnoses == (error,)
    fine = resolve([Layer("file", {"tier": "1"}, (warning,))], TIERS)
    assert fine.blueprint
    assert fine.diagnoses == (warning,)


def test_equal_values_from_different_places_share_one_blueprint() -> None:
    one = resolve([Layer("file a/nthlayer.yaml", {"tier": "1"})], TIERS)
    two = resolve([Layer("file b/nthlayer.yaml", {"tier": "1"})], TIERS)
    assert one.blueprint is two.blueprint
    assert one.origins["tier"] != two.origins["tier"]
    spelt_otherwise = resolve([Layer("file", {"tier": "1", "observability": {"retention": "365d"}})], TIERS)
    assert spelt_otherwise.digest == one.digest
    assert resolve([Layer("file", {"tier": "2"})], TIERS).digest != one.digest


def test_nan_and_null_are_not_taken_for_each_other() -> None:
    none: dict[str, Any] = {"tier": "1", "observability": {"slo": {"availability": None}}}
    nan: dict[str, Any] = {"tier": "1", "observability": {"slo": {"availability": float("nan")}}}
    assert resolve([Layer("file", none)], TIERS).blueprint
    assert resolve([Layer("file", nan)], TIERS).blueprint is None


def test_a_blueprint_reads_back_from_its_json() -> None:
    blueprint = resolve([Layer("file", {"tier": "1"})], TIERS).blueprint
    assert blueprint
    assert Blueprint.model_validate_json(blueprint.model_dump_json()) == blueprint


def test_an_example_that_is_a_number_can_be_shown():
    found = resolve([Layer("file", {"tier": "1", "observability": {"slo": {"availability": True}}})], TIERS)
    assert "observability.slo.availability: expected a text such as 99.95%" in found.diagnoses[0].message
    assert "99.95" in found.diagnoses[0].allowed
