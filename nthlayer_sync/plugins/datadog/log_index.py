"""datadog/log_index: where the logs of a tier are kept, and how long.

There is one for each tier and not for each service: the order of indexes decides where a log goes, and is the same for
the whole account. The pipelines of the services write the tier into their logs, so no two of these indexes take the
same log, and their order among each other does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Organisation
from nthlayer_sync.plugins.datadog.log_pipeline import TIER
from nthlayer_sync.plugins.datadog.tool import INDEXES
from nthlayer_sync.plugins.datadog.words import part, quoted, tagged, value
from nthlayer_sync.sdk.rest import Account, Json, RestKind

RETENTIONS = (3, 7, 15, 30, 45, 60, 90, 180, 360)
"""Days that Datadog offers when nobody says otherwise (docs.datadoghq.com/logs/log_configuration/indexes)."""
_DAY = 86_400_000
_OTHERS = ("exclusion_filters", "daily_limit", "daily_limit_reset", "daily_limit_warning_threshold_percentage")
"""What people set of an index, and an update without them would take away."""


class LogIndexSpec(Spec, frozen=True):
    """The index of a tier; `days` is how long a log is kept in it."""

    name: str
    query: str
    days: int
    tags: tuple[str, ...]


def generate(organisation: Organisation, retentions: tuple[int, ...] = RETENTIONS) -> Iterator[LogIndexSpec]:
    """One for each tier."""
    for tier, kept in sorted(organisation.retention.items()):
        yield LogIndexSpec(
            name=f"tier-{re.sub(r'[^a-z0-9-]', '-', part(tier))}",
            query=f"@{TIER}:{quoted(value(tier))}",
            days=days_for(kept, retentions),
            tags=(f"tier:{value(tier)}",),
        )


def days_for(milliseconds: int, retentions: tuple[int, ...]) -> int:
    """The fewest days on offer that are no less; the most there are when that is not enough."""
    enough = [days for days in retentions if days * _DAY >= milliseconds]
    return min(enough) if enough else max(retentions)


def encode(spec: LogIndexSpec, account: Account, live: Json | None) -> Json:
    """As Datadog wants it: an update has no name, and repeats what people set."""
    told: Json = {"filter": {"query": spec.query}, "num_retention_days": spec.days, "tags": list(spec.tags)}
    if live is None:
        return {"name": spec.name} | told
    return {name: live[name] for name in _OTHERS if live.get(name) is not None} | told


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    return {
        "name": body["name"],
        "query": body["filter"].get("query") or "",
        "days": body["num_retention_days"],
        "tags": sorted(body.get("tags") or ()),
    }


LOG_INDEX = RestKind(
    name="datadog/log_index",
    version=1,
    summary="how long the logs of each tier are kept",
    subject=Organisation,
    spec=LogIndexSpec,
    generate=generate,
    name_of=lambda spec: tagged(spec.tags, "tier"),
    deletable=False,
    collection=INDEXES,
    key=lambda organisation, spec: spec.name,
    encode=encode,
    decode=decode,
)
