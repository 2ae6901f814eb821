"""Says in Backstage's words what Cortex descriptors say: entities, and edges of the origin `cortex`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.model.entity import Entity, Link
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.model.snapshot import Edge
from nthlayer_sync.sources import formats
from nthlayer_sync.sources.cortex.descriptor import Descriptor, ignored, name_of, tags
from nthlayer_sync.sources.shape import Problem, list_of, mapping_of, short

ORIGIN = "cortex"

_GIT_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_ON_CALL = {
    "SERVICE": "pagerduty.com/service-id",
    "SCHEDULE": "pagerduty.com/schedule-id",
    "ESCALATION_POLICY": "pagerduty.com/escalation-policy-id",
}


class Translation:
    """The entities and edges of all descriptors; tags are resolved among them, and the first of two wins."""

    def __init__(self, descriptors: Iterable[Descriptor], confidence: float) -> None:
        self.entities: dict[EntityRef, Entity] = {}
        self.problems: list[tuple[Descriptor, Problem]] = []
        self._confidence = confidence
        self._edges: set[Edge] = set()
        self._people: dict[EntityRef, Entity] = {}
        every = list(descriptors)
        self._by_tag = {descriptor.tag: descriptor.ref for descriptor in reversed(every)}
        for descriptor in every:
            self._take(descriptor)
        for ref, person in sorted(self._people.items()):
            self.entities.setdefault(ref, person)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All edges, in order."""
        return tuple(sorted(self._edges))

    def _take(self, descriptor: Descriptor) -> None:
        info = descriptor.info
        if first := self.entities.get(descriptor.ref):
            where = first.place.path if first.place else "the catalog"
            message = f"{descriptor.ref} stands in {where} already; that one is used"
            self._say(descriptor, Problem("entity-twice", message, ("info", "x-cortex-tag"), short(descriptor.tag)))
            return
        annotations, labels, names = _annotations(descriptor), dict(_labels(info)), tuple(_names(info))
        spec: dict[str, Any] = {"type": descriptor.type}
        if slos := list_of(info.get("x-cortex-slos")):
            spec["slos"] = slos
        self.entities[descriptor.ref] = Entity(
            ref=descriptor.ref,
            kind=descriptor.kind,
            name=name_of(descriptor.tag),
            title=_text(info, "title"),
            description=_text(info, "description") or _text(info, "x-cortex-description"),
            annotations=annotations,
            labels=labels,
            tags=names,
            links=tuple(self._links(descriptor)),
            spec=spec,
            relations=(),
            place=descriptor.place,
            document=descriptor.document,
        )
        self._owners(descriptor)
        self._neighbours(descriptor)
        self._members(descriptor)

    def _owners(self, descriptor: Descriptor) -> None:
        for index, item in enumerate(list_of(descriptor.info.get("x-cortex-owners")) or ()):
            owner = mapping_of(item) or {}
            kind = str(owner.get("type", "")).upper()
            target: EntityRef | None = None
            if kind == "GROUP" and isinstance(owner.get("name"), str):
                target = self._group(owner["name"])
            elif kind == "EMAIL" and isinstance(owner.get("email"), str):
                target = self._person(owner["email"], "")
            elif kind == "SLACK":
                continue
            if target is None:
                allowed = "an owner: type GROUP with a name, EMAIL with an email, or SLACK with a channel"
                self._say(descriptor, ignored(("x-cortex-owners", index), item, allowed))
            else:
                self._edge(descriptor.ref, "ownedBy", target)

    def _neighbours(self, descriptor: Descriptor) -> None:
        ref, info = descriptor.ref, descriptor.info
        upward = "childOf" if descriptor.kind == "Group" else "partOf"
        for key, kind in (("x-cortex-dependency", ""), ("x-cortex-domain-parents", "Domain"), ("x-cortex-parents", "")):
            for index, tag in tags(info, key):
                target = self._named(tag, kind or (descriptor.kind if key == "x-cortex-parents" else "Component"))
                if target is None:
                    self._say(descriptor, ignored((key, index), tag or "no tag", "a mapping with the tag of an entity"))
                else:
                    self._edge(ref, "dependsOn" if key == "x-cortex-dependency" else upward, target)
        for index, tag in tags(info, "x-cortex-children"):
            child = self._named(tag, descriptor.kind)
            if child is None:
                where = ("x-cortex-children", index)
                self._say(descriptor, ignored(where, tag or "no tag", "a mapping with the tag of an entity"))
            else:
                self._edge(child, upward, ref)
        for index, item in enumerate(list_of(info.get("x-cortex-relationships")) or ()):
            name = short((mapping_of(item) or {}).get("type", ""))
            message = f"the organisation's own relationship {name!r} has no meaning here"
            where = ("info", "x-cortex-relationships", index)
            self._say(descriptor, Problem("cortex-relationship", message, where, name, severity=Severity.NOTE))

    def _members(self, descriptor: Descriptor) -> None:
        team = mapping_of(descriptor.info.get("x-cortex-team")) or {}
        for index, item in enumerate(list_of(team.get("members")) or ()):
            member = mapping_of(item) or {}
            email, name = member.get("email"), member.get("name")
            person = self._person(email, name if isinstance(name, str) else "") if isinstance(email, str) else None
            if person is None:
                where = ("x-cortex-team", "members", index)
                self._say(descriptor, ignored(where, item, "a mapping with an email"))
            else:
                self._edge(person, "memberOf", descriptor.ref)

    def _links(self, descriptor: Descriptor) -> Iterator[Link]:
        key = "x-cortex-link"
        for index, item in enumerate(list_of(descriptor.info.get(key)) or ()):
            link = mapping_of(item) or {}
            url = link.get("url")
            if isinstance(url, str) and formats.is_url(url):
                yield Link(url, _text(link, "name"), type=_text(link, "type"))
            else:
                self._say(descriptor, ignored((key, index), item, "a mapping with an absolute url"))

    def _named(self, tag: str, kind: str) -> EntityRef | None:
        if tag in self._by_tag:
            return self._by_tag[tag]
        name = name_of(tag)
        return entity_ref(kind, name) if formats.is_name(name) else None

    def _group(self, name: str) -> EntityRef | None:
        # A group of a code host is named organisation/team; Cortex's own are named by their tags.
        return self._by_tag.get(name) or self._named(name.rpartition("/")[2], "Group")

    def _person(self, email: str, title: str) -> EntityRef | None:
        name = name_of(email.partition("@")[0])
        if "@" not in email or len(email) > 254 or not formats.is_name(name):
            return None
        ref = entity_ref("User", name)
        profile = {"email": email, **({"displayName": title} if title else {})}
        person = Entity(ref=ref, kind="User", name=name, title=title, spec={"profile": profile}, relations=())
        if title or ref not in self._people:
            self._people[ref] = person
        return ref

    def _edge(self, source: EntityRef, relation: str, target: EntityRef) -> None:
        self._edges.add(Edge(source, relation, target, ORIGIN, self._confidence))

    def _say(self, descriptor: Descriptor, problem: Problem) -> None:
        self.problems.append((descriptor, problem))


