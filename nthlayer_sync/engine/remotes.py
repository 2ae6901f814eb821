"""Ids that vendors give: what one config needs of another, learnt when the other is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nthlayer_sync.engine.draft import Draft
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Applied, Change
from nthlayer_sync.sdk.kind import Kind


def remotes_of(kind: Kind[Any, Any], applied: Iterable[Applied]) -> dict[str, str]:
    """The ids that a kind refers to, as far as they are known; `applied` is what its subject has."""
    if not kind.refers:
        return {}
    known = {each.kind: each.remote for each in applied if not each.name and each.remote}
    return {name: known[name] for name in kind.refers if name in known}


def with_remotes(config: Config, remotes: Mapping[str, str]) -> Config:
    """The config, with the ids that it refers to filled in."""
    if not remotes:
        return config
    spec: Any = config.spec
    return msgspec.structs.replace(config, spec=msgspec.structs.replace(spec, remotes=dict(remotes)))


def refer(draft: Draft, kinds: Mapping[str, Kind[Any, Any]]) -> None:
    """What would be left alone is updated where an id that it was made with is another now, or is about to be."""
    asked = [question for question in draft.asked if (kind := kinds.get(question.key[0])) and kind.refers]
    if not asked:
        return
    changes = {(change.kind, change.name): change for change in draft.changes}
    new = {kind for (kind, name), change in changes.items() if change.action is Action.CREATE and not name}
    for question in asked:
        kind, wanted, applied = kinds[question.key[0]], question.wanted, question.applied
        change = changes.get(question.key)
        if wanted is None or applied is None or (change and change.action is not Action.ADOPT):
            continue
        remotes = remotes_of(kind, draft.memory.applied)
        moved = [name for name in kind.refers if name in new or remotes.get(name) != applied.remotes.get(name)]
        if moved:
            draft.astray = True  # until it is looked at again: what is wanted of it has not changed
            draft.changes = [each for each in draft.changes if each is not change]
            revision = change.revision if change else applied.revision
            reason = (
                f"{', '.join(moved)} gets its id" if new.issuperset(moved) else f"{', '.join(moved)} has another id"
            )
            draft.changes.append(
                Change(
                    *question.key, Action.UPDATE, wanted.digest, question.place, revision, wanted.owner, None, reason
                )
            )
