"""Text as Datadog wants it: tags, queries that nothing can break out of, and messages that call only whom they should.

Datadog stores tags in lower case, with `_` for what no tag may hold; so do its tracers and its agent. What is written
here is in that form already, so that it comes back as it went.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.quote import line
from nthlayer_sync.sdk.rest import label
from nthlayer_sync.signals.watched import runbook_path

_LONGEST_TAG = 200  # https://docs.datadoghq.com/getting_started/tagging/#define-tags
_LONGEST_KEY = 60
"""Letters; leaves room in a tag for two of them, their digests and the rest of our mark."""


class Notify(msgspec.Struct, frozen=True):
    """Whom a message calls: Datadog's handles with `{service}` and `{team}`, "" for nobody; where runbooks are."""

    page: str = ""
    ticket: str = ""
    backstage: str = ""


def value(text: str) -> str:
    """The value of a tag, "none" where nothing of the text is left."""
    kept = re.sub(r"[^a-z0-9_:./-]", "_", line(text).lower())
    return re.sub(r"_+", "_", kept)[:_LONGEST_TAG].strip("_:") or "none"


def part(text: str) -> str:
    """A part of a key: the text where it stays as it is in a tag, else what is left of it and a digest."""
    kept = value(text).replace(":", "_")[:_LONGEST_KEY].rstrip("_")
    return kept if kept == text else f"{kept}-{blake2b(text.encode(), digest_size=4).hexdigest()}"


def key(service: Service, *further: str) -> str:
    """What an object of a service is called in our mark and in our plans."""
    return "/".join((part(label(service)), *further))


def tags_of(service: Service, **further: str) -> tuple[str, ...]:
    """The tags of an object of a service, sorted."""
    tags = {"service": service.name, "tier": service.blueprint.tier, **further}
    if service.owner:
        tags["team"] = service.owner.name
    return tuple(sorted(f"{name}:{value(text)}"[:_LONGEST_TAG] for name, text in tags.items()))


def tagged(tags: tuple[str, ...], name: str) -> str:
    """The value of the tag with this name."""
    return next(tag.removeprefix(f"{name}:") for tag in tags if tag.startswith(f"{name}:"))


def selected(service: Service) -> Mapping[str, str]:
    """The tags that the service's own metrics and logs have."""
    chosen = service.blueprint.observability.datadog.select(service.name, service.namespace)
    return {name: value(text) for name, text in chosen.items()}


def scope(service: Service) -> str:
    """The part of a metric query that picks the service, in braces."""
    return "{" + ",".join(f"{name}:{text}" for name, text in selected(service).items()) + "}"


def log_query(service: Service) -> str:
    """A log query that picks the service."""
    return " ".join(f"{name}:{quoted(text)}" for name, text in selected(service).items())


def quoted(text: str) -> str:
    """The value of a tag in a log query, in which `:` and `/` have a meaning of their own."""
    return text if re.fullmatch(r"[a-z0-9_.-]+", text) else f'"{text}"'


def plain(text: str, longest: int = 500) -> str:
    """One line for a message, in which Datadog finds no handle, no variable and no block."""
    shown = line(text).replace("@", "\uff20").replace("{{", "{ {").replace("}}", "} }").replace("%%%", "% % %")
    return shown[:longest].rstrip()


def message(service: Service, notify: Notify, severity: str, *sentences: str, runbook: str = "") -> str:
    """What is said, where to read on, and whom it calls."""
    page = runbook or (notify.backstage and f"{notify.backstage}{runbook_path(service.ref, '').rstrip('#')}")
    template = notify.page if severity == "page" else notify.ticket
    team = service.owner.name if service.owner else ""
    handle = template.replace("{service}", value(service.name)).replace("{team}", value(team))
    parts = [" ".join(plain(sentence) for sentence in sentences)]
    parts += [f"Runbook: {plain(page, 1000).replace(chr(0xFF20), '%40')}"] if page else []
    return "\n\n".join([*parts, handle] if handle else parts)
