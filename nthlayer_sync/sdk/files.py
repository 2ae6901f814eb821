"""The target of all file kinds: files in Git repositories, one commit for each repository and batch.

A root is a repository's address as the catalog gives it, a revision a blob id, a state a tree id. What a file held
before is named by its blob id: Git itself keeps the pre-images.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.git import Blocked, blob_sha, check_path
from nthlayer_sync.model.config import ConfigId, Declined, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.hosting import Proposals, Proposed
from nthlayer_sync.sdk.hosting.proposals import Describe
from nthlayer_sync.sdk.kind import FileKind, Kind
from nthlayer_sync.sdk.ownership import MARK, Ownership, Whole
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.target import Movement

_PROPOSED = " proposed"
"""Ends the state of a repository in which something is proposed, or was declined."""
_LISTED = 200
"""How many changes a commit message names."""


class FileTarget:
    """Reads and writes the files of `FileKind`s."""

    name = "git"
    settles = 0.0

    def __init__(self, repositories: Repositories, author: tuple[str, str], proposals: Proposals | None = None) -> None:
        self._repositories = repositories
        self._author = author
        self._proposals = proposals or Proposals()
        self._kinds: dict[str, FileKind[Any, Any]] = {}

    def serve(self, kinds: Collection[Kind[Any, Any]]) -> None:
        """Get to know the kinds whose files are read and written."""
        self._kinds |= {kind.name: kind for kind in kinds if isinstance(kind, FileKind)}

    async def moved(self, root: str, since: str) -> Movement:
        """What differs between the tree `since` and the effective tree now."""
        repository = self._repositories.get(root)
        await repository.fetch()
        if await repository.default_branch() == repository.branch:
            raise PermanentError(f"{root}: {repository.branch!r} is its own main branch; set landing.branch to another")
        before, _, mark = since.partition(" ")
        takes = self._proposals.takes(root)
        if takes and (not since or mark or await repository.proposed()):
            await self._proposals.heed(root, repository)
        else:
            self._proposals.nothing_declined(root)
        declined = self._proposals.declined(root)
        tree, conflicts = await repository.tree(), await repository.conflicts()
        state = tree + _PROPOSED if takes and (declined or await repository.proposed()) else tree
        if not since:
            return Movement(state, None, conflicts, frozenset(declined))
        try:
            moved = await repository.moved(before, tree)
        except PermanentError:  # the old tree is gone, as after a forced push and a clean-up
            return Movement(state, None, conflicts, frozenset(declined))
        return Movement(state, {path: sha or "" for path, sha in moved.items()}, conflicts, frozenset(declined))

    async def revisions(self, root: str, paths: Collection[str] | None) -> Mapping[str, str]:
        """The blob id of each file."""
        repository = self._repositories.get(root)
        return await repository.listing(await repository.tree(), None if paths is None else sorted(paths))

    async def confirm(self, root: str, remotes: Mapping[str, str]) -> Mapping[str, str]:
        """Nothing: Git shows all there is."""
        return {}

    async def read(self, root: str, paths: Mapping[ConfigId, str]) -> Mapping[ConfigId, Observed]:
        """The managed part of each file."""
        await self._proposals.heed_once(root, self._repositories.get(root))
        texts, revisions = await self._texts(root, set(paths.values()))
        observed = {
            id: self._observed(id, Place(root, path), texts[path], revisions[path])
            for id, path in paths.items()
            if path in revisions
        }
        return observed | await self._with_declined(root, paths, observed)

    async def write(self, batch: Sequence[Diff], idempotency_key: str) -> list[Result]:
        """One commit with every change of the batch that can be made."""
        root = _root(batch[0])
        repository = self._repositories.get(root)
        await self._proposals.heed(root, repository)
        tree = await repository.tree()
        paths = {place.path for diff in batch for place in (_place(diff), diff.was) if place and place.root == root}
        texts, revisions = await self._texts(root, paths)
        before = dict(revisions)
        results: dict[ConfigId, Result] = {}
        taken: dict[str, ConfigId] = {}
        failed: set[tuple[str, EntityRef]] = set()
        for diff in batch:
            try:
                self._require(diff, failed)
                self._claim(diff, taken)
                texts |= self._change(diff, texts, before)
            except Failure as error:
                temporary = isinstance(error, TemporaryError)
                results[diff.id] = Result(id=diff.id, outcome=Outcome.FAILED, reason=str(error), temporary=temporary)
                failed.add((diff.id.kind, diff.id.subject))
        files = {path: None if text is None else text.encode(errors="surrogateescape") for path, text in texts.items()}
        changed = {
            p: data for p, data in files.items() if (blob_sha(data) if data is not None else None) != before.get(p)
        }
        while True:
            try:
                message = _message(batch, results, idempotency_key)
                commit = await repository.commit(changed, message, author=self._author, expect=tree)
                break
            except Blocked as error:  # it stops the configs that land there, and no other
                stopped = [diff for diff in batch if diff.id not in results and error.stops(_place(diff).path)]
                if not stopped:
                    raise
                for diff in stopped:
                    results[diff.id] = Result(id=diff.id, outcome=Outcome.FAILED, reason=str(error))
                    for place in filter(None, (_place(diff), diff.was)):
                        changed.pop(place.path, None)
        for diff in batch:
            data = files.get(_place(diff).path)
            path = _place(diff).path
            outcome = Outcome.DONE if path in changed or (diff.was and diff.was.path in changed) else Outcome.UNCHANGED
            revision = blob_sha(data) if data is not None else ""
            results.setdefault(diff.id, Result(id=diff.id, outcome=outcome, revision=revision, reference=commit.sha))
        return [results[diff.id] for diff in batch]

    async def restore(self, root: str, before: Mapping[str, str], expect: Mapping[str, str], message: str) -> str:
        """One commit that puts the blobs back."""
        repository = self._repositories.get(root)
        await repository.fetch()
        await self._proposals.heed(root, repository)
        tree = await repository.tree()
        live = await repository.listing(tree, sorted(before))
        if moved := sorted(path for path in before if live.get(path, "") not in (expect[path], before[path])):
            raise TemporaryError(f"{', '.join(moved)} changed since; put it right by hand or plan again")
        blobs = await repository.blobs(sha for sha in before.values() if sha)
        files = {path: blobs[sha] if sha else None for path, sha in before.items()}
        commit = await repository.commit(files, message, author=self._author, expect=tree)
        return commit.sha

    async def file(self, root: str, path: str) -> bytes | None:
        """A file of people's own in the effective tree; None where there is none."""
        repository = self._repositories.get(root)
        await repository.fetch()
        await self._proposals.heed(root, repository)
        return await repository.file(path)

    async def save(self, root: str, files: Mapping[str, bytes], message: str) -> str:
        """One commit with files of people's own, made on what `file` gave; gives its name."""
        repository = self._repositories.get(root)
        commit = await repository.commit(files, message, author=self._author, expect=await repository.tree())
        return commit.sha

    def proposes(self, root: str, state: str) -> bool:
        """Whether there may be a pull request to open, update or close; `state` is what `moved` said last."""
        return self._proposals.takes(root) and (not state or state.endswith(_PROPOSED))

    async def propose(self, root: str, plan: str, describe: Describe) -> Proposed | None:
        """Bring the pull request of a repository to where our branch is."""
        return await self._proposals.propose(root, self._repositories.get(root), plan, describe)

    async def _with_declined(
        self, root: str, paths: Mapping[ConfigId, str], observed: Mapping[ConfigId, Observed]
    ) -> dict[ConfigId, Observed]:
        """The parts that people declined, where nobody touched what stood there before."""
        files = self._proposals.declined(root)
        asked = {id: files[path] for id, path in paths.items() if path in files}
        shas = {sha for file in asked.values() for sha in (file.offer.before, file.offer.after) if sha}
        blobs = await self._repositories.get(root).blobs(sorted(shas)) if shas else {}
        texts = {sha: data.decode(errors="surrogateescape") for sha, data in blobs.items()}
        found: dict[ConfigId, Observed] = {}
        for id, file in asked.items():
            ownership = self._owns(id)
            before, after = (
                ownership.read(texts[sha]) if sha else None for sha in (file.offer.before, file.offer.after)
            )
            place = Place(root, paths[id])
            now = observed.get(id) or Observed(id, place, "", None, marked=True)
            if now.content == before != after and not now.trouble:
                found[id] = msgspec.structs.replace(now, declined=Declined(after, file.reason))
        return found

    async def _texts(self, root: str, paths: Collection[str]) -> tuple[dict[str, str | None], dict[str, str]]:
        """The text of each path (None: not there), and the blob ids of those that are there; any bytes survive."""
        repository = self._repositories.get(root)
        revisions = await repository.listing(await repository.tree(), sorted(paths))
        blobs = await repository.blobs(revisions.values())
        texts: dict[str, str | None] = dict.fromkeys(paths)
        texts |= {path: blobs[sha].decode(errors="surrogateescape") for path, sha in revisions.items()}
        return texts, revisions

    def _observed(self, id: ConfigId, place: Place, text: str | None, revision: str) -> Observed:
        assert text is not None
        ownership = self._owns(id)
        content = ownership.read(text)
        return Observed(id, place, revision, content and _storable(content), marked=not ownership.foreign(text))

    def _change(self, diff: Diff, texts: Mapping[str, str | None], before: Mapping[str, str]) -> dict[str, str | None]:
        """The texts that one change gives; several may follow each other in one file."""
        place, ownership = _place(diff), self._owns(diff.id)
        text = texts[place.path]
        old = texts[diff.was.path] if diff.was is not None else None
        if before.get(place.path, "") != (diff.actual.revision if diff.actual else ""):
            part = None if text is None else ownership.read(text)
            if part == diff.after and (old is None or ownership.read(old) is None):
                return {}  # it was made before
            raise TemporaryError(f"{place} changed since the plan; plan again")
        if diff.desired is None:
            return {place.path: None if text is None else ownership.remove(text)}
        if diff.after is None:
            raise PermanentError("there is no content to write")
        check_path(place.path)
        changed: dict[str, str | None] = {}
        if diff.was is not None and old is not None:
            rest = ownership.remove(old)
            shared = rest is not None and MARK in rest  # another config's part stands there too
            changed[diff.was.path] = rest if shared or text is not None else None
            text = text if shared or text is not None else old
        return changed | {place.path: _storable(ownership.write(text, diff.after))}

    def _require(self, diff: Diff, failed: Collection[tuple[str, EntityRef]]) -> None:
        """What failed stops what requires it, in the same batch too."""
        for required in self._kinds[diff.id.kind].requires if diff.desired is not None else ():
            if (required, diff.id.subject) in failed:
                raise PermanentError(f"{required} failed for {diff.id.subject}, and {diff.id.kind} requires it")

    def _claim(self, diff: Diff, taken: dict[str, ConfigId]) -> None:
        """A file that is wholly one config's cannot be another's as well."""
        path = _place(diff).path
        if (
            diff.desired is not None
            and isinstance(self._owns(diff.id), Whole)
            and taken.setdefault(path, diff.id) != diff.id
        ):
            raise PermanentError(f"{path} is where {taken[path]} lands, and two cannot have one file")

    def _owns(self, id: ConfigId) -> Ownership:
        return self._kinds[id.kind].owns(id)


def _place(diff: Diff) -> Place:
    place = diff.desired.place if diff.desired else diff.actual.place if diff.actual else None
    assert place is not None
    return place


def _root(diff: Diff) -> str:
    return _place(diff).root


def _storable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PermanentError("the file is not UTF-8, so it is left as it is") from error
    return text


def _message(batch: Sequence[Diff], failed: Mapping[ConfigId, Result], key: str) -> str:
    made = [diff for diff in batch if diff.id not in failed]
    words = {Action.CREATE: "add", Action.UPDATE: "update", Action.DELETE: "remove"}
    counts = {word: sum(diff.action is action for diff in made) for action, word in words.items()}
    subject = ", ".join(f"{word} {count}" for word, count in counts.items() if count) or "nothing"
    lines = sorted(f"- {words.get(diff.action, diff.action)} {diff.id}" for diff in made[:_LISTED])
    if len(made) > _LISTED:
        lines.append(f"- and {len(made) - _LISTED} more")
    return f"nthlayer-sync: {subject} operational configs\n\n" + "\n".join(lines) + f"\n\nNthlayer-Key: {key}\n"
