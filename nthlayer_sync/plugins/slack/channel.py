"""slack/channel: where a team is found, and where it meets when something is broken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Team
from nthlayer_sync.plugins.slack.channels import CHANNELS
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.http import at
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label

LONGEST_NAME = 80
LONGEST_TOPIC = 250
LONGEST_PURPOSE = 250 - 4 - len("nthlayer-sync:") - 31 - LONGEST_NAME
"""Characters: Slack takes 250, and our mark with the names of installation and channel stands behind it."""
INCIDENTS = "Incidents of"


class ChannelSpec(Spec, frozen=True):
    """One channel, without the leading `#`; `purpose` and `topic` are one line of plain text each."""

    use: str
    name: str
    purpose: str
    topic: str


def generate(team: Team, backstage: str = "") -> Iterator[ChannelSpec]:
    """Those that the blueprint asks for; `backstage` is the address that the topics link to, "" for none."""
    wanted = team.blueprint.communication.channels
    own = channel_name(team.blueprint.communication.channel or team.contact.channel or label(team))
    who = quote.line(team.contact.label)
    if "team" in wanted:
        serves = ", ".join(sorted(service.name for service in team.services if service.kind == "component"))
        topic = _joined(_page(team, backstage), f"Runs {serves}" if serves else "")
        yield ChannelSpec("team", own, f"Questions to {who}"[:LONGEST_PURPOSE].rstrip(), topic)
    if "incidents" in wanted:
        name = f"{own[: LONGEST_NAME - len('-incidents')].rstrip('-_')}-incidents"
        purpose = f"{INCIDENTS} {who}: who repairs talks here"[:LONGEST_PURPOSE].rstrip()
        yield ChannelSpec("incidents", name, purpose, _joined(_page(team, backstage), f"Everything else: #{own}"))


def channel_name(text: str) -> str:
    """A name that Slack takes: lower-case letters, digits, hyphens and underscores, at most 80."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower())[:LONGEST_NAME].strip("-") or "channel"


def _page(team: Team, backstage: str) -> str:
    if not backstage:
        return ""
    kind, _, rest = team.ref.partition(":")
    return f"{backstage}/catalog{at(*_in_order(kind, rest))}"


def _in_order(kind: str, rest: str) -> tuple[str, str, str]:
    namespace, _, name = rest.partition("/")
    return namespace, kind, name


def _joined(*parts: str) -> str:
    """As many of the parts as there is room for; a link is left out rather than cut."""
    text = " | ".join(part for part in parts if part and len(part) <= LONGEST_TOPIC)
    return quote.line(text[:LONGEST_TOPIC])


def encode(spec: ChannelSpec, account: Account, live: Json | None) -> Json:
    """As the collection wants it."""
    return {"name": spec.name, "purpose": spec.purpose, "topic": spec.topic}


def decode(body: Json, account: Account) -> Json:
    """As the spec says it; the purpose begins with what the channel is for."""
    return {
        "use": "incidents" if body["purpose"].startswith(INCIDENTS) else "team",
        "name": body["name"],
        "purpose": body["purpose"],
        "topic": body["topic"],
    }


CHANNEL = RestKind(
    name="slack/channel",
    version=1,
    summary="channels of a team, with purpose and topic",
    subject=Team,
    spec=ChannelSpec,
    generate=generate,
    name_of=lambda spec: spec.use,
    collection=CHANNELS,
    key=lambda team, spec: spec.name,
    encode=encode,
    decode=decode,
)
