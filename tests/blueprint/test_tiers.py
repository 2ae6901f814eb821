"""The tier table: what stands in ours, what an organisation can change, how its mistakes are reported."""

from decimal import Decimal
from pathlib import Path

import pytest

from nthlayer_sync.blueprint.resolve import Layer, resolve
from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.units import Duration, Percent

TIERS = load_tiers(None)


def blueprint_of(tier: str) -> Blueprint:
    blueprint = resolve([Layer("test", {"tier": tier})], TIERS).blueprint
    assert blueprint
    return blueprint


def refused(folder: Path, text: str) -> tuple[Diagnosis, ...]:
    file = folder / "tiers.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        load_tiers(file)
    assert all(diagnosis.file == str(file) for diagnosis in error.value.diagnoses)
    return error.value.diagnoses


def test_the_built_in_tiers_hold_the_promised_numbers() -> None:
    first, second, third = blueprint_of("critical"), blueprint_of("tier-2"), blueprint_of("3")
    assert first.observability.slo.availability == Percent(Decimal("99.95"))
    assert first.observability.slo.latency_p99 == Duration(200)
    assert second.observability.slo.availability == Percent(Decimal("99.5"))
    assert second.observability.slo.latency_p95 == Duration(500)
    assert first.observability.retention == Duration.parse("1year")
    assert third.observability.retention == Duration.parse("30days")
    assert first.incident.commander
    assert first.deployment.windows.name == "business-hours-only"
    assert first.deployment.windows.opens == 9 * 60


def test_no_tier_asks_for_what_cannot_happen() -> None:
    for tier in TIERS.table.tiers:
        blueprint = blueprint_of(tier)
        for row in blueprint.observability.burn:
            for objective in blueprint.observability.slo.objectives:
                assert row.factor < 100 / (100 - objective.target.value), "a burn rate that no failure can reach"


def test_objectives_are_shares_of_good_requests() -> None:
    slo = {"slo": {"availability": 99.95, "error_rate": "0.1%", "latency_p95": "1s", "latency_p99": None}}
    blueprint = resolve([Layer("test", {"tier": "1", "observability": slo})], TIERS).blueprint
    assert blueprint
    found = [(goal.name, str(goal.target), goal.threshold) for goal in blueprint.observability.slo.objectives]
    assert found == [
        ("availability", "99.95%", None),
        ("error_rate", "99.9%", None),
        ("latency_p95", "95%", Duration(1000)),
    ]


def test_tiers_have_an_order_and_aliases() -> None:
    assert TIERS.rank("critical") == TIERS.rank("1") == 0
    assert TIERS.rank("low") == 2
    with pytest.raises(KeyError):
        TIERS.rank("4")


def test_the_built_in_table_is_read_once() -> None:
    assert load_tiers(None) is TIERS


def test_an_organisation_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "tiers.yaml"
    file.write_text(
        'tiers: {"3": null, "1": {blueprint: {observability: {slo: {availability: 99.99}}}}}\n'
        "windows: {business-hours-only: {timezone: Europe/Berlin}}\n"
        "guards: {deletes: {count: 5}}\n"
    )
    tiers = load_tiers(file)
    assert list(tiers.table.tiers) == ["1", "2"]
    assert tiers.guards.deletes.count == 5
    assert tiers.guards.deletes.share == TIERS.guards.deletes.share
    blueprint = resolve([Layer("test", {"tier": "1"})], tiers).blueprint
    assert blueprint
    assert str(blueprint.observability.slo.availability) == "99.99%"
    assert blueprint.observability.slo.latency_p99 == Duration(200)
    assert blueprint.deployment.windows.timezone == "Europe/Berlin"
    assert blueprint.deployment.windows.hours == "09:00-16:00"


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("guards:\n  deletes: {share: 200%}", 2, 20, "guards.deletes.share: a percentage lies between 0 and 100"),
        ("guards:\n  waves: {shares: [10%, 1%]}", 2, 19, "the shares rise and end at 100%"),
        ("guards:\n  waves: {shares: [0%, 100%]}", 2, 19, "the shares rise and end at 100%"),
        ("guards:\n  overwrites: {count: 0}", 2, 23, "greater than or equal to 1"),
        ("gards: {}", 1, 1, "gards: unknown key; did you mean 'guards'?"),
        ('tiers:\n  "4": {aliases: [low], blueprint: {}}', 2, 8, "'low' is the name of tier 3 already"),
        ('tiers:\n  "4": {blueprint: {}}', 2, 20, "deployment: is missing"),
        (
            'tiers: {"1": {blueprint: {access: {reviewers: none}}}}',
            1,
            47,
            "access.reviewers: input should be a valid int",
        ),
        ("every_tier: {access: {secrets: {rotation: 1M}}}", 1, 43, "unknown unit 'M' at character 2"),
        ("windows: {always: {timezone: Mars/Base}}", 1, 30, "not in the IANA time zone database"),
        ("windows: {always: {hours: '09:00-08:00'}}", 1, 19, "a window ends after it starts"),
        ("confidence: {authors: 2}", 1, 23, "less than or equal to 1"),
        ("confidence: {authors: .nan}", 1, 23, "confidence.authors"),
        ("a: *x", 1, 4, "aliases are not read"),
    ],
)
def test_a_mistake_in_an_organisations_table_is_reported_with_its_place(
    tmp_path: Path, text: str, line: int, column: int, said: str
) -> None:
    diagnoses = refused(tmp_path, text)
    found = [diagnosis for diagnosis in diagnoses if said in diagnosis.message]
    assert found, [str(diagnosis) for diagnosis in diagnoses]
    assert (found[0].line, found[0].column) == (line, column)


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "- 1")[0].code == "tiers-shape"
    assert refused(tmp_path, "a: 1\n---\nb: 2")[0].code == "tiers-shape"
    with pytest.raises(InputError, match="cannot be read"):
        load_tiers(tmp_path / "absent.yaml")


def test_defaults_of_the_organisation_are_checked() -> None:
    tiers = load_tiers(None, {"tier": 2, "cost": {"budget": "$10/month"}})
    resolved = resolve([], tiers)
    assert resolved.blueprint
    assert resolved.blueprint.tier == "2"
    assert resolved.origins["cost.budget"] == "organisation"
    with pytest.raises(InputError) as error:
        load_tiers(None, {"cost": {"budgit": "$10/month"}})
    assert "did you mean 'budget'?" in error.value.diagnoses[0].message
