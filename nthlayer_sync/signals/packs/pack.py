"""What a pack is: what is known of one technology, as data."""

from __future__ import annotations

import msgspec

from nthlayer_sync.signals.alert import Query, Unit


class Sample(msgspec.Struct, frozen=True):
    """A series in the tests of a watch: `at + per * x`, where x is what the watch compares with its threshold.

    A counter grows by that much a second. `series` is a name, with labels beside those that select the instance.
    """

    series: str
    labels: dict[str, str] = {}
    at: float = 0
    per: float = 0
    counter: bool = False


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of a pack.

    In `expr` and `look`, `$self` stands for the matchers that select the instance, `$limit` for the threshold, `$rate`
    for the window of rates. In texts `$name` is the instance's name, `$limit` the threshold as people read it.
    """

    name: str
    threshold: str = ""
    """The field of the blueprint's pack that `$limit` is; "": always watched."""
    below: bool = False
    """Whether it fires below the threshold."""
    expr: str
    unit: Unit = ""
    summary: str
    meaning: str
    look: tuple[Query, ...] = ()
    causes: tuple[str, ...]
    remedy: tuple[str, ...]
    samples: tuple[Sample, ...]


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """One technology: `technology` is its name in `observability.packs` of the blueprint."""

    technology: str
    title: str
    ports: tuple[int, ...]
    """TCP ports on which clients reach it where nobody chose others, with TLS where that has one of its own."""
    exporter: str
    """What shows these metrics, and where that is documented."""
    presence: str
    """A series that every instance has while it is measured at all."""
    watches: tuple[Watch, ...]
