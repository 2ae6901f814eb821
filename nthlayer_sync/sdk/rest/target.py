"""Reads and writes live objects: never a second time, and never what is not ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Collection as Many
from datetime import UTC, datetime
from typing import Any, NamedTuple

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import content_sum
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.http import BadRequest, Conflict, NotThere, Refused, Tool, Unsure
from nthlayer_sync.sdk.rest.account import Account, Found
from nthlayer_sync.sdk.rest.collection import Collection, Json
from nthlayer_sync.sdk.rest.kind import RestKind, canonical
from nthlayer_sync.sdk.rest.mark import mark_of
from nthlayer_sync.sdk.rest.shelves import FRESH, Shelves, clock
from nthlayer_sync.sdk.target import Movement, Stranger


class _Seen(NamedTuple):
    """An object as we look at it."""

    content: str | None
    trouble: str
    revision: str
    renewed: str


class RestTarget:
    """One account of one tool. `settles`: seconds for which a new object may be missing from lists."""

    def __init__(
        self, name: str, tool: Tool, kinds: Many[RestKind[Any, Any]], instance: str, settles: float = 30.0
    ) -> None:
        self.name = name
        self.settles = settles
        self._tool = tool
        self._instance = instance
        self._kinds = {kind.name: kind for kind in kinds}
        self._by_collection = {kind.collection.name: kind for kind in kinds}
        self._shelves = Shelves(tool, _needed(kinds), instance, settles)
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    # What is there.

    async def moved(self, root: str, since: str) -> Movement:
        """It cannot be told: everything is listed anew."""
        self._shelves.expire()
        return Movement("", None)

    async def revisions(self, root: str, paths: Many[str] | None) -> Mapping[str, str]:
        """The digest of what we manage of each object, and of whether it bears our mark."""
        wanted = {path.partition("/")[0] for path in paths} if paths is not None else set(self._by_collection)
        kinds = [self._by_collection[name] for name in sorted(wanted) if name in self._by_collection]
        await self._shelves.read(_needed(kinds))
        found: dict[str, str] = {}
        for kind in kinds:
            shelf, account = self._shelves[kind.collection.name], self._account()
            rows = {f"{kind.collection.name}/{each.key}": each for each in shelf}
            asked = {path: each for path, each in rows.items() if paths is None or path in paths}
            whole = await asyncio.gather(*(self._shelves.completed(kind.collection, each) for each in asked.values()))
            found |= {path: self._seen(kind, each, account).revision for path, each in zip(asked, whole, strict=True)}
        return found

    async def confirm(self, root: str, remotes: Mapping[str, str]) -> Mapping[str, str]:
        """Asks for each object by its id."""

        async def one(path: str, id: str) -> tuple[str, str]:
            kind = self._by_collection[path.partition("/")[0]]
            await self._shelves.read(_needed([kind]))
            found = await self._shelves.fetched(kind.collection, id)
            if found is None:
                return path, ""
            there = f"{kind.collection.name}/{found.key}" == path
            return path, self._seen(kind, found, self._account()).revision if there else ""

        rows = await asyncio.gather(*(one(path, id) for path, id in remotes.items()))
        return {path: revision for path, revision in rows if revision}

    async def read(self, root: str, paths: Mapping[ConfigId, str]) -> Mapping[ConfigId, Observed]:
        """What we manage of each object, in the shape of its spec."""
        await self._shelves.read(_needed(self._kinds[id.kind] for id in paths))
        account = self._account()
        observed: dict[ConfigId, Observed] = {}
        for id, path in paths.items():
            kind = self._kinds[id.kind]
            shelf, key = self._shelves[kind.collection.name], path.partition("/")[2]
            found = shelf.by_key.get(key)
            if found is None:
                continue
            found = await self._shelves.completed(kind.collection, found)
            seen = self._seen(kind, found, account)
            trouble = seen.trouble
            if doubles := shelf.doubles.get(key):
                whose = "bear our mark for" if found.ours else "are called"
                trouble = f"several objects {whose} {path}: {', '.join(sorted(doubles))}"
            observed[id] = Observed(
                id, Place(root, path), seen.revision, seen.content, found.ours, trouble, found.id, renewed=seen.renewed
            )
        return observed

    async def strangers(self, root: str) -> Sequence[Stranger]:
        """What bears nobody's mark, by collection and id."""
        self._shelves.expire()
        kinds = [self._by_collection[name] for name in sorted(self._by_collection)]
        await self._shelves.read(_needed(kinds))
        return [
            Stranger(f"{kind.collection.name}/{found.key}", found.id, kind.collection.url_of(found.body))
            for kind in kinds
            for _, found in sorted(self._shelves[kind.collection.name].by_id.items())
            if found.key and not found.mark
        ]

    async def foresee(self, config: Config, weeks: int) -> str:
        """What follows from a config in the next weeks, "" where its kind tells nothing of the sort."""
        kind = self._kinds[config.id.kind]
        if kind.foresee is None:
            return ""
        await self._shelves.read(_needed([kind]))
        found = self._shelves[kind.collection.name].by_key.get(config.place.path.partition("/")[2])
        body = (await self._shelves.completed(kind.collection, found)).body if found else None
        return kind.foresee(config.spec, self._account(), body, weeks)

    # What is changed.

    async def write(self, batch: Sequence[Diff], idempotency_key: str) -> list[Result]:
        """Each change by itself, as many at a time as the tool bears."""
        kinds = {diff.id.kind: self._kinds[diff.id.kind] for diff in batch}
        await self._shelves.read(_needed(kinds.values()), since=clock() - FRESH)
        return list(await asyncio.gather(*(self._one(diff, idempotency_key) for diff in batch)))

    async def _one(self, diff: Diff, key: str) -> Result:
        kind = self._kinds[diff.id.kind]
        try:
            if diff.desired is None:
                return await self._delete(kind, diff)
            found = await self._standing(kind, diff)
            return await (self._create(kind, diff, key) if found is None else self._update(kind, diff, found))
        except Unsure as error:
            return Result(id=diff.id, outcome=Outcome.UNKNOWN, reason=str(error), temporary=True)
        except Failure as error:
            temporary = isinstance(error, TemporaryError)
            return Result(id=diff.id, outcome=Outcome.FAILED, reason=str(error), temporary=temporary)

    async def _standing(self, kind: RestKind[Any, Any], diff: Diff) -> Found | None:
        """The object as it is this moment, where the change rests on one; None where there is none."""
        collection, shelf = kind.collection, self._shelves[kind.collection.name]
        place = diff.was or (diff.desired.place if diff.desired else diff.actual.place if diff.actual else None)
        assert place is not None
        known = shelf.by_key.get(place.path.partition("/")[2])
        id = known.id if known else diff.actual.remote if diff.actual else ""
        if not id:
            return None
        if diff.actual is None and diff.was is None:
            return known
        found = await self._shelves.fetched(collection, id)
        if found is None:
            shelf.take(id)
        return found

    async def _create(self, kind: RestKind[Any, Any], diff: Diff, key: str) -> Result:
        assert diff.desired is not None
        if diff.actual is not None and diff.actual.revision:
            raise TemporaryError(f"{diff.desired.place} is gone since the plan; plan again")
        started = clock()
        body = self._body(kind, diff, None)
        try:
            made = await kind.collection.create(self._tool, body, key)
            found = await self._after(kind, made)
        except (BadRequest, Refused, NotThere):
            raise
        except (Unsure, Conflict, PermanentError) as error:
            # Whether it was made is open, or somebody else made it: the account knows.
            again = await self._again(kind, diff, started)
            if again is None and not isinstance(error, (Unsure, Conflict)):
                raise Unsure(f"it was sent, and the answer says nothing of it: {error}") from None
            if again is None:
                raise
            found = again
        return self._done(kind, diff, found)

    async def _again(self, kind: RestKind[Any, Any], diff: Diff, started: float) -> Found | None:
        """What a list that was read since shows of an object of ours."""
        assert diff.desired is not None
        await self._shelves.read(_needed([kind]), since=started)
        found = self._shelves[kind.collection.name].by_key.get(diff.desired.place.path.partition("/")[2])
        return await self._shelves.completed(kind.collection, found) if found is not None and found.ours else None

    async def _update(self, kind: RestKind[Any, Any], diff: Diff, found: Found) -> Result:
        assert diff.desired is not None
        seen = self._seen(kind, found, self._account())
        if found.ours and seen.content == diff.after and diff.was is None:
            return self._done(kind, diff, found, Outcome.UNCHANGED)
        if diff.actual is None and diff.was is None:
            whose = f"it belongs to the installation {found.mark!r}" if found.mark else "it does not bear our mark"
            if found.ours:
                raise TemporaryError(f"{diff.desired.place} is there since the plan; plan again")
            raise PermanentError(f"{diff.desired.place} is there already and {whose}; import it, or rename it")
        self._require_ours(found, diff)
        expected = diff.actual.revision if diff.actual else ""
        if seen.trouble or (expected and seen.revision != expected):
            raise TemporaryError(seen.trouble or f"{diff.desired.place} changed since the plan; plan again")
        body = self._body(kind, diff, found.body)
        made = await kind.collection.update(self._tool, found.body, body)
        return self._done(kind, diff, await self._after(kind, made, found.id))

    async def _delete(self, kind: RestKind[Any, Any], diff: Diff) -> Result:
        found = await self._standing(kind, diff)
        if found is None:
            return Result(id=diff.id, outcome=Outcome.UNCHANGED)
        self._require_ours(found, diff)
        if diff.actual and diff.actual.revision not in ("", self._seen(kind, found, self._account()).revision):
            raise TemporaryError(f"{diff.actual.place} changed since the plan; plan again")
        await kind.collection.delete(self._tool, found.body)
        self._shelves.take(kind.collection, found.id)
        return Result(id=diff.id, outcome=Outcome.DONE, remote=found.id)

    def _require_ours(self, found: Found, diff: Diff) -> None:
        """It bears our mark, or it is the very object that we remember or that a person gave us."""
        bound = diff.actual is not None and diff.actual.remote == found.id and not found.mark
        if not (found.ours or bound):
            whose = f"belongs to the installation {found.mark!r}" if found.mark else "does not bear our mark"
            raise PermanentError(f"{diff.id}: the object {found.id} {whose}, so it is left alone")

    def _body(self, kind: RestKind[Any, Any], diff: Diff, live: Json | None) -> Json:
        """What is sent: what we manage, with our mark."""
        assert diff.desired is not None
        body = dict(kind.encode(diff.desired.spec, self._account(), live))
        if kind.collection.mark is not None:
            kind.collection.mark.put(body, mark_of(self._instance, diff.desired.place.path.partition("/")[2]))
        return body

    async def _after(self, kind: RestKind[Any, Any], made: Json, id: str = "") -> Found:
        """The object as the answer to a write shows it."""
        collection = kind.collection
        if not collection.echoes:
            body = await collection.get(self._tool, id or collection.id_of(made))
            if body is None:
                raise Unsure(f"{collection.name}: it was written, and is not there")
            made = body
        found = self._shelves.put(collection, made)
        if id and id != found.id:
            self._shelves.take(collection, id)  # it was made anew elsewhere
        if not id:
            self._shelves.made(collection, found.id)
        return found

    def _done(self, kind: RestKind[Any, Any], diff: Diff, found: Found, outcome: Outcome = Outcome.DONE) -> Result:
        seen = self._seen(kind, found, self._account())
        return Result(
            id=diff.id,
            outcome=outcome,
            revision=seen.revision,
            reference=kind.collection.url_of(found.body),
            reason=seen.trouble,
            remote=found.id,
            content=seen.content,
        )

    def _seen(self, kind: RestKind[Any, Any], found: Found, account: Account) -> _Seen:
        """What we manage of it, or why that cannot be told; live values are anybody's."""
        content, trouble, renewed = None, "", ""
        try:
            decoded = kind.decode(found.body, account)
            content = canonical(decoded)
            if any(not decoded[name] for name in kind.renews):
                renewed = canonical(decoded | dict.fromkeys(kind.renews, True))
        except (Failure, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            trouble = f"{kind.collection.name} {found.id} is not as {self.name} describes such objects: {error!r:.200}"
        mark = "ours" if found.ours else found.mark
        return _Seen(content, trouble, content_sum(f"{found.id} {mark} {content}"), renewed)

    def _account(self) -> Account:
        return Account(self.name, self._shelves.by_name, self.now())


def _needed(kinds: Iterable[RestKind[Any, Any]]) -> list[Collection]:
    """The collections that kinds are in or look names up in."""
    return [collection for kind in kinds for collection in (*kind.needs, kind.collection)]
