"""One artefact: a config of an entity, wanted or live, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from nthlayer_sync.engine.generate import Generated
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Applied, Change, Part, Wanted
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.store import Memory, SharedStore
from nthlayer_sync.settings import Settings

ConfigT = TypeVar("ConfigT", Wanted, Applied, Change)


class State(StrEnum):
    """How an artefact stands."""

    APPLIED = "applied"
    PENDING = "pending"
    """It is written, or goes, with the next apply."""
    DRIFTED = "drifted"
    """Somebody changed it, and it is left so until a person decides."""
    WAITING = "waiting"
    """Its write waits for an approval, a window, or the end of a freeze or a pause."""
    HELD = "held"
    """Nobody asks for it any more, but it is not ours to delete now."""
    REFUSED = "refused"
    """It cannot be made, or something foreign stands where it belongs."""


_STATES: Mapping[Action, State] = {
    Action.KEEP: State.DRIFTED,
    Action.WAIT: State.WAITING,
    Action.HOLD: State.HELD,
    Action.REFUSE: State.REFUSED,
}


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """A config of an entity. `change` is what its last plan said of it, where that stands still."""

    id: ConfigId
    state: State
    category: Category | None
    place: Place | None
    owner: EntityRef | None = None
    remote: str = ""
    change: Change | None = None
    trouble: str = ""

    @property
    def reason(self) -> str:
        """Why it stands as it does."""
        return self.trouble or (self.change.reason if self.change else "")


async def artefacts_of(engine: Engine, store: SharedStore, ref: EntityRef) -> list[Artefact]:
    """Every artefact of one entity, in order of kind and name."""
    memory = (await store.memories([ref])).get(ref, Memory(b""))
    part = next((part for _, part in await store.open_parts([ref])), None)
    subject = engine.subject(ref)
    return _joined(engine, ref, engine.generator.generate(subject) if subject else None, memory, part)


def _joined(
    engine: Engine, ref: EntityRef, made: Generated | None, memory: Memory, part: Part | None
) -> list[Artefact]:
    wanted = _by_key(made.wanted if made else memory.wanted)
    applied = _by_key(memory.applied)
    changes = _by_key(part.changes if part else ())
    failed = made.failed if made else {}
    found: list[Artefact] = []
    for key in sorted({*wanted, *applied, *changes, *((kind, "") for kind in failed)}):
        want, have, change = wanted.get(key), applied.get(key), changes.get(key)
        change = change if change and stands(change, have) else None
        trouble = failed.get(key[0], "")
        place = want or have or change
        found.append(
            Artefact(
                id=ConfigId(key[0], ref, key[1]),
                state=State.REFUSED if trouble else _state(want, have, change),
                category=_category(engine, key[0]),
                place=place.place if place else None,
                owner=place.owner if place else None,
                remote=have.remote if have else "",
                change=change,
                trouble=trouble,
            )
        )
    return found


def stands(change: Change, applied: Applied | None) -> bool:
    """Whether what a plan said of a config still does: a write that was made since does not."""
    if change.action in _STATES:
        return True
    if not change.digest:
        return applied is not None
    return applied is None or (applied.digest, applied.place) != (change.digest, change.place)


def _state(wanted: Wanted | None, applied: Applied | None, change: Change | None) -> State:
    if change is not None and change.action in _STATES:
        return _STATES[change.action]
    if wanted and applied and (wanted.digest, wanted.place) == (applied.digest, applied.place):
        return State.APPLIED
    return State.PENDING


def _category(engine: Engine, kind: str) -> Category | None:
    known = engine.generator.kinds.get(kind)
    return (known.category or engine.generator.plugin(kind).category) if known else None


def _by_key(configs: Iterable[ConfigT]) -> dict[tuple[str, str], ConfigT]:
    return {(config.kind, config.name): config for config in configs}


def link(settings: Settings, place: Place | None) -> str:
    """Where people look at a file on its code host; "" for what has no address there."""
    if place is None or not place.root.startswith("https://"):
        return ""
    types = {"github.com": "github", "gitlab.com": "gitlab"}
    types |= {hosting.name: hosting.type for hosting in settings.landing.hosting}
    between = {"github": "blob/HEAD", "gitlab": "-/blob/HEAD"}.get(types.get(urlsplit(place.root).hostname or "", ""))
    return f"{place.root.removesuffix('.git')}/{between}/{quote(place.path)}" if between else ""
