"""Things to remember, as small as they can be."""

from collections.abc import AsyncIterator, Sequence

from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.plan import Applied, Change, Part, Plan, Wanted
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.sdk.store import Entry, Memory, Planned, Store

OWNER = entity_ref("group", "a")


def ref(n: int) -> EntityRef:
    return entity_ref("component", f"s{n:04}")


def config(n: int) -> ConfigId:
    return ConfigId("k/a", ref(n))


def entity(n: int, description: str = "") -> Entity:
    return Entity(ref=ref(n), kind="Component", name=f"s{n}", description=description, spec={"a": [1, None]})


def wanted(digest: str = "d", owner: EntityRef | None = None) -> Wanted:
    return Wanted("k/a", "", digest, Place("root", "x"), owner)


def applied(digest: str = "d", owner: EntityRef | None = None) -> Applied:
    return Applied("k/a", "", digest, Place("root", "x"), "r", "s", owner)


def planned(n: int, action: Action | None = Action.CREATE) -> Planned:
    part = Part(ref(n), (Change("k/a", "", action, "d", Place("root", "x"), ""),)) if action else None
    return Planned(ref(n), Memory(b"f", f"u{n}", (wanted(),)), part)


def entry(n: int, plan: str = "p", **words: object) -> Entry:
    given = {"action": Action.CREATE, "place": Place("root", "x"), "before": "", **words}
    return Entry(key=f"k{n}{given['place'].path}", plan=plan, id=config(n), **given)


async def save(store: Store, *rows: Planned, checksum: str = "c" * 32) -> Plan:
    """Save a plan, each row a chunk of its own."""

    async def chunks() -> AsyncIterator[Sequence[Planned]]:
        for row in rows:
            yield [row]

    return await store.save_plan(chunks(), lambda: Plan(checksum=checksum, subjects=len(rows)))
