"""The subjects that configs are generated for: a service, a team, the organisation.

A subject carries all that a generator may look at. Its fingerprint therefore tells whether anything has to be generated
again, and a generator needs no access to the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import TypeVar

import msgspec

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.entity import Link, Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.snapshot import CodeFacts

T = TypeVar("T")

NOTHING_RUNS = frozenset({"documentation", "library", "package", "sdk", "template"})
"""Types of components of which nothing runs: they take no requests, so they have no pipeline, objectives or alerts."""

_LARGEST_MEMORY = 4096
"""Blueprints that one function remembers its answer for."""


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody who can be reached behind an owner."""

    ref: EntityRef
    name: str
    email: str = ""
    timezone: str = ""
    """Name in the IANA time zone database, "" when unknown."""
    holidays: str = ""
    """Calendar of public holidays, as `DE-BY`; "" when none is named."""
    badges: tuple[str, ...] = ()
    """Trainings that the person has passed, sorted."""


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """An owner as its services see it: a group, or a single user."""

    ref: EntityRef
    name: str
    title: str = ""
    email: str = ""
    channel: str = ""
    """Slack channel, with its leading `#`, "" when none is known."""
    people: tuple[Person, ...] = ()
    handle: str = ""
    """How the code host names the owner, such as `acme/payments`: for CODEOWNERS and reviewers."""

    @property
    def label(self) -> str:
        """What people call it."""
        return self.title or self.name


class Neighbour(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """An entity at the other end of a dependency, with what matters about it on this side."""

    ref: EntityRef
    name: str
    kind: str
    """Backstage's kind, lower case: `component`, `resource`, `api`."""
    type: str = ""
    technology: str = ""
    """What it runs on, in the vocabulary of the tier table's `packs` (`postgresql`, `redis`, …); "" when unknown."""
    tier: str = ""
    owner: EntityRef | None = None
    availability: str = ""
    """Its availability objective in percent, "" when it has none."""
    external: bool = False
    """Whether it lies outside the organisation."""
    known: bool = True
    """False when something refers to it but no source describes it."""
    channel: str = ""
    """Slack channel of its owner, with its leading `#`, "" when none is known."""
    account: str = ""
    """Number of the AWS account that it runs in, "" when none is known."""
    arn: str = ""
    """What AWS calls it, "" when that is not known."""
    pages: bool = False
    """Whether its blueprint has somebody called for it."""


class Home(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a subject's files go in one repository: the repository and the subject's folder in it ("" is the top)."""

    root: str
    folder: str = ""
    slug: str = ""
    """`organisation/repository` on the code host, "" when unknown."""


class Hours(msgspec.Struct, frozen=True, order=True):
    """A named time of the week, the same on each of its days."""

    name: str
    days: tuple[str, ...]
    """`mon` to `sun`."""
    opens: int
    """Minutes after midnight."""
    closes: int
    """Minutes after midnight, at most 1440."""
    timezone: str
    """Name in the IANA time zone database."""

    @property
    def always(self) -> bool:
        """Whether it never closes."""
        return len(self.days) == 7 and self.opens == 0 and self.closes == 1440


class Service(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A component with its resolved blueprint and what of the graph its configs need.

    `annotations` leaves out what this product wrote itself, so that an own write changes no fingerprint.
    """

    ref: EntityRef
    name: str
    namespace: str
    title: str = ""
    description: str = ""
    type: str = ""
    lifecycle: str = ""
    language: str = ""
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    owner: Contact | None = None
    system: EntityRef | None = None
    domain: EntityRef | None = None
    depends_on: tuple[Neighbour, ...] = ()
    """What it needs to work: declared dependencies and consumed APIs, direct ones only."""
    dependents: tuple[Neighbour, ...] = ()
    """Who needs it, directly."""
    further: tuple[EntityRef, ...] = ()
    """Who needs those in turn: the second ring of the blast radius."""
    provides: tuple[EntityRef, ...] = ()
    entity: Place | None = None
    """The catalog file that declares it, and `document` its YAML document there."""
    document: int = 0
    own: Home | None = None
    """Its own repository, when it is known."""
    central: Home | None = None
    """Its place in the organisation's central repository, when there is one."""
    facts: CodeFacts | None = None
    blueprint: Blueprint
    blueprint_digest: str

    @property
    def label(self) -> str:
        """What people call it."""
        return self.title or self.name

    @property
    def runs(self) -> bool:
        """Whether anything of it runs."""
        return self.type not in NOTHING_RUNS


class Team(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group that owns services; its blueprint is that of the strictest tier it owns."""

    ref: EntityRef
    contact: Contact
    parent: EntityRef | None = None
    services: tuple[Neighbour, ...] = ()
    own: Home | None = None
    central: Home | None = None
    blueprint: Blueprint
    blueprint_digest: str


class Organisation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All teams together, for the configs of which there is one: a routing tree, a tag taxonomy."""

    ref: EntityRef
    name: str
    teams: tuple[Contact, ...] = ()
    tiers: tuple[str, ...] = ()
    windows: tuple[Hours, ...] = ()
    """The windows of the tier table, by name."""
    retention: dict[str, int] = {}
    """How long the logs of each tier are kept, in milliseconds."""
    own: Home | None = None
    central: Home | None = None


Subject = Service | Team | Organisation


def _blueprint_by_digest(value: object) -> None:
    """A blueprint is told apart by its digest, which stands beside it."""
    if not isinstance(value, Blueprint):
        raise TypeError(f"{type(value).__name__} has no place in a fingerprint")


_encoder = msgspec.msgpack.Encoder(enc_hook=_blueprint_by_digest, order="deterministic")


def fingerprint(subject: Subject) -> bytes:
    """16 bytes that change when anything a generator may look at does."""
    return blake2b(_encoder.encode(subject), digest_size=16).digest()


def per_blueprint(make: Callable[[Blueprint], T]) -> Callable[[Service | Team], T]:
    """Remember what `make` gives for a blueprint: thousands of subjects share a few."""
    known: dict[str, T] = {}

    def remembered(subject: Service | Team) -> T:
        digest = subject.blueprint_digest
        made = known.get(digest)  # looked up once, for another thread may clear it in between
        if made is None:
            if len(known) >= _LARGEST_MEMORY:
                known.clear()
            made = known[digest] = make(subject.blueprint)
        return made

    return remembered
