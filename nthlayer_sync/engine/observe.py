"""observe: what is live, asked for in proportion to what moved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import islice

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.sdk.target import Target

ROOTS_AT_ONCE = 16
"""Roots observed at the same time: each is a round trip to its host."""
CONFIRMED = 50
"""Objects of one root that are asked for by id because a list lacks them: lists lag for a few, not for hundreds."""


class LiveRoot:
    """One repository or account as it is now.

    Either everything in it is known, or what moved since the state in which we last saw it: what did not move still has
    the revision that we remember.
    """

    def __init__(self, target: Target, root: str) -> None:
        self.target = target
        self.root = root
        self.state = ""
        self.conflicts: frozenset[str] = frozenset()
        self.declined: frozenset[str] = frozenset()
        self.trouble = ""
        """Why nothing can be said of this root now; its configs wait."""
        self.moved: Mapping[str, str] = {}
        self.seen = False
        """Whether it was looked at; what is remembered of it is believed until then."""
        self._all: Mapping[str, str] | None = None
        self._looked_up: dict[str, str] = {}
        self._confirmed = 0

    async def observe(self, since: str, *, whole: bool = True) -> None:
        """Find out what moved since the state `since`; everything is listed when that cannot be told.

        Where not the `whole` is wanted, nothing is listed then, and what is asked about is looked up.
        """
        movement = await self.target.moved(self.root, since)
        self.seen = True
        self.state = movement.state
        self.conflicts = movement.conflicts
        self.declined = movement.declined
        if movement.paths is not None:
            self.moved = movement.paths
        elif whole:
            self._all = await self.target.revisions(self.root, None)

    def revision(self, path: str, remembered: str | None) -> str | None:
        """The revision at `path`, "" for nothing; None when it has to be looked up first."""
        if self._all is not None:
            return self._all.get(path, "")
        if path in self._looked_up:
            return self._looked_up[path]
        return self.moved.get(path, remembered)

    async def look_up(self, paths: Iterable[str]) -> None:
        """Learn the revisions of `paths`, in one question; a failure becomes `trouble`."""
        wanted = [path for path in paths if self.revision(path, None) is None]
        if not wanted or self.trouble:
            return
        try:
            found = await self.target.revisions(self.root, wanted)
        except Failure as error:
            self.trouble = str(error)
        else:
            self._looked_up |= {path: found.get(path, "") for path in wanted}

    async def confirm(self, remotes: Mapping[str, str]) -> None:
        """Ask by their ids for objects that we remember, path to id, where the list does not show them."""
        listed = self._all
        if listed is None or self.trouble:
            return
        unseen = sorted((path, remote) for path, remote in remotes.items() if remote and path not in listed)
        asked = dict(islice(unseen, CONFIRMED - self._confirmed))
        if not asked:
            return
        self._confirmed += len(asked)
        try:
            self._all = {**listed, **await self.target.confirm(self.root, asked)}
        except Failure as error:
            self.trouble = str(error)

    @property
    def moving(self) -> bool:
        """Whether anything here may stand otherwise than we left it."""
        return bool(self.moved) or self._all is not None or bool(self.trouble)

    def disturbs(self, path: str, revision: str) -> bool:
        """Whether what we left at `path` is no longer what stands there."""
        return bool(self.trouble) or self.revision(path, revision) != revision


async def read_parts(
    target: Target, root: str, paths: Mapping[ConfigId, str]
) -> tuple[dict[ConfigId, Observed], dict[ConfigId, str]]:
    """What is live at `paths`, and why some of it cannot be read: one damaged file spoils no other."""
    try:
        return dict(await target.read(root, paths)), {}
    except TemporaryError as error:
        return {}, dict.fromkeys(paths, str(error))
    except PermanentError as error:
        if len(paths) == 1:
            return {}, dict.fromkeys(paths, str(error))
    observed: dict[ConfigId, Observed] = {}
    trouble: dict[ConfigId, str] = {}
    rows = list(paths.items())
    for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        found = await read_parts(target, root, dict(half))
        observed |= found[0]
        trouble |= found[1]
    return observed, trouble


async def own_state(target: Target, root: str, since: str, written: Mapping[str, str]) -> str:
    """The state of a root in which nothing moved since `since` but what we wrote; "" when that cannot be said.

    `written` is what we left, path to revision. With an older state, a write of ours that somebody takes back at once
    would look as if nothing had ever moved.
    """
    try:
        movement = await target.moved(root, since)
        if not movement.state:
            return ""
        moved = movement.paths if since else await target.revisions(root, None)
    except Failure:
        return ""
    return movement.state if moved is not None and all(written.get(path) == moved[path] for path in moved) else ""


class Live:
    """Every root that configs land in; each is observed once, when it is first asked for.

    `since` gives the state in which each root was last seen, by target and root, as `states` does; it is asked only
    when something is looked at. Where we are `trusting`, roots are believed to be as remembered until somebody doubts
    it: what moved is found by audits, and no write is made over what is not as it is remembered.
    """

    def __init__(self, since: Callable[[], Awaitable[Mapping[str, str]]], *, trusting: bool = False) -> None:
        self._seen = since
        self._since: Mapping[str, str] | None = None
        self._trusting = trusting
        self._roots: dict[tuple[str, str], LiveRoot] = {}

    def root(self, target: Target, root: str) -> LiveRoot:
        """One root that was observed already."""
        return self._roots[target.name, root]

    def find(self, target: Target, root: str) -> LiveRoot | None:
        """One root, if it was observed."""
        return self._roots.get((target.name, root))

    async def observe(self, wanted: Iterable[tuple[Target, str]]) -> None:
        """Observe the roots that were not looked at yet, several at a time."""
        new = {(target.name, root): target for target, root in wanted if (target.name, root) not in self._roots}
        if self._trusting:
            self._roots |= {key: LiveRoot(target, key[1]) for key, target in new.items()}
        else:
            await self._look(new)

    async def doubt(self, wanted: Iterable[tuple[Target, str]]) -> None:
        """Look at roots that were only believed to be as remembered so far."""
        asked = {(target.name, root): target for target, root in wanted}
        await self._look({k: t for k, t in asked.items() if k not in self._roots or not self._roots[k].seen})

    async def _look(self, new: Mapping[tuple[str, str], Target]) -> None:
        if not new:
            return
        since = await self._states_before()
        gate = asyncio.Semaphore(ROOTS_AT_ONCE)

        async def one(key: tuple[str, str], target: Target) -> None:
            live = LiveRoot(target, key[1])
            async with gate:
                try:
                    await live.observe(since.get(" ".join(key), ""), whole=not self._trusting)
                except Failure as error:
                    live.trouble, live.seen = str(error), True
            self._roots[key] = live

        async with asyncio.TaskGroup() as group:
            for key, target in new.items():
                group.create_task(one(key, target))

    async def observe_known(self, targets: Mapping[str, Target]) -> None:
        """Observe every root that was seen before and still has a target."""
        known = [key.partition(" ") for key in await self._states_before()]
        await self.observe((targets[name], root) for name, _, root in known if name in targets)

    async def _states_before(self) -> Mapping[str, str]:
        if self._since is None:
            self._since = await self._seen()
        return self._since

    @property
    def moving(self) -> bool:
        """Whether anything may stand otherwise than we left it."""
        return any(live.moving for live in self._roots.values())

    def states(self) -> dict[str, str]:
        """The state of each root that was looked at."""
        return {" ".join(key): live.state for key, live in self._roots.items() if live.seen and not live.trouble}
