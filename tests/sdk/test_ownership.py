"""What people write around our blocks survives every write, byte for byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.ownership import MARK, Blocks, Whole

MARKDOWN = Blocks(open="<!--", close="-->", order=("first", "alert", "last"))
SHELL = Blocks(open="#")
SCOPED = Blocks(open="#", scope="payments")
KINDS = pytest.mark.parametrize("blocks", [MARKDOWN, SHELL, SCOPED], ids=["markdown", "shell", "scoped"])

NAMES = ("first", "alert.a", "alert.b", "alert.c", "last")
# Whatever people type, but for a marker of ours. A lone carriage return at the end of a file is no line of its own.
PROSE = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40).filter(lambda t: MARK not in t)
TEXT = st.lists(PROSE, max_size=4).flatmap(lambda p: st.sampled_from(["\n", "\r\n"]).map(lambda eol: eol.join(p)))
TEXT = TEXT.filter(lambda text: not text.endswith("\r"))
BODIES = st.dictionaries(st.sampled_from(NAMES), PROSE.map(lambda t: t.replace("\r", "")), min_size=1)


def outside(blocks: Blocks, text: str) -> str:
    """What is not ours."""
    return blocks.remove(text) or ""


@KINDS
@settings(max_examples=50)
@given(text=TEXT, first=BODIES, second=BODIES)
def test_text_around_blocks_survives_write_after_write(blocks: Blocks, text: str, first: dict, second: dict) -> None:
    people = text if text.strip() else ""
    for bodies in (first, second, first):
        content = blocks.join(bodies)
        written = blocks.write(text, content)
        assert blocks.read(written) == content
        assert blocks.write(written, content) == written
        assert outside(blocks, written) == people
        text = written


@KINDS
@settings(max_examples=50)
@given(pieces=st.lists(PROSE.map(lambda t: t.replace("\r", "")), min_size=6, max_size=6), bodies=BODIES, data=st.data())
def test_text_between_blocks_stays_at_its_blocks(blocks: Blocks, pieces: list[str], bodies: dict, data) -> None:
    order = data.draw(st.permutations(NAMES))
    lines = [pieces[0]]
    for name, piece in zip(order, pieces[1:], strict=True):
        lines += [blocks.join({name: "old"}).rstrip("\n"), f"note on {name}: {piece}"]
    text = "\n".join(lines)
    written = blocks.write(text, blocks.join(bodies))
    for name, piece in zip(order, pieces[1:], strict=True):
        note = f"note on {name}: {piece}"
        assert note in written
        if name in bodies:
            assert f"{blocks._marker('end', name)}\n{note}" in written
    assert outside(blocks, written) == outside(blocks, text)


def test_crlf_and_no_final_newline_stay() -> None:
    written = MARKDOWN.write("# Ours\r\n\r\nBye", MARKDOWN.join({"first": "one\ntwo"}))
    assert written == (
        "# Ours\r\n\r\nBye\r\n<!-- nthlayer-sync: begin first -->\r\none\r\ntwo\r\n<!-- nthlayer-sync: end first -->"
    )
    assert MARKDOWN.read(written) == MARKDOWN.join({"first": "one\ntwo"})
    assert MARKDOWN.remove(written) == "# Ours\r\n\r\nBye"


def test_a_file_without_our_blocks_holds_none() -> None:
    assert MARKDOWN.read("# Title\n") is None


def test_nothing_remains_of_a_file_that_was_only_ours() -> None:
    content = MARKDOWN.join({"first": "x"})
    assert MARKDOWN.remove(MARKDOWN.write(None, content)) is None


def test_a_new_block_leaves_notes_with_the_block_above() -> None:
    text = MARKDOWN.join({"alert.a": "A"}) + "note on A\n" + MARKDOWN.join({"last": "L"})
    written = MARKDOWN.write(text, MARKDOWN.join({"alert.a": "A", "alert.b": "B", "last": "L"}))
    assert written.index("note on A") < written.index("begin alert.b") < written.index("begin last")


def test_blocks_stay_where_people_move_them() -> None:
    text = MARKDOWN.join({"last": "L"}) + "\n" + MARKDOWN.join({"first": "F"})
    content = MARKDOWN.join({"first": "F", "last": "L"})
    assert MARKDOWN.read(text) == content
    assert MARKDOWN.write(text, content) == text
    added = MARKDOWN.write(text, MARKDOWN.join({"first": "F", "alert.a": "A", "last": "L"}))
    assert added.index("end first") < added.index("begin alert.a")


def test_configs_share_a_file_by_scope() -> None:
    other = Blocks(open="#", scope="ledger")
    text = SCOPED.write("", SCOPED.join({"": "a"}))
    both = other.write(text, other.join({"": "b"}))
    assert SCOPED.read(both) == SCOPED.join({"": "a"})
    assert other.read(both) == other.join({"": "b"})
    assert SCOPED.remove(both) == other.join({"": "b"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# nthlayer-sync: begin x\nbody\n", "line 1: the block x has no end"),
        ("\nbody\n# nthlayer-sync: end x\n", "line 3: the block x ends here but did not begin"),
        ("# nthlayer-sync: begin x\n# nthlayer-sync: end x\n" * 2, "line 3: the block x stands here twice"),
        ("# nthlayer-sync: begin x\n# nthlayer-sync: begin y\n", "line 2: the block x has no end"),
        ("# nthlayer-sync: begin x\n# nthlayer-sync: end y\n", "line 2: the block y ends here but did not begin"),
    ],
)
def test_damaged_markers_are_refused_and_named(text: str, said: str) -> None:
    for use in (
        lambda: SHELL.read(text),
        lambda: SHELL.write(text, SHELL.join({"x": "a"})),
        lambda: SHELL.remove(text),
    ):
        with pytest.raises(PermanentError, match=said):
            use()


def test_a_block_cannot_hold_a_marker_line_but_may_speak_of_one() -> None:
    with pytest.raises(PermanentError, match="marker line"):
        SHELL.join({"x": "a\n# nthlayer-sync: end x\n"})
    assert "nthlayer-sync: end x" in SHELL.join({"x": "echo nthlayer-sync: end x"})


def test_a_whole_file_is_known_by_its_mark() -> None:
    whole = Whole()
    assert whole.foreign("something")
    assert not whole.foreign(f"# {MARK}\n")
    with pytest.raises(PermanentError, match=MARK):
        whole.write(None, "no mark")
