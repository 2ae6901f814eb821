"""What is remembered of a write: before it, in the journal, and after it."""

from __future__ import annotations

import msgspec

from nthlayer_sync.engine.batch import Step, Write, key_of
from nthlayer_sync.engine.contested import overwritten
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Applied, Change, content_sum
from nthlayer_sync.model.result import Result


def intended(change: Change, diff: Diff, known: Applied | None, now: float) -> Applied | None:
    """What is to be remembered of a config that is written; `known` is what is remembered of it before."""
    if diff.desired is None:
        return None
    made = applied_now(change, diff.desired, diff.after or "", "", diff.actual.remote if diff.actual else "")
    return msgspec.structs.replace(made, overwritten=overwritten(change, known, now))


def applied_now(change: Change, config: Config, content: str, revision: str, remote: str) -> Applied:
    """What is to be remembered of a config with this content."""
    total, remotes = content_sum(content), getattr(config.spec, "remotes", {})
    digest, place, owner = change.digest, change.place, change.owner
    return Applied(change.kind, change.name, digest, place, revision, total, owner, remote, remotes)


def noted(step: Step, result: Result) -> Result:
    """The result, with a word where the live system made something else of it."""
    kept = result.content is None or result.content == step.diff.after
    if kept or result.reason or not result.made or step.diff.desired is None:
        return result
    return msgspec.structs.replace(result, reason="the live system keeps some of it otherwise than it was given")


def line_of(write: Write, place: Place) -> str:
    """What names one line of the journal: the same change of the same place has the same key."""
    change = write.change
    return key_of(str(write.id), change.action, change.digest, change.revision, str(change.place), str(place))
