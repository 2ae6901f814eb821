"""Every alert of a service, as a person would read them: objectives, golden signals, its own, dependencies."""

from __future__ import annotations

from nthlayer_sync.model.service import Service
from nthlayer_sync.signals import golden, packs, slo
from nthlayer_sync.signals.alert import Alert


def alerts_of(service: Service) -> tuple[Alert, ...]:
    """All alerts of `service`; PermanentError where one cannot be made of its blueprint."""
    promised = slo.slo_of(service)
    return (
        *(slo.alerts(promised) if promised else ()),
        *golden.alerts(golden.golden_of(service)),
        *(alert for instance in packs.instances_of(service) for alert in packs.alerts(instance)),
    )
