"""Cursors: what goes in comes out, and nothing else is taken."""

from base64 import urlsafe_b64encode
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.web import cursor
from nthlayer_sync.web.problem import Refusal


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_cursor_gives_back_what_it_was_made_of(last: str) -> None:
    made = cursor.after("runs", last)
    assert made.isascii()
    assert cursor.read("runs", made, str) == last


def test_a_cursor_holds_more_than_texts() -> None:
    made = cursor.after("runs", (17, "x"))
    assert cursor.read("runs", made, tuple[int, str]) == (17, "x")
    assert cursor.read("runs", "", tuple[int, str]) is None


@given(st.one_of(st.text(), st.binary().map(lambda data: urlsafe_b64encode(data).decode())))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with suppress(Refusal):
        assert isinstance(cursor.read("runs", text, int), int | None)


@pytest.mark.parametrize(
    "text",
    [
        cursor.after("plans", "x"),
        cursor.after("runs", 7),
        cursor.after("runs", "x")[:-2],
        cursor.after("runs", "a\0b"),
        urlsafe_b64encode(msgspec.json.encode((0, "runs", "x"))).decode(),
        urlsafe_b64encode(b"[" * 1500).decode(),
        "é",
        "====",
    ],
)
def test_a_cursor_of_another_list_type_or_time_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        cursor.read("runs", text, str)
    assert refused.value.errors[0].pointer == "#/cursor"
