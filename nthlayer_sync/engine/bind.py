"""import: live objects that were there before us, found and bound to configs by a person's word.

Binding only writes memory: the config then counts as applied, as the object stands now. What would be changed about the
object the next plan shows, and nothing live is written before that is applied.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Applied, Change, Plan, content_sum
from nthlayer_sync.sdk.store import Store
from nthlayer_sync.sdk.target import Inhabited, Stranger


class Waiting(msgspec.Struct, frozen=True):
    """A config that is not applied, and the object that stands where it should be."""

    id: ConfigId
    place: Place
    object: Stranger


class Bound(msgspec.Struct, frozen=True):
    """A config and the object that counts as its own from now on, or why it does not."""

    id: ConfigId
    place: Place
    remote: str
    trouble: str = ""


class Strangers(msgspec.Struct, frozen=True):
    """What bears nobody's mark and is not remembered: objects in the way of configs, and all others by their root."""

    waiting: tuple[Waiting, ...]
    others: dict[str, tuple[Stranger, ...]]


class Binder:
    """Finds and binds what a plan came across."""

    def __init__(self, store: Store, generator: Generator) -> None:
        self._store = store
        self._generator = generator

    async def find(self, plan: Plan) -> Strangers:
        """What could be bound."""
        strangers = await self._strangers()
        standing = {Place(root, each.path): each for root, found in strangers.items() for each in found}
        waiting: list[Waiting] = []
        async for part in self._store.parts(plan.id):
            for change in part.changes:
                met = standing.get(change.place)
                if change.action is Action.REFUSE and change.was is None and met is not None:
                    waiting.append(Waiting(part.id(change), change.place, met))
        taken = {each.place for each in waiting}
        others = {
            root: tuple(each for each in found if Place(root, each.path) not in taken)
            for root, found in strangers.items()
        }
        return Strangers(tuple(waiting), others)

    async def named(self, plan: Plan, id: ConfigId, remote: str) -> Waiting:
        """One config with the object of this id, or with the one that stands in its place; InputError for neither."""
        change = await self._change(plan, id)
        found = (await self._strangers()).get(change.place.root, [])
        collection = _collection(change.place.path)
        if not remote:
            met = next((each for each in found if each.path == change.place.path), None)
            if met is None:
                raise InputError(f"nothing stands at {change.place} that bears no mark; name an object with --as")
            return Waiting(id, change.place, met)
        near = [each for each in found if _collection(each.path) == collection]
        met = next((each for each in near if each.remote == remote), None)
        if met is None:
            raise InputError(
                f"none of the {len(near)} {collection} in {change.place.root} without a mark is {remote!r}"
            )
        return Waiting(id, change.place, met)

    async def bind(self, chosen: Sequence[Waiting]) -> list[Bound]:
        """Remember that each object is the config's; TemporaryError while something else is applied."""
        results: list[Bound] = []
        remembered: dict[ConfigId, Applied | None] = {}
        async with self._store.applying():
            for each in chosen:
                place = Place(each.place.root, each.object.path)
                target = self._generator.target(each.id.kind, place.root)
                seen = (await target.read(place.root, {each.id: place.path})).get(each.id)
                trouble = _trouble(seen, each.object)
                if seen is not None and not trouble:
                    kind, name, total = each.id.kind, each.id.name, content_sum(seen.content or "")
                    remembered[each.id] = Applied(kind, name, "", place, seen.revision, total, remote=seen.remote)
                results.append(Bound(each.id, place, each.object.remote, trouble))
            await self._store.finish([], remembered)
        return results

    async def _strangers(self) -> dict[str, list[Stranger]]:
        """By root, in order of path."""
        known = {
            (applied.place.root, _collection(applied.place.path), applied.remote)
            async for _, memory in self._store.each_memory()
            for applied in memory.applied
            if applied.remote
        }
        found: dict[str, list[Stranger]] = {}
        for name, target in sorted(self._generator.targets.items()):
            if isinstance(target, Inhabited):
                strangers = sorted(await target.strangers(name), key=lambda each: (each.path, each.remote))
                found[name] = [each for each in strangers if (name, _collection(each.path), each.remote) not in known]
        return found

    async def _change(self, plan: Plan, id: ConfigId) -> Change:
        known: list[ConfigId] = []
        async for part in self._store.parts(plan.id):
            for change in part.changes:
                if part.id(change) == id and change.place.path:
                    if change.action in (Action.REFUSE, Action.CREATE) and change.was is None:
                        return change
                    raise InputError(f"{id} has an object already, so there is nothing to import for it")
                known.append(part.id(change))
        raise InputError(f"{id} waits for nothing: it is not wanted, or it is as it should be{_near(id, known)}")


def _collection(path: str) -> str:
    """The sort of object: no two of one sort share an id."""
    return path.partition("/")[0]


def _trouble(seen: Observed | None, object: Stranger) -> str:
    """Why what stands there now cannot be bound, "" when it can."""
    if seen is None:
        return "it is gone"
    if seen.remote != object.remote:
        return seen.trouble or f"{seen.remote} stands in its place"
    return seen.trouble or ("it holds nothing of ours" if seen.content is None else "")


def _near(id: ConfigId, known: Sequence[ConfigId]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(str(id), map(str, known), n=3, cutoff=0.75)
    return f"; did you mean {', '.join(map(repr, found))}?" if found else ""
