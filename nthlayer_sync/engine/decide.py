"""What is to be done about one config: desired, live and last applied, compared.

| wanted | last applied | live | action |
|---|---|---|---|
| yes | no  | nothing | create |
| yes | no  | equals what we want | adopt |
| yes | no  | ours by its mark, but different | keep: we do not know what was ours |
| yes | no  | somebody else's | refuse |
| yes | yes | as we left it | nothing, or update when we want something else |
| yes | yes | only what people keep around our part moved | adopt, or update |
| yes | yes | our part was changed or removed | keep: drift, or conflict when we want something else too |
| no  | yes | as we left it | delete |
| no  | yes | our part was changed | keep |
| no  | yes | nothing | forget (an adopt of nothing) |

Where a plugin's `drift` is `enforce`, or a person says so for this run, `keep` becomes the write it stands in for.
"""

from __future__ import annotations

import msgspec

from nthlayer_sync.model.config import Observed
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Applied, Change, Wanted, content_sum
from nthlayer_sync.model.ref import EntityRef

OVERWRITES = "overwrites what was changed by hand"
"""The reason of a write that stands in for a `keep`."""

Key = tuple[str, str]
"""Kind and name: what tells the configs of one subject apart."""


class Question(msgspec.Struct, frozen=True):
    """One config to decide about, before anything is read."""

    wanted: Wanted | None
    applied: Applied | None
    owner: EntityRef | None = None
    """Who owned it while it was wanted."""

    @property
    def key(self) -> Key:
        """What the config is called within its subject."""
        one = self.wanted or self.applied
        assert one is not None
        return one.kind, one.name

    @property
    def place(self) -> Place:
        """Where to look for it: where it should be, else where it was put."""
        one = self.wanted or self.applied
        assert one is not None
        return one.place

    @property
    def moves(self) -> bool:
        """Whether it was applied elsewhere than it is wanted now."""
        return self.wanted is not None and self.applied is not None and self.wanted.place != self.applied.place


class Answer(msgspec.Struct, frozen=True):
    """What reading told about one config: the live object, and whether it is as it is wanted."""

    observed: Observed | None
    same: bool


def questions(
    wanted: tuple[Wanted, ...], applied: tuple[Applied, ...], owner: EntityRef | None = None
) -> list[Question]:
    """Every config of a subject that is wanted or was applied, in the order it has to land; what goes comes last."""
    before = {(a.kind, a.name): a for a in applied}
    asked = [Question(w, before.pop((w.kind, w.name), None)) for w in wanted]
    return asked + [Question(None, a, owner) for a in reversed(before.values())]


def glance(question: Question, live: str, revision_before: str) -> Change | None:
    """Decide without reading anything, where that is possible.

    `live` is the revision where the config should be; `revision_before` where it last was, the same unless it moves.
    """
    wanted, applied = question.wanted, question.applied
    if wanted is None:
        assert applied is not None
        if not live:
            return _change(question, Action.ADOPT, live, "it is gone already")
        return _change(question, Action.DELETE, live) if live == applied.revision else None
    if applied is None:
        return None if live else _change(question, Action.CREATE, live)
    if question.moves:
        if live or revision_before != applied.revision:
            return None
        return _change(question, Action.UPDATE, live, was=applied.place)
    if live != applied.revision:
        return None
    return _change(question, Action.NOTHING if wanted.digest == applied.digest else Action.UPDATE, live)


def look(question: Question, answer: Answer, *, enforce: bool) -> Change:
    """Decide by what was read."""
    wanted, applied = question.wanted, question.applied
    observed = answer.observed
    revision = observed.revision if observed and observed.place == question.place else ""
    content = observed.content if observed else None
    if observed is not None and observed.trouble:
        return _change(question, Action.REFUSE, revision, observed.trouble)
    if wanted is None:
        assert applied is not None
        if content is None:
            return _change(question, Action.ADOPT, revision, "our part is gone already")
        if content_sum(content) == applied.sum or (enforce and observed and observed.marked):
            return _change(question, Action.DELETE, revision)
        return _change(question, Action.KEEP, revision, "changed by hand since we wrote it, so it is not deleted")
    if answer.same and not question.moves:
        return _change(question, Action.ADOPT, revision, "live already is what we want")
    if revision and question.moves and applied is not None:
        return _arrived(question, applied, observed, answer.same, enforce)
    if applied is None:
        return _unknown(question, observed, enforce)
    return _known(question, applied, observed, enforce)


def _unknown(question: Question, observed: Observed | None, enforce: bool) -> Change:
    if observed is None:
        return _change(question, Action.CREATE, "")
    if not observed.marked:
        return _change(
            question, Action.REFUSE, observed.revision, f"{question.place} is there already and does not bear our mark"
        )
    if observed.content is None:
        return _change(question, Action.CREATE, observed.revision)
    if enforce:
        return _change(question, Action.UPDATE, observed.revision, OVERWRITES)
    return _change(
        question,
        Action.KEEP,
        observed.revision,
        "it bears our mark, but we do not remember it and it is not what we want",
    )


def _arrived(question: Question, applied: Applied, observed: Observed | None, same: bool, enforce: bool) -> Change:
    """A config that moves, where something stands at its new place already."""
    assert observed is not None
    if not observed.marked:
        reason = f"it should move, but {question.place} is there already and does not bear our mark"
        return _change(question, Action.REFUSE, observed.revision, reason, applied.place)
    ours = observed.content is None or same or content_sum(observed.content) == applied.sum
    if ours or enforce:
        return _change(question, Action.UPDATE, observed.revision, "" if ours else OVERWRITES, applied.place)
    reason = f"it should move, but {question.place} is there already and is not what we want"
    return _change(question, Action.KEEP, observed.revision, reason, applied.place)


def _known(question: Question, applied: Applied, observed: Observed | None, enforce: bool) -> Change:
    assert question.wanted is not None
    revision = observed.revision if observed and observed.place == question.place else ""
    content = observed.content if observed else None
    was = applied.place if question.moves else None
    if content is not None and content_sum(content) == applied.sum:
        return _change(question, Action.UPDATE, revision, was=was)
    if enforce:
        return _change(question, Action.CREATE if content is None else Action.UPDATE, revision, OVERWRITES, was)
    if question.moves:
        return _change(
            question, Action.KEEP, revision, "it should move, but it was changed by hand where it stood", was
        )
    what = "drift: it was removed" if content is None else "drift: it was changed by hand"
    if question.wanted.digest != applied.digest:
        what = "conflict: we want a change, and it was " + ("removed" if content is None else "changed by hand")
    return _change(question, Action.KEEP, revision, what)


def _change(question: Question, action: Action, revision: str, reason: str = "", was: Place | None = None) -> Change:
    kind, name = question.key
    wanted = question.wanted
    return Change(
        kind,
        name,
        action,
        wanted.digest if wanted else "",
        question.place,
        revision,
        wanted.owner if wanted else question.owner,
        was,
        reason,
    )
