"""Who can be reached behind an owner: its people, address, channel, and name on the code host."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from nthlayer_sync.blueprint.person import read_person
from nthlayer_sync.graph.build import Graph
from nthlayer_sync.graph.layers import placed
from nthlayer_sync.graph.relations import CHILD_OF, MEMBER_OF
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import INPUT_PREFIX, Entity
from nthlayer_sync.model.ref import EntityRef, ref_name
from nthlayer_sync.model.service import Contact, Person

DEPTH = 8
"""How many groups below each other are looked into for people; deeper trees are mistakes or loops."""
CHANNEL_KEYS = (f"{INPUT_PREFIX}communication.channel", "slack.com/channel", "slack.com/channel-name", "slack/channel")
"""Annotations that name an owner's Slack channel, the first one first."""
# https://backstage.io/docs/features/software-catalog/well-known-annotations
HANDLE_KEYS = ("github.com/team-slug", "github.com/user-login")
"""Annotations that say how the code host names an owner."""

_CHANNEL = re.compile(r"#?[a-z0-9_-]{1,80}")
_EMAIL = re.compile(r"[^@\s<>\"',;]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_HANDLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")

Report = Callable[[Diagnosis], None]


def contact(graph: Graph, ref: EntityRef, code_host: str, report: Report) -> Contact:
    """The owner `ref`, be it described or only named.

    `code_host` is the organisation's name on the code host; with it, a group whose handle nobody wrote has the one of a
    team that bears its name. A value that cannot be what it should be is reported and left out.
    """
    entity = graph.entities.get(ref)
    if entity is None:
        return Contact(ref, ref_name(ref))
    is_group = ref.startswith("group:")
    channel = _checked(entity, CHANNEL_KEYS, _CHANNEL, report)
    handle = _checked(entity, HANDLE_KEYS, _HANDLE, report)
    if not handle and code_host and is_group and _HANDLE.fullmatch(f"{code_host}/{entity.name}"):
        handle = f"{code_host}/{entity.name}"
    return Contact(
        ref=ref,
        name=entity.name,
        title=_profile(entity, "displayName") or entity.title,
        email=_email(entity, report),
        channel=f"#{channel.removeprefix('#')}" if channel else "",
        people=tuple(_person(graph, member, report) for member in (members(graph, ref) if is_group else (ref,))),
        handle=handle,
    )


def members(graph: Graph, group: EntityRef) -> list[EntityRef]:
    """The users in a group and in the groups below it, in order."""
    users: set[EntityRef] = set()
    seen = level = {group}
    for _ in range(DEPTH):
        for current in level:
            users |= graph.sources(current, MEMBER_OF)
        level = {child for current in level for child in graph.sources(current, CHILD_OF)} - seen
        seen = seen | level
    return sorted(users)


def _person(graph: Graph, ref: EntityRef, report: Report) -> Person:
    entity = graph.entities.get(ref)
    if entity is None:
        return Person(ref, ref_name(ref))
    said, wrong = read_person(entity.annotations)
    for diagnosis in placed(wrong, entity):
        report(diagnosis)
    return Person(
        ref=ref,
        name=_profile(entity, "displayName") or entity.title or entity.name,
        email=_email(entity, report),
        timezone=said.timezone,
        holidays=said.holidays,
        badges=tuple(sorted(set(said.badges))),
    )


def _profile(entity: Entity, field: str) -> str:
    profile = entity.spec.get("profile")
    value = cast("Mapping[str, Any]", profile).get(field) if isinstance(profile, dict) else None
    return value if isinstance(value, str) else ""


def _email(entity: Entity, report: Report) -> str:
    email = _profile(entity, "email")
    if not email or _EMAIL.fullmatch(email):
        return email
    report(_unusable(entity, "spec.profile.email", email, "an e-mail address"))
    return ""


def _checked(entity: Entity, keys: tuple[str, ...], pattern: re.Pattern[str], report: Report) -> str:
    for key in keys:
        text = entity.annotations.get(key, "").strip()
        if text and pattern.fullmatch(text):
            return text
        if text:
            report(
                _unusable(entity, key, text, "a Slack channel" if keys is CHANNEL_KEYS else "a name on the code host")
            )
    return ""


def _unusable(entity: Entity, field: str, found: str, wanted: str) -> Diagnosis:
    return Diagnosis(
        code="unusable-contact",
        message=f"{field} is not {wanted}; it is left out",
        severity=Severity.WARNING,
        file=entity.place.path if entity.place else "",
        entity=entity.ref,
        field=field,
        found=found[:100],
    )
