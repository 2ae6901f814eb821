"""The form of a schedule: layers of people who take turns, and the overrides over them."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from nthlayer_sync.oncall.clock import HOUR

EPOCH = datetime(2024, 1, 1)
"""The Monday from which turns are counted. Any would do; it must never change."""


class Restriction(msgspec.Struct, frozen=True, order=True):
    """A time of the week, by the wall clock; it may reach into the next day or week."""

    day: int
    """0 is Monday, 6 is Sunday, -1 is every day."""
    start: int
    """Minutes after midnight."""
    minutes: int
    """How long it lasts, at most a week."""


class Layer(msgspec.Struct, frozen=True):
    """People who take turns, one after the other and round again."""

    name: str
    """Not empty, and no other layer of the schedule has it."""
    members: tuple[str, ...]
    """E-mail addresses, beginning with whose turn starts at `start`; a person may stand there more than once."""
    start: datetime
    """The start of a turn, by the wall clock of the schedule's time zone, without a zone."""
    hours: int
    """Length of a turn, by the wall clock."""
    restrictions: tuple[Restriction, ...] = ()
    """When the layer is on call; turns go on outside of it. None: always."""

    @property
    def turn(self) -> timedelta:
        """Length of a turn."""
        return self.hours * HOUR

    def at(self, slot: int) -> str:
        """Whose turn is the one that many after the turn at `start`."""
        return self.members[slot % len(self.members)]

    def turned(self, by: int) -> Layer:
        """The same with everybody that many turns earlier."""
        by %= len(self.members)
        return msgspec.structs.replace(self, members=self.members[by:] + self.members[:by])

    def moved(self, by: int) -> Layer:
        """The same rotation, told from the turn that many after `start`."""
        return msgspec.structs.replace(self.turned(by), start=self.start + by * self.turn)


class Schedule(msgspec.Struct, frozen=True):
    """Layers that share out the time among them: no two cover the same moment."""

    timezone: str
    """Name in the IANA time zone database, by whose clock the layers are told."""
    layers: tuple[Layer, ...]


class Override(msgspec.Struct, frozen=True, order=True):
    """Somebody on call instead of whoever has the turn. Instants have a zone."""

    start: datetime
    end: datetime
    person: str


def canonical(schedule: Schedule) -> Schedule:
    """The schedule without the knowledge whose turn it is: two that differ in nothing else become equal."""
    return Schedule(schedule.timezone, tuple(sorted(map(_canonical, schedule.layers), key=lambda layer: layer.name)))


def same(one: Schedule, other: Schedule) -> bool:
    """Whether two schedules differ in nothing but whose turn it is."""
    return canonical(one) == canonical(other)


def second(schedule: Schedule) -> Schedule:
    """The schedule of those whose turn is next: with two people or more, nobody is in both at once."""
    return Schedule(schedule.timezone, tuple(layer.turned(1) for layer in schedule.layers))


def _canonical(layer: Layer) -> Layer:
    early = layer.moved(-((layer.start - EPOCH) // layer.turn))
    members = min(early.turned(by).members for by in range(len(early.members)))
    return msgspec.structs.replace(early, members=members, restrictions=tuple(sorted(layer.restrictions)))
