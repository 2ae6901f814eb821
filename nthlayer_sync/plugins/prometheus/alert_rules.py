"""prometheus/alert_rules: golden signals, the service's own alerts, and packs for what it depends on."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.prometheus.rules import alerting, rule_file
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.quote import line
from nthlayer_sync.signals import golden as signals
from nthlayer_sync.signals import packs
from nthlayer_sync.signals.addresses import NOWHERE, Addresses
from nthlayer_sync.signals.golden import Golden
from nthlayer_sync.signals.packs import Instance

PATH = "prometheus/alerts.rules.yaml"


class AlertSpec(Spec, frozen=True):
    """Everything that decides the alerts of a service apart from those of its objectives."""

    golden: Golden
    instances: tuple[Instance, ...]


def generate(service: Service, addresses: Addresses = NOWHERE) -> Iterator[AlertSpec]:
    """One for every service that asks for an alert, or depends on something that is watched."""
    golden, instances = signals.golden_of(service, addresses), packs.instances_of(service)
    if golden.thresholds.any or instances:
        yield AlertSpec(golden=golden, instances=instances)


def render(spec: AlertSpec) -> str:
    """A rule file: a group for the service itself and one for each of its dependencies."""
    watched = spec.golden.watched
    groups = {str(watched.ref): signals.alerts(spec.golden)} | {
        f"{watched.ref} {instance.ref}": packs.alerts(instance) for instance in spec.instances
    }
    notes = [f"Left out: {line(reason)}." for reason in signals.unreachable(spec.golden)]
    shown = [f"{line(i.name)}: {packs.PACKS[i.technology].exporter}" for i in spec.instances]
    return rule_file(
        {name: [alerting(watched, alert) for alert in alerts] for name, alerts in groups.items() if alerts},
        *notes,
        *(f"Metrics of {text}" for text in shown),
    )


ALERT_RULES = FileKind(
    name="prometheus/alert_rules",
    version=1,
    summary="alerts on golden signals, the service's own, and its dependencies",
    subject=Service,
    spec=AlertSpec,
    generate=generate,
    path=lambda service, spec: PATH,
    render=render,
)
