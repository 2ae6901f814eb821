"""Every row of the decision table, and what enforcing makes of it."""

import pytest

from nthlayer_sync.engine.decide import Answer, Question, glance, look
from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.plan import Applied, Wanted, content_sum
from nthlayer_sync.model.ref import EntityRef

OWNER = EntityRef("group:default/team")
HERE, THERE = Place("root", "here"), Place("root", "there")
OURS, WANTED, EDITED = "what we left", "what we want", "what somebody wrote"


def wanted(digest="new", place=HERE):
    return Wanted("k/a", "", digest, place, OWNER)


def applied(digest="old", place=HERE):
    return Applied("k/a", "", digest, place, "r1", content_sum(OURS))


def seen(content, *, marked=True, place=HERE, revision="r2", renewed=""):
    id = ConfigId("k/a", EntityRef("component:default/x"))
    return Observed(id, place, revision, content, marked, renewed=renewed)


GLANCES = {
    "nothing there: create": (wanted(), None, "", "create"),
    "something there that we do not know: read it": (wanted(), None, "r2", None),
    "as we left it and still wanted so": (wanted("old"), applied(), "r1", "nothing"),
    "as we left it, something else wanted": (wanted(), applied(), "r1", "update"),
    "not as we left it: read it": (wanted(), applied(), "r2", None),
    "removed by hand: read it": (wanted(), applied(), "", None),
    "not wanted and as we left it": (None, applied(), "r1", "delete"),
    "not wanted and gone: forget": (None, applied(), "", "adopt"),
    "not wanted and not as we left it: read it": (None, applied(), "r2", None),
}


@pytest.mark.parametrize("case", GLANCES)
def test_what_can_be_decided_without_reading(case):
    want, have, live, action = GLANCES[case]
    change = glance(Question(want, have), live, live)
    assert (change and str(change.action)) == action


def test_a_move_is_an_update_where_the_old_place_is_as_we_left_it_and_the_new_one_is_free():
    question = Question(wanted(place=THERE), applied(place=HERE))
    change = glance(question, "", "r1")
    assert change is not None
    assert (str(change.action), change.place, change.was, change.revision) == ("update", THERE, HERE, "")
    assert glance(question, "r9", "r1") is None
    assert glance(question, "", "r2") is None


LOOKS = {
    # wanted, applied, observed: action as it is kept, action as it is enforced
    "nobody knows it and nothing is there": (wanted(), None, None, "create", "create"),
    "a file without our part": (wanted(), None, seen(None), "create", "create"),
    "equals what we want": (wanted(), None, seen(WANTED), "adopt", "adopt"),
    "ours by its mark, but different": (wanted(), None, seen(EDITED), "keep", "update"),
    "somebody else's": (wanted(), None, seen(EDITED, marked=False), "refuse", "refuse"),
    "only what is around our part moved, same wanted": (wanted("old"), applied(), seen(WANTED), "adopt", "adopt"),
    "only what is around our part moved, other wanted": (wanted(), applied(), seen(OURS), "update", "update"),
    "run out with time": (wanted("old"), applied(), seen("run out", renewed=OURS), "update", "update"),
    "run out with time, other wanted": (wanted(), applied(), seen("run out", renewed=OURS), "update", "update"),
    "run out with time, and changed by hand": (wanted("old"), applied(), seen("x", renewed=EDITED), "keep", "update"),
    "to go, and run out with time": (None, applied(), seen("run out", renewed=OURS), "delete", "delete"),
    "changed by hand": (wanted("old"), applied(), seen(EDITED), "keep", "update"),
    "changed on both sides": (wanted(), applied(), seen(EDITED), "keep", "update"),
    "changed by hand to what we want": (wanted(), applied(), seen(WANTED), "adopt", "adopt"),
    "our part removed": (wanted("old"), applied(), seen(None), "keep", "create"),
    "all of it removed": (wanted(), applied(), None, "keep", "create"),
    "to go, only its surroundings moved": (None, applied(), seen(OURS), "delete", "delete"),
    "to go, but changed by hand": (None, applied(), seen(EDITED), "keep", "delete"),
    "to go, but its mark is gone too": (None, applied(), seen(EDITED, marked=False), "keep", "keep"),
    "to go, and our part is gone": (None, applied(), seen(None), "adopt", "adopt"),
    "moves, edited where it stood": (wanted(place=THERE), applied(), seen(EDITED), "keep", "update"),
    "moves, only its surroundings moved": (wanted(place=THERE), applied(), seen(OURS), "update", "update"),
    "moves to where it stands already": (wanted(place=THERE), applied(), seen(WANTED, place=THERE), "update", "update"),
    "moves to where our old text stands": (wanted(place=THERE), applied(), seen(OURS, place=THERE), "update", "update"),
    "moves into a file of people": (wanted(place=THERE), applied(), seen(None, place=THERE), "update", "update"),
    "moves to where something else of ours is": (
        wanted(place=THERE), applied(), seen(EDITED, place=THERE), "keep", "update",
    ),
    "moves to where somebody else's file is": (
        wanted(place=THERE), applied(), seen(EDITED, place=THERE, marked=False), "refuse", "refuse",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOOKS)
def test_what_reading_decides(case):
    want, have, observed, kept, enforced = LOOKS[case]
    answer = Answer(observed, bool(want) and observed is not None and observed.content == WANTED)
    for enforce, action in ((False, kept), (True, enforced)):
        change = look(Question(want, have), answer, enforce=enforce)
        assert str(change.action) == action
        assert change.reason or change.action.writes
        if observed and observed.place == change.place:
            assert change.revision == observed.revision


def test_the_reason_tells_drift_from_conflict():
    reasons = [
        look(Question(want, applied()), Answer(observed, False), enforce=False).reason
        for want in (wanted("old"), wanted("new"))
        for observed in (seen(EDITED), None)
    ]
    assert reasons == [
        "drift: it was changed by hand",
        "drift: it was removed",
        "conflict: we want a change, and it was changed by hand",
        "conflict: we want a change, and it was removed",
    ]
