"""datadog/log_pipeline: how the logs of a service are read, and that they bear its tier."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.datadog.tool import PIPELINES, inside
from nthlayer_sync.plugins.datadog.words import key, log_query, plain, tags_of, value
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label

TIER = "tier"
"""The attribute of a log that says the tier of its service."""
# Names under which the usual logging libraries write these, the most specific first.
_REMAPPERS = {
    "date-remapper": ("timestamp", "@timestamp", "time", "ts"),
    "status-remapper": ("level", "severity", "status"),
    "message-remapper": ("message", "msg"),
    "trace-id-remapper": ("dd.trace_id", "trace_id"),
}


class ProcessorSpec(Spec, frozen=True):
    """One step: takes the first of `sources` that is there, or writes `template` to `target`."""

    type: str
    sources: tuple[str, ...] = ()
    template: str = ""
    target: str = ""


class LogPipelineSpec(Spec, frozen=True):
    """The steps for the logs that `query` picks."""

    name: str
    query: str
    enabled: bool
    processors: tuple[ProcessorSpec, ...]
    tags: tuple[str, ...]


def generate(service: Service) -> Iterator[LogPipelineSpec]:
    """One for every service that runs."""
    if not service.runs:
        return
    remappers = [ProcessorSpec(type=type, sources=sources) for type, sources in _REMAPPERS.items()]
    tier = ProcessorSpec(type="string-builder-processor", template=value(service.blueprint.tier), target=TIER)
    yield LogPipelineSpec(
        name=plain(label(service), 200),
        query=log_query(service),
        enabled=True,
        processors=(*remappers, tier),
        tags=tags_of(service),
    )


def encode(spec: LogPipelineSpec, account: Account, live: Json | None) -> Json:
    """As Datadog wants it."""
    return {
        "name": spec.name,
        "is_enabled": spec.enabled,
        "filter": {"query": spec.query},
        "processors": [_processor(each) for each in spec.processors],
        "tags": list(spec.tags),
    }


def _processor(spec: ProcessorSpec) -> Json:
    told = {"sources": list(spec.sources)} if spec.sources else {"template": spec.template, "target": spec.target}
    return {"type": spec.type, "name": spec.type, "is_enabled": True} | told


def decode(body: Json, account: Account) -> Json:
    """As the spec says it; a step that is switched off is none."""
    return {
        "name": body["name"],
        "query": inside(body, "filter").get("query") or "",
        "enabled": bool(body.get("is_enabled")),
        "processors": [
            {
                "type": each["type"],
                "sources": each.get("sources") or [],
                "template": each.get("template") or "",
                "target": each.get("target") or "",
            }
            for each in body.get("processors") or ()
            if each.get("is_enabled")
        ],
        "tags": sorted(body.get("tags") or ()),
    }


LOG_PIPELINE = RestKind(
    name="datadog/log_pipeline",
    version=1,
    summary="how the logs of a service are read",
    subject=Service,
    spec=LogPipelineSpec,
    generate=generate,
    collection=PIPELINES,
    key=lambda service, spec: key(service),
    encode=encode,
    decode=decode,
)
