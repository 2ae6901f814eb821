"""What is written together, in the order in which it has to land."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import blake2b

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Change, Part
from nthlayer_sync.model.result import Result
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.store import Entry
from nthlayer_sync.sdk.target import Target

BATCH = 2_500
"""Configs written together, and a few more where a subject would be cut: they are held in memory, about 10 kB each."""

Levels = dict[int, dict[str, list["Batch"]]]
"""Batches by level; those of one key follow each other, those of one level go side by side."""


@dataclass(frozen=True)
class Write:
    """One change on its way; `leaving` is its second half, where a config moves from one root to another."""

    part: Part
    change: Change
    leaving: bool = False

    @property
    def id(self) -> ConfigId:
        """The id of the config."""
        return self.part.id(self.change)

    @property
    def root(self) -> str:
        """Where it writes."""
        was = self.change.was
        return was.root if self.leaving and was else self.change.place.root

    @property
    def old_place(self) -> Place | None:
        """Where its own root holds the config that is to go elsewhere."""
        was = self.change.was
        return was if was is not None and was.root == self.root else None

    @property
    def emigrates(self) -> bool:
        """Whether the config leaves one root for another."""
        return self.change.was is not None and self.change.was.root != self.change.place.root


@dataclass(frozen=True)
class Step:
    """A write that can be made, with its lines in the journal: one for each place that it changes."""

    write: Write
    diff: Diff
    entries: tuple[Entry, ...]


@dataclass
class Batch:
    """What is written together: everything for one root at one level of requirements."""

    target: Target
    root: str
    plugin: OperationalPlugin | None = None
    """The plugin that writes one by one, where it has an `apply` of its own."""
    writes: list[Write] = field(default_factory=list[Write])

    @property
    def name(self) -> str:
        """The name under which the state of its root is remembered."""
        return f"{self.target.name} {self.root}"

    async def send(self, diffs: list[Diff], key: str) -> list[Result]:
        """Make the changes, by the plugin where it wants to make them itself."""
        if self.plugin is None:
            return await self.target.write(diffs, key)
        return [await self.plugin.apply(diff, key_of(key, str(diff.id))) for diff in diffs]


async def in_batches(generator: Generator, parts: AsyncIterator[Part], adopted: list[Write]) -> Levels:
    """Writes by level and root; what only our memory has to learn goes to `adopted`."""
    ranks = ranks_of(generator)
    levels: Levels = {}
    async for part in parts:
        for change in part.changes:
            write = Write(part, change)
            if change.action is Action.ADOPT:
                adopted.append(write)
            elif change.action.writes:
                level = -ranks[change.kind] if change.action is Action.DELETE else ranks[change.kind]
                _put(generator, levels, level, write)
                if write.emigrates:
                    _put(generator, levels, len(ranks), Write(part, change, leaving=True))
    return levels


def _put(generator: Generator, levels: Levels, level: int, write: Write) -> None:
    plugin = generator.plugin(write.change.kind)
    own = plugin if type(plugin).apply is not OperationalPlugin.apply else None
    target = plugin.target(write.root)
    key = f"{target.name} {write.root} {own.name if own else ''}"
    batches = levels.setdefault(level, {}).setdefault(key, [])
    if not batches or (len(batches[-1].writes) >= BATCH and batches[-1].writes[-1].part is not write.part):
        batches.append(Batch(target, write.root, own))
    batches[-1].writes.append(write)


def ranks_of(generator: Generator) -> dict[str, int]:
    """Kinds by the order in which they land: files in one batch, a live object after those that it refers to."""
    ranks: dict[str, int] = {}
    for name, kind in generator.kinds.items():
        plugin = generator.plugin(name)
        ranks[name] = max(
            (ranks[r] + _apart(plugin, generator.plugin(r)) for r in kind.requires if r in ranks),
            default=0,
        )
    return ranks


def _apart(one: OperationalPlugin, other: OperationalPlugin) -> bool:
    """Whether what two plugins make cannot land together."""
    return one.files is not other.files or one.live is not None or other.live is not None


def key_of(*words: str) -> str:
    """A short digest: the same change of the same live object has the same key, however often it is asked for."""
    return blake2b("\0".join(words).encode(), digest_size=12).hexdigest()