def _annotations(descriptor: Descriptor) -> dict[str, str]:
    info = descriptor.info
    found = {"cortex.io/tag": descriptor.tag}
    for host, settings in (mapping_of(info.get("x-cortex-git")) or {}).items():
        repository = (mapping_of(settings) or {}).get("repository")
        if host in _GIT_HOSTS and isinstance(repository, str):
            found[f"{_GIT_HOSTS[host]}/project-slug"] = repository
    on_call = mapping_of((mapping_of(info.get("x-cortex-oncall")) or {}).get("pagerduty")) or {}
    key = _ON_CALL.get(str(on_call.get("type", "SERVICE")).upper())
    if key and isinstance(on_call.get("id"), str | int):
        found[key] = str(on_call["id"])
    if channel := _channel(info):
        found["slack.com/channel"] = channel
    return found


def _channel(info: dict[str, Any]) -> str:
    channels = list_of((mapping_of(info.get("x-cortex-slack")) or {}).get("channels")) or []
    owners = [owner for item in list_of(info.get("x-cortex-owners")) or () if (owner := mapping_of(item))]
    named = [
        *((mapping_of(channel) or {}).get("name") for channel in channels),
        *(owner.get("channel") for owner in owners if str(owner.get("type", "")).upper() == "SLACK"),
    ]
    return next((name for name in named if isinstance(name, str) and name), "")


def _groups(info: dict[str, Any]) -> Iterator[str]:
    for key in ("x-cortex-groups", "x-cortex-service-groups"):
        yield from (group for group in list_of(info.get(key)) or () if isinstance(group, str))


def _labels(info: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for group in _groups(info):
        key, colon, value = group.partition(":")
        if colon and formats.is_key(key) and formats.is_name(value):
            yield key, value


def _names(info: dict[str, Any]) -> Iterator[str]:
    for group in dict.fromkeys(_groups(info)):
        if ":" not in group and formats.is_tag(group.lower()):
            yield group.lower()


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""
