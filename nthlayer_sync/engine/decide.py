"""What is to be done about one config: desired, live and last applied, compared.

| wanted | last applied | live | action |
|---|---|---|---|
| yes | no  | nothing | create |
| yes | no  | equals what we want | adopt; refuse where it is a live object without our mark |
| yes | no  | ours by its mark, but different | keep: we do not know what was ours |
| yes | no  | somebody else's | refuse |
| yes | yes | as we left it | nothing, or update when we want something else or some of it has run out |
| yes | yes | only what people keep around our part moved | adopt, or update when we want something else |
| yes | yes | another object, without our mark | refuse |
| yes | yes | our part was changed or removed | keep: drift, or conflict when we want something else too |
| yes | either | as before a proposal that people declined | keep, or the write when we want something else by now |
| no  | yes | as we left it | delete |
| no  | yes | our part was changed | keep |
| no  | yes | nothing | forget (an adopt of nothing) |

Where a plugin's `drift` is `enforce`, or a person says so for this run, `keep` becomes the write it stands in for; not
where people declined it, since they can open again what they closed. A live object is ours by its mark, or by its id
where the vendor leaves no room for one.
"""

from __future__ import annotations

import msgspec

from nthlayer_sync.model.config import Observed
from nthlayer_sync.model.diff import OVERWRITES, Action
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Applied, Change, Wanted, content_sum
from nthlayer_sync.model.ref import EntityRef

RECREATES = "makes again what was removed outside"
"""The same, where nothing is left of it: the guards count these."""

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
    def changes(self) -> bool:
        """Whether something else is wanted than was applied."""
        return (self.wanted.digest if self.wanted else "") != (self.applied.digest if self.applied else "")

    @property
    def moves(self) -> bool:
        """Whether it was applied elsewhere than it is wanted now."""
        return self.wanted is not None and self.applied is not None and self.wanted.place != self.applied.place

    @property
    def stays(self) -> bool:
        """Whether it is wanted as it was applied, in the same place."""
        wanted, applied = self.wanted, self.applied
        if wanted is None or applied is None:
            return False
        return wanted.digest == applied.digest and wanted.place == applied.place


class Answer(msgspec.Struct, frozen=True):
    """What reading told about one config: the live object, and whether it is as it is wanted."""

    observed: Observed | None
    same: bool
    again: bool = False
    """Whether what we want is what people declined."""


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
    observed = _recognised(answer.observed, applied)
    revision = observed.revision if observed and observed.place == question.place else ""
    content = observed.content if observed else None
    if observed is not None and observed.trouble:
        return _change(question, Action.REFUSE, revision, observed.trouble)
    if observed is not None and observed.remote and not observed.marked:
        return _foreign(question, observed)
    if wanted is None:
        assert applied is not None
        if content is None:
            return _change(question, Action.ADOPT, revision, "our part is gone already")
        if _as_we_left(observed, applied) or (enforce and observed and observed.marked):
            return _change(question, Action.DELETE, revision)
        return _change(question, Action.KEEP, revision, "changed by hand since we wrote it, so it is not deleted")
    if not question.moves and (answer.same or (content is not None and as_left(content, wanted.digest, applied))):
        return _change(question, Action.ADOPT, revision, "live already is what we want")
    if observed is not None and observed.declined is not None and observed.marked and observed.place == question.place:
        if answer.again:
            return _change(question, Action.KEEP, revision, observed.declined.reason)
        instead = f"instead of what was {observed.declined.reason}"
        return _change(question, Action.CREATE if content is None else Action.UPDATE, revision, instead)
    if revision and question.moves and applied is not None:
        return _arrived(question, applied, observed, answer.same, enforce)
    if applied is None:
        return _unknown(question, observed, enforce)
    return _known(question, applied, observed, enforce)


def as_left(content: str, digest: str, applied: Applied | None) -> bool:
    """Whether the managed part is what came of the same wish before: the live system may keep it otherwise."""
    return applied is not None and digest == applied.digest and content_sum(content) == applied.sum


def _as_we_left(observed: Observed | None, applied: Applied) -> bool:
    """Whether our part is as we wrote it, but for what has run out since."""
    if observed is None or observed.content is None:
        return False
    return applied.sum in (content_sum(observed.content), content_sum(observed.renewed) if observed.renewed else None)


def _recognised(observed: Observed | None, applied: Applied | None) -> Observed | None:
    """A live object without a mark is ours all the same where it has the id that we remember."""
    if observed is None or applied is None or not applied.remote or observed.remote != applied.remote:
        return observed
    return msgspec.structs.replace(observed, marked=True)


def _foreign(question: Question, observed: Observed) -> Change:
    """A live object that is somebody else's, however much it looks like ours."""
    if question.wanted is None:
        return _change(question, Action.KEEP, observed.revision, "it is not the object that we made, so it stays")
    reason = f"{observed.place} is there already and does not bear our mark; import it"
    return _change(question, Action.REFUSE, observed.revision, reason)


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
    if observed is not None and _as_we_left(observed, applied):
        reason = "renews what has run out" if question.wanted.digest == applied.digest and not was else ""
        return _change(question, Action.UPDATE, revision, reason, was)
    if enforce and content is None:
        return _change(question, Action.CREATE, revision, RECREATES, was)
    if enforce:
        return _change(question, Action.UPDATE, revision, OVERWRITES, was)
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
