"""promote: what people changed by hand in a live config, said in the service's blueprint instead.

It works for plugins that we never saw, as `why` does. The inputs of a service that move what was edited are found by
nudging them; where they have to stand is worked out from what the nudges gave; and a value counts only when the config
that is generated with it comes nearer to what is live in everything it moves, save for sentences that tell of the value
and that nobody edited along. A promotion is exact when nothing is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nthlayer_sync.engine.search import Edit, Search, Unsaid
from nthlayer_sync.engine.trial import Keys, Trial
from nthlayer_sync.model.config import ConfigId


class Promotion(msgspec.Struct, frozen=True):
    """What became of one live edit: `said` is what the blueprint now says for it, by dotted path."""

    id: ConfigId
    said: dict[str, Any]
    unsaid: tuple[Unsaid, ...] = ()


class Promoted(msgspec.Struct, frozen=True):
    """What the blueprint of one service has to say for all its live edits.

    `also` are other configs of the service that change with it.
    """

    said: dict[Keys, Any]
    promotions: tuple[Promotion, ...]
    also: tuple[ConfigId, ...] = ()


def promote(trial: Trial, edits: Mapping[ConfigId, Edit]) -> Promoted:
    """Find what the blueprint has to say for each config to be as it is live."""
    said: dict[Keys, Any] = {}
    promotions: list[Promotion] = []
    exact: dict[ConfigId, str | None] = {}
    for id, edit in sorted(edits.items()):
        before = dict(said)
        unsaid = Search(trial, id, edit, exact).run(said)
        if not unsaid:
            exact[id] = edit.content
        new = {".".join(keys): value for keys, value in said.items() if before.get(keys, said) != value}
        promotions.append(Promotion(id, new, tuple(unsaid)))
    was, now = trial.contents({}) or {}, trial.contents(said) or {}
    also = {id for id in was.keys() | now.keys() if was.get(id) != now.get(id)} - edits.keys()
    return Promoted(said, tuple(promotions), tuple(sorted(also)))
