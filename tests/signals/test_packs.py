"""Packs are data that fits together: with the blueprint, and in itself."""

import re

import pytest

from nthlayer_sync.model.blueprint import Packs
from nthlayer_sync.sdk.testing import service_from
from nthlayer_sync.signals.alerts import alerts_of
from nthlayer_sync.signals.packs import PACKS
from nthlayer_sync.signals.packs.pack import Pack


def test_every_technology_of_the_blueprint_has_a_pack() -> None:
    technologies = {name for name, field in Packs.model_fields.items() if hasattr(field.annotation, "model_fields")}
    assert technologies == set(PACKS)


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_a_pack_fits_the_blueprint_and_looks_at_one_instance(pack: Pack) -> None:
    section = Packs.model_fields[pack.technology].annotation
    assert section is not None
    thresholds = {watch.threshold for watch in pack.watches} - {""}
    assert thresholds == set(section.model_fields)
    assert "https://" in pack.exporter
    for watch in pack.watches:
        assert ("$limit" in watch.expr) == bool(watch.threshold)
        for expr in (watch.expr, *(query.expr for query in watch.look)):
            assert re.findall(r"\{(?!\$self)", expr) == []
            assert "{$self" in expr
        assert watch.name.lower().startswith(pack.technology)


def test_names_of_alerts_are_unique_but_for_rows_that_ask_for_the_same() -> None:
    needed = [
        {"ref": f"resource:default/{name}", "name": name, "kind": "resource", "technology": name} for name in PACKS
    ]
    alerts = alerts_of(service_from({"depends_on": needed}))
    known = {(alert.name, tuple(sorted(alert.labels.items()))) for alert in alerts}
    assert len(known) == len(alerts)
    assert all(alert.summary and alert.meaning and alert.causes and alert.remedy for alert in alerts)
