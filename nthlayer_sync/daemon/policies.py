"""policies: what a write waits for, as settings and people say it now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from nthlayer_sync.engine.batch import key_of
from nthlayer_sync.engine.gate import Gate
from nthlayer_sync.engine.guards import Consent, Lately
from nthlayer_sync.engine.run import Engine, Terms
from nthlayer_sync.model.blueprint.deployment import Window
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Change, Part
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Service, Team
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.store import RECREATE, SharedStore
from nthlayer_sync.settings.serve import ServeSettings

PAUSE, APPROVAL, CONSENT = "pause", "approval", "consent"
"""Topics of notes."""
EVERYTHING = "*"
"""The key of a pause of everything."""
PAUSED_BY, FREEZE, WINDOW = "paused by ", "freeze ", "window "
"""How reasons to wait begin."""
FRESH = 1.0
"""Seconds after which what people said is read again: another replica may have heard it."""


class Note(msgspec.Struct, frozen=True):
    """What somebody said, and when (seconds since 1970). `count` and `ids` are what a consent lets pass."""

    by: str
    at: float
    reason: str = ""
    count: int = 0
    ids: tuple[str, ...] = ()
    uid: str = ""
    """What outlives a rename of the entity that it is about."""


class Said(msgspec.Struct, frozen=True):
    """All that people said that holds now."""

    pauses: dict[str, Note] = {}
    approvals: dict[str, Note] = {}
    consents: dict[str, Note] = {}


def change_key(ref: EntityRef, change: Change) -> str:
    """What an approval is for: this change of this config as it stands, and no other."""
    places = str(change.place), str(change.was or "")
    return key_of(change.kind, ref, change.name, change.digest, change.revision, *places)


class Policies:
    """Makes the terms on which subjects are planned."""

    def __init__(self, engine: Engine, store: SharedStore, settings: ServeSettings) -> None:
        self._engine = engine
        self._store = store
        self._settings = settings
        self._said = Said()
        self._lately = Lately()
        self._read = 0.0
        self._forgotten = 0
        self._renamed: dict[str, EntityRef] = {}
        self._reading = asyncio.Lock()

    def forget(self) -> None:
        """What people said, or what was written, is not what it was."""
        self._read = 0.0
        self._forgotten += 1

    def pause_of(self, ref: EntityRef) -> str:
        """Under which key an entity is paused by itself, "" where it is not: it keeps its pause when it is renamed."""
        entity = self._engine.graph.entities.get(ref)
        return ref if ref in self._said.pauses else self._renamed.get(entity.identity if entity else "", "")

    async def used(self, parts: AsyncIterator[Part], made: Collection[ConfigId]) -> None:
        """Forget the approvals of what was written: each is for one write, and the next like it is asked for again."""
        if not (made and self._said.approvals):
            return
        keys = {change_key(part.subject, c) async for part in parts for c in part.changes if part.id(c) in made}
        if used := keys.intersection(self._said.approvals):
            await self._store.unpin(APPROVAL, used)
            self.forget()

    async def said(self) -> Said:
        """All that people said that holds now."""
        await self._refresh()
        return self._said

    async def terms(self) -> Terms:
        """The terms now."""
        return Terms(await self.rules(), await self._consent(), self._lately)

    async def rules(self) -> tuple[Gate, ...]:
        """What writes have to pass now."""
        await self._refresh()
        return self._paused, self._frozen, self._outside_windows, self._unapproved

    async def _refresh(self) -> None:
        async with self._reading:
            if self._read and time.monotonic() - self._read < FRESH:
                return
            began, forgotten = time.monotonic(), self._forgotten
            topics = [await self._store.notes(topic) for topic in (PAUSE, APPROVAL, CONSENT)]
            self._said = Said(*({key: _note(note) for key, note in notes.items()} for notes in topics))
            self._renamed = {note.uid: EntityRef(key) for key, note in self._said.pauses.items() if note.uid}
            self._lately = await self._written_lately()
            self._read = began if forgotten == self._forgotten else 0.0  # somebody said something while it was read

    async def _written_lately(self) -> Lately:
        spans, now = self._engine.setup.tiers.guards.lately, time.time()
        found: dict[str, dict[str, int]] = {}
        actions = ((Action.DELETE, spans.deletes), (Action.UPDATE, spans.updates), (RECREATE, spans.deletes))
        for action, span in actions:
            for scope, counts in (await self._store.written(now - span.seconds)).items():
                found.setdefault(scope, {})[action] = counts.get(action, 0)
        return Lately(found)

    async def _consent(self) -> Consent:
        """What is left of what people agreed to."""
        left: dict[str, int] = {}
        for guard, action in (("deletes", Action.DELETE), ("updates", Action.UPDATE), ("recreates", RECREATE)):
            if (note := self._said.consents.get(guard)) is not None:
                written = await self._store.written(note.at)
                left[guard] = max(note.count - written.get("", {}).get(action, 0), 0)
        protected = self._said.consents.get("protected")
        return Consent(
            deletes=left.get("deletes", 0),
            updates=left.get("updates", 0),
            protected=frozenset(protected.ids if protected else ()),
            recreates=left.get("recreates", 0),
        )

    # The rules, in the order in which they are asked.

    def _paused(self, ref: EntityRef, change: Change) -> str:
        note = self._said.pauses.get(EVERYTHING) or self._said.pauses.get(self.pause_of(ref))
        return f"{PAUSED_BY}{note.by}{f': {note.reason}' if note.reason else ''}" if note else ""

    def _frozen(self, ref: EntityRef, change: Change) -> str:
        now = datetime.now(UTC)
        plugin = change.kind.partition("/")[0]
        for freeze in self._settings.freezes:
            if freeze.holds(now) and (not freeze.plugins or plugin in freeze.plugins):
                tier = self._tier(ref)
                if freeze.tiers and tier and tier not in freeze.tiers:
                    continue  # what is gone, and what is for all tiers, is not known to be outside the freeze
                return f"{FREEZE}{freeze.name} until {freeze.until.isoformat(timespec='minutes')}"
        return ""

    def _outside_windows(self, ref: EntityRef, change: Change) -> str:
        plugin = change.kind.partition("/")[0]
        bound = [name for name, plugins in self._settings.windows.items() if plugin in plugins or "*" in plugins]
        known = self._engine.setup.tiers.windows
        now = datetime.now(UTC)
        if not bound or any(is_open(known[name], now) for name in bound if name in known):
            return ""
        return f"{WINDOW}{' or '.join(sorted(bound))}"

    def _unapproved(self, ref: EntityRef, change: Change) -> str:
        generator = self._engine.generator
        if change.kind not in generator.kinds:
            return ""
        settings = generator.plugin(change.kind).settings
        if settings.policy_of(change.kind) != "propose" or change_key(ref, change) in self._said.approvals:
            return ""
        target = generator.target(change.kind, change.place.root)
        if isinstance(target, FileTarget) and target.proposes(change.place.root, ""):
            return ""  # people review it as a pull request
        owner = self._owner(ref)
        return f"approval of {owner if owner and settings.approval == 'owner' else 'an operator'}"

    def _tier(self, ref: EntityRef) -> str:
        subject = self._engine.subject(ref)
        return subject.blueprint.tier if isinstance(subject, (Service, Team)) else ""

    def _owner(self, ref: EntityRef) -> EntityRef | None:
        return owner_of(self._engine, ref)


def owner_of(engine: Engine, ref: EntityRef) -> EntityRef | None:
    """Who owns an entity; a group is its own."""
    return ref if ref.startswith("group:") else engine.graph.owner(ref)


def is_open(window: Window, now: datetime) -> bool:
    """Whether a weekly window is open."""
    here = now.astimezone(ZoneInfo(window.timezone))
    minute = here.hour * 60 + here.minute
    return here.strftime("%a").lower() in {day[:3].lower() for day in window.days} and (
        window.opens <= minute < window.closes
    )


def _note(data: bytes) -> Note:
    try:
        return msgspec.json.decode(data, type=Note)
    except msgspec.MsgspecError:
        return Note(by="an unreadable note", at=0.0)
