"""Live systems that keep a config as one text: a folder that a server loads, or an API that takes whole documents."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.model.diff import Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import DEFAULT_NAMESPACE, EntityRef, ref_parts
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.http import Unsure
from nthlayer_sync.sdk.target import Movement

Change = Mapping[str, str | None]
"""What goes together: the new text of each path, None for one that goes."""

_LONGEST = 150
"""Characters of a key: with what stands around it, it has to be the name of a file."""
_PLAIN = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?")


def key_of(subject: EntityRef, name: str) -> str:
    """What a config is called where folders do not exist; no two subjects share a key, whatever they are called."""
    _, namespace, own = ref_parts(subject)
    key = f"{own}.{name}" if namespace == DEFAULT_NAMESPACE else f"{namespace}.{own}.{name}"
    if "." not in namespace + own and _PLAIN.fullmatch(key) and len(key) <= _LONGEST:
        return key
    cleaned = re.sub(r"[^a-z0-9]+", "-", own.lower())[: _LONGEST // 2].strip("-")
    told = blake2b(f"{subject}#{name}".encode(), digest_size=8).hexdigest()
    return f"{cleaned or 'x'}-{told}.{name}"


class Texts(Protocol):
    """Where texts are kept; what is read is the managed part, in the form in which it is wanted."""

    async def everything(self) -> Mapping[str, str]:
        """Each text by its path."""
        ...

    async def read(self, paths: Collection[str]) -> Mapping[str, str]:
        """Those of `paths` that exist."""
        ...

    async def change(self, changes: Sequence[Change]) -> list[Failure | None]:
        """Make changes, each wholly or not at all; gives why one was not made. Unsure: it may have been."""
        ...

    def ours(self, path: str, text: str) -> bool:
        """Whether a text bears our mark."""
        ...


class TextTarget:
    """A target with one root, `name` and `:` and `account`; `read_only` refuses every write."""

    settles = 0.0

    def __init__(self, name: str, account: str, texts: Texts, *, read_only: bool = False) -> None:
        self.name = name
        self._root = f"{name}:{account}"
        self._texts = texts
        self._read_only = read_only
        self._writing = asyncio.Lock()

    async def moved(self, root: str, since: str) -> Movement:
        """Nobody tells what moved."""
        return Movement("", None)

    async def revisions(self, root: str, paths: Collection[str] | None) -> Mapping[str, str]:
        """The digest of each text."""
        self._check(root)
        texts = await (self._texts.everything() if paths is None else self._texts.read(paths))
        return {path: _digest(text) for path, text in texts.items()}

    async def confirm(self, root: str, remotes: Mapping[str, str]) -> Mapping[str, str]:
        """Nothing: a list shows all there is."""
        return {}

    async def read(self, root: str, paths: Mapping[ConfigId, str]) -> Mapping[ConfigId, Observed]:
        """Each text; nothing is told of what somebody else wrote."""
        self._check(root)
        texts = await self._texts.read(set(paths.values()))
        found: dict[ConfigId, Observed] = {}
        for id, path in paths.items():
            if path in texts:
                ours = self._texts.ours(path, texts[path])
                content = texts[path] if ours else None
                found[id] = Observed(id, Place(root, path), _digest(texts[path]), content, marked=ours)
        return found

    async def write(self, batch: Sequence[Diff], idempotency_key: str) -> list[Result]:
        """All changes that can be made, at once."""
        if self._read_only:
            raise PermanentError(f"{self.name}: only reading is allowed here")
        for diff in batch:
            self._check(_place(diff).root)
        async with self._writing:
            live = await self._texts.read({path for diff in batch for path in _paths(diff)})
            results: dict[ConfigId, Result] = {}
            due: dict[ConfigId, Change] = {}
            for diff in batch:
                try:
                    change = self._change(diff, live)
                except Failure as error:
                    results[diff.id] = _failed(diff, error)
                    continue
                if change:
                    due[diff.id] = change
                else:
                    results[diff.id] = _made(diff, Outcome.UNCHANGED, live)
            if due:
                failures = dict(zip(due, await self._texts.change(list(due.values())), strict=True))
                made = [diff for diff in batch if diff.id in due and failures[diff.id] is None]
                live = await self._read_back({_paths(diff)[0] for diff in made})
                results |= {diff.id: _made(diff, Outcome.DONE, live) for diff in made}
                failed = [(diff, error) for diff in batch if (error := failures.get(diff.id)) is not None]
                results |= {diff.id: _failed(diff, error) for diff, error in failed}
        return [results[diff.id] for diff in batch]

    def _check(self, root: str) -> None:
        """The same path means something else where the settings named another server before."""
        if root != self._root:
            raise PermanentError(f"the settings name no {root} any more; it is left as it is")

    async def _read_back(self, paths: Collection[str]) -> Mapping[str, str] | None:
        """What became of what was written; None where it cannot be told, which the next plan finds out."""
        try:
            return await self._texts.read(paths)
        except Failure:
            return None

    def _change(self, diff: Diff, live: Mapping[str, str]) -> Change:
        """What one config changes; nothing, where it is as wanted already."""
        path, *old = _paths(diff)
        text = live.get(path)
        if text is not None and not self._texts.ours(path, text):
            raise PermanentError(f"{path} is there already and does not bear our mark")
        gone: Change = {was: None for was in old if was in live and self._texts.ours(was, live[was])}
        if text == diff.after:
            return gone
        if (_digest(text) if text is not None else "") != (diff.actual.revision if diff.actual else ""):
            raise TemporaryError(f"{path} changed since the plan; plan again")
        return {path: diff.after, **gone}


def _place(diff: Diff) -> Place:
    place = diff.desired.place if diff.desired else diff.actual.place if diff.actual else None
    assert place is not None
    return place


def _paths(diff: Diff) -> list[str]:
    """Where a config goes, then where it stood before in the same root."""
    place = _place(diff)
    return [place.path, *([diff.was.path] if diff.was and diff.was.root == place.root else ())]


def _made(diff: Diff, outcome: Outcome, live: Mapping[str, str] | None) -> Result:
    """`content` tells what the system made of the text, where that is something else."""
    if live is None:
        return Result(id=diff.id, outcome=Outcome.UNKNOWN, reason="it was written, but not seen again", temporary=True)
    text = live.get(_paths(diff)[0])
    revision = _digest(text) if text is not None else ""
    content = text if text is not None and text != diff.after else None
    return Result(id=diff.id, outcome=outcome, revision=revision, content=content)


def _failed(diff: Diff, error: Failure) -> Result:
    outcome = Outcome.UNKNOWN if isinstance(error, Unsure) else Outcome.FAILED
    temporary = isinstance(error, TemporaryError)
    return Result(id=diff.id, outcome=outcome, reason=str(error), temporary=temporary)


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
