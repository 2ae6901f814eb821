"""The target of all kinds that land in a cluster: a config is one object, or a few that belong together.

The root is the name of the plugin, or that, a colon and the name of the cluster; a path is `<collection>/<namespace>/
<name>`. A revision is the digest of the managed part: the server's own changes with every report of a status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.model.diff import OVERWRITES, Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.kind import Kind
from nthlayer_sync.sdk.kubernetes.change import (
    Change,
    Live,
    content_of,
    is_marked,
    place_of,
    remote_of,
    revision_of,
)
from nthlayer_sync.sdk.kubernetes.cluster import Cluster
from nthlayer_sync.sdk.kubernetes.form import Form
from nthlayer_sync.sdk.kubernetes.kind import ManifestKind
from nthlayer_sync.sdk.plugin import LiveSettings
from nthlayer_sync.sdk.target import Movement

AT_ONCE = 8
"""Configs read or changed at the same time."""

T = TypeVar("T")
S = TypeVar("S")


class ClusterTarget:
    """Reads and writes configs of `kinds` in one cluster.

    The settings say whether anything may be written, of which kinds there may be any, so that nobody has to let us list
    the others, and for which of them fields that others manage are taken over; `instance` stands in our mark.
    """

    settles = 0.0
    """The API server answers lists from what was written last."""

    def __init__(
        self,
        root: str,
        cluster: Cluster,
        kinds: Iterable[Kind[Any, Any]],
        settings: LiveSettings,
        instance: str,
    ) -> None:
        self.name = root.partition(":")[0]
        self._root = root
        self._cluster = cluster
        self._kinds = {kind.collection: kind for kind in kinds if isinstance(kind, ManifestKind)}
        self._settings = settings
        self._listed = tuple(name for name in self._kinds if settings.kinds is None or name in settings.kinds)
        self._instance = instance

    async def moved(self, root: str, since: str) -> Movement:
        """Nobody tells what moved."""
        return Movement("", None)

    async def revisions(self, root: str, paths: Collection[str] | None) -> Mapping[str, str]:
        """The revision of each config; of everything, that is of what bears the label, whoever made it."""
        self._check(root)
        if paths is None:
            return {path: revision_of(live) for path, live in (await self._everything()).items()}
        return {path: revision_of(live) for path, live in (await self._held(paths)).items() if live}

    async def confirm(self, root: str, remotes: Mapping[str, str]) -> Mapping[str, str]:
        """The revisions of these paths, if their kind is listed: somebody may have taken the label away."""
        return await self.revisions(root, [path for path in remotes if path.partition("/")[0] in self._listed])

    async def read(self, root: str, paths: Mapping[ConfigId, str]) -> Mapping[ConfigId, Observed]:
        """The managed part of each config; nothing is told of objects that are not ours."""
        self._check(root)
        held = await self._held(set(paths.values()))
        found: dict[ConfigId, Observed] = {}
        for id, path in paths.items():
            if live := held[path]:
                ours = all(is_marked(each, self._instance) for each in live.values())
                content = content_of(live) if ours else None
                place = Place(root, path)
                found[id] = Observed(id, place, revision_of(live), content, marked=ours, remote=remote_of(live))
        return found

    async def write(self, batch: Sequence[Diff], idempotency_key: str) -> list[Result]:
        """Each change by itself, a few at the same time."""
        if self._settings.read_only:
            raise PermanentError(f"{self.name}: only reading is allowed here")
        for diff in batch:
            self._check(place_of(diff).root)
        holders: dict[str, ConfigId] = {}
        for diff in batch:
            if diff.desired is not None:
                holders.setdefault(place_of(diff).path, diff.id)
        return await _each(batch, lambda diff: self._write(diff, holders.get(place_of(diff).path, diff.id)))

    async def _write(self, diff: Diff, holder: ConfigId) -> Result:
        if holder != diff.id:
            reason = f"{place_of(diff).path} is where {holder} lands, and two cannot have one object"
            return Result(id=diff.id, outcome=Outcome.FAILED, reason=reason)
        return await self._change(force=diff.reason == OVERWRITES or self._settings.enforces(diff.id.kind)).make(diff)

    async def _held(self, paths: Collection[str]) -> dict[str, Live]:
        """What stands at each path."""
        return dict(zip(paths, await _each(list(paths), self._change(force=False).held), strict=True))

    async def _everything(self) -> dict[str, Live]:
        """What bears the label, by path."""
        found: dict[str, Live] = {}
        for collection in self._listed:
            for form in self._kinds[collection].forms:
                for each in await self._cluster.marked(form):
                    metadata = each["metadata"]
                    found.setdefault(f"{collection}/{metadata['namespace']}/{metadata['name']}", {})[form] = each
        return found

    def _change(self, *, force: bool) -> Change:
        return Change(self._cluster, self._forms, self._instance, force=force)

    def _forms(self, path: str) -> Sequence[Form]:
        return self._kinds[path.partition("/")[0]].forms

    def _check(self, root: str) -> None:
        """The same path means something else where the settings named another cluster before."""
        if root != self._root:
            raise PermanentError(f"the settings name no {root} any more; it is left as it is")


async def _each(items: Sequence[S], work: Callable[[S], Awaitable[T]]) -> list[T]:
    """`work` for each of `items`, a few at a time; the first failure ends all of it."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: S) -> T:
        async with gate:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
    return [task.result() for task in tasks]
