"""What is known of the technologies a service depends on: one file for each, and nothing but data in it.

A new technology is a file here that names its `PACK`, a section of its thresholds in the blueprint, and their values in
the tier table. Every pack's alerts look at one instance only: that of the dependency the service declares.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.ref import EntityRef, ref_parts
from nthlayer_sync.model.service import Service, per_blueprint
from nthlayer_sync.signals.alert import Alert, Query
from nthlayer_sync.signals.packs.pack import Pack, Watch
from nthlayer_sync.signals.promql import number, percent, promql_selector, span
from nthlayer_sync.signals.thresholds import plain


def _found() -> dict[str, Pack]:
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "pack")
    packs = [importlib.import_module(f"{__name__}.{name}").PACK for name in modules]
    return {pack.technology: pack for pack in packs}


PACKS: Mapping[str, Pack] = _found()
"""Packs by technology."""

LOST = "1d"
"""How long after an instance's metrics vanished they are said to be lost; one that never had any has no exporter."""


class Asked(msgspec.Struct, frozen=True):
    """What the blueprint asks for of every pack: times in milliseconds, thresholds in the unit of the metric."""

    hold: int
    severity: Literal["page", "ticket"]
    rate: int
    thresholds: dict[str, dict[str, Decimal]]


class Instance(msgspec.Struct, frozen=True):
    """A dependency that a pack watches, and all that decides its alerts."""

    ref: EntityRef
    name: str
    technology: str
    selector: dict[str, str]
    thresholds: dict[str, Decimal]
    hold: int
    severity: Literal["page", "ticket"]
    rate: int


@per_blueprint
def asked(blueprint: Blueprint) -> Asked:
    """What the blueprint asks for of every pack."""
    section = blueprint.observability.packs
    if "__name__" in section.selector:
        raise PermanentError("observability.packs.selector: __name__ is given by the packs")
    thresholds = {name: getattr(section, name, None) for name in PACKS}
    return Asked(
        hold=section.for_.milliseconds,
        severity=section.severity,
        rate=blueprint.observability.metrics.rate.milliseconds,
        thresholds={
            name: {field: plain(value) for field, value in given if value is not None}
            for name, given in thresholds.items()
            if given is not None
        },
    )


def instances_of(service: Service) -> tuple[Instance, ...]:
    """The dependencies of `service` that a pack knows; what lies outside the organisation shows no metrics to it.

    There are none where nothing of the service runs: whoever builds on it declares what it needs.
    """
    found = list[Instance]()
    for neighbour in service.depends_on if service.runs else ():
        if neighbour.technology in PACKS and not neighbour.external:
            common = asked(service)
            found.append(
                Instance(
                    ref=neighbour.ref,
                    name=neighbour.name,
                    technology=neighbour.technology,
                    selector=service.blueprint.observability.packs.select(
                        neighbour.name, ref_parts(neighbour.ref).namespace
                    ),
                    thresholds=common.thresholds.get(neighbour.technology, {}),
                    hold=common.hold,
                    severity=common.severity,
                    rate=common.rate,
                )
            )
    return tuple(sorted(found, key=lambda instance: instance.ref))


def alerts(instance: Instance) -> tuple[Alert, ...]:
    """What is watched of one instance, and whether it is still measured."""
    pack = PACKS[instance.technology]
    return (*(_alert(instance, watch) for watch in watches(instance)), _lost(instance, pack))


def watches(instance: Instance) -> tuple[Watch, ...]:
    """The watches of an instance that the blueprint gives a threshold, or that need none."""
    known = PACKS[instance.technology].watches
    return tuple(watch for watch in known if not watch.threshold or watch.threshold in instance.thresholds)


def _alert(instance: Instance, watch: Watch) -> Alert:
    limit = instance.thresholds.get(watch.threshold)
    read = percent(limit) if limit is not None and watch.unit == "share" else number(limit or Decimal(0))
    words = {"name": instance.name, "limit": f"{read} s" if watch.unit == "seconds" else read}
    code = {
        "self": promql_selector(instance.selector)[1:-1],
        "limit": number(limit or Decimal(0)),
        "rate": span(instance.rate),
    }
    return Alert(
        name=watch.name,
        expr=_filled(watch.expr, code),
        hold=instance.hold,
        severity=instance.severity,
        labels={"dependency": instance.ref},
        unit=watch.unit,
        summary=_filled(watch.summary, words),
        meaning=watch.meaning,
        look=tuple(Query(query.title, _filled(query.expr, code)) for query in watch.look),
        causes=watch.causes,
        remedy=watch.remedy,
        about=instance.ref,
    )


def _lost(instance: Instance, pack: Pack) -> Alert:
    series = f"{pack.presence}{promql_selector(instance.selector)}"
    return Alert(
        name=f"{pack.technology.capitalize()}MetricsLost",
        expr=f"count(present_over_time({series}[{LOST}])) unless count({series})",
        hold=instance.hold,
        severity="ticket",
        labels={"dependency": instance.ref},
        summary=f"{pack.title} {instance.name} is no longer measured",
        meaning="It was measured within the last day and is not now. Its other alerts cannot fire.",
        look=(Query("Last seen", f"present_over_time({series}[{LOST}])"),),
        causes=("The exporter has stopped.", "Its labels changed.", "The instance was removed."),
        remedy=("Look whether the exporter runs and is scraped.", "If the instance is gone, take it out of dependsOn."),
        about=instance.ref,
    )


def _filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with each `$word` replaced in one pass, so that nothing in a value is taken for a placeholder."""
    return re.sub(r"\$([a-z]+)", lambda found: values[found[1]], template)
