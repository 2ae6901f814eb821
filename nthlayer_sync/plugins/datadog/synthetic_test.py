"""datadog/synthetic_test: calls a service from outside and tells somebody when it does not answer.

The address is the first link of type `health` in the catalog; a service without one is not called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.datadog.tool import TESTS, inside
from nthlayer_sync.plugins.datadog.words import Notify, key, message, plain, tags_of
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label

HEALTH = "health"
"""The type of a link that says where a service answers whether it is well."""
SHORTEST, LONGEST = 30, 604_800
"""Seconds between two calls (docs.datadoghq.com/api/latest/synthetics)."""
WELL = 200
"""The status of a service that is well."""
_PLAIN = re.compile(r"[!-~]{1,1000}")


class AssertionSpec(Spec, frozen=True):
    """What an answer must be like."""

    type: str
    operator: str
    target: int


class SyntheticTestSpec(Spec, frozen=True):
    """One call by GET; `interval` in seconds, `failing` places at a time are told of."""

    name: str
    method: str
    url: str
    assertions: tuple[AssertionSpec, ...]
    locations: tuple[str, ...]
    interval: int
    failing: int
    message: str
    tags: tuple[str, ...]


def generate(service: Service, notify: Notify | None = None) -> Iterator[SyntheticTestSpec]:
    """One for a service that says where it answers."""
    asked = service.blueprint.observability.uptime
    url = next((link.url for link in service.links if link.type == HEALTH), "")
    if not url or not service.runs or asked.interval is None or not asked.locations:
        return
    interval = asked.interval.milliseconds // 1000
    if not SHORTEST <= interval <= LONGEST:
        raise PermanentError(f"observability.uptime.interval: {asked.interval} is not between 30s and 7d")
    sentences = (f"{label(service)} does not answer at {_address(service, url)}.",)
    yield SyntheticTestSpec(
        name=plain(f"{label(service)}: up", 200),
        method="GET",
        url=url,
        assertions=(AssertionSpec(type="statusCode", operator="is", target=WELL),),
        locations=tuple(sorted(set(asked.locations))),
        interval=interval,
        failing=min(asked.failing, len(set(asked.locations))),
        message=message(service, notify or Notify(), asked.severity, *sentences),
        tags=tags_of(service, severity=asked.severity),
    )


def _address(service: Service, url: str) -> str:
    """A web address without a password, in which Datadog finds no variable of its own."""
    try:
        parts = urlsplit(url) if _PLAIN.fullmatch(url) and "{{" not in url else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise PermanentError(f"{service.ref}: links: {url[:100]!r} of type {HEALTH} is no plain web address")
    return url


def encode(spec: SyntheticTestSpec, account: Account, live: Json | None) -> Json:
    """As Datadog wants it; options that people chose stay."""
    options, config = inside(live, "options"), inside(live, "config")
    request = {"method": spec.method, "url": spec.url}
    return {
        "name": spec.name,
        "type": "api",
        "subtype": "http",
        "config": config
        | {
            "request": inside(config, "request") | request,
            "assertions": [{"type": a.type, "operator": a.operator, "target": a.target} for a in spec.assertions],
        },
        "locations": list(spec.locations),
        "message": spec.message,
        "options": options | {"tick_every": spec.interval, "min_location_failed": spec.failing},
        "tags": list(spec.tags),
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    config, options = body["config"], body["options"]
    return {
        "name": body["name"],
        "method": config["request"]["method"],
        "url": config["request"]["url"],
        "assertions": [
            {"type": each["type"], "operator": each["operator"], "target": each.get("target")}
            for each in config.get("assertions") or ()
        ],
        "locations": sorted(body["locations"]),
        "interval": options["tick_every"],
        "failing": options.get("min_location_failed", 1),
        "message": body.get("message") or "",
        "tags": sorted(body.get("tags") or ()),
    }


SYNTHETIC_TEST = RestKind(
    name="datadog/synthetic_test",
    version=1,
    summary="calls a service from outside, as often as its tier asks",
    subject=Service,
    spec=SyntheticTestSpec,
    generate=generate,
    collection=TESTS,
    key=lambda service, spec: key(service),
    encode=encode,
    decode=decode,
)
