"""What views are made of: differences, pictures, Markdown, answers that nobody waits for twice."""

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.sdk.testing import HOSTILE
from nthlayer_sync.web import html
from nthlayer_sync.web.api.graph import EdgeShown, GraphShown, NodeShown
from nthlayer_sync.web.page import lately
from nthlayer_sync.web.page.difference import difference
from nthlayer_sync.web.page.drawing import HEIGHT, WIDTH, draw
from nthlayer_sync.web.page.lately import Lately
from nthlayer_sync.web.page.prose import prose
from nthlayer_sync.web.page.view import local
from tests.web.page.conftest import Found

LINES = st.lists(st.sampled_from("abc"), max_size=30)
NAMES = st.sampled_from("abcdefgh")


@given(LINES, LINES)
def test_a_difference_makes_one_text_of_the_other(before: list[str], after: list[str]) -> None:
    found = difference("\n".join(before), "\n".join(after))
    assert bool(found) is (before != after)
    for line in found:
        if line.sign in " -":
            assert before[line.before - 1] == line.text
        if line.sign in " +":
            assert after[line.after - 1] == line.text
    kept = [text for number, text in enumerate(before, 1) if number not in {x.before for x in found if x.sign == "-"}]
    came = [text for number, text in enumerate(after, 1) if number not in {x.after for x in found if x.sign == "+"}]
    assert kept == came
    left_out = sum(int(line.text.split()[0]) for line in found if line.sign == "@")
    if found:
        assert left_out + sum(line.sign in " -" for line in found) == len(before)


@given(st.sets(st.tuples(NAMES, NAMES), max_size=30), st.sampled_from(["", "a"]), st.integers(1, 9))
def test_nothing_stands_on_anything_else(pairs: set[tuple[str, str]], around: str, most: int) -> None:
    nodes = tuple(NodeShown(ref=n, name=n, kind="component", tier="", owner=None, known=True) for n in "abcdefgh")
    edges = tuple(
        EdgeShown(source=a, relation="dependsOn", target=b, origins=(), confidence=1) for a, b in sorted(pairs)
    )
    drawing = draw(GraphShown(nodes=nodes, edges=edges), around, most)
    assert len(drawing.boxes) + drawing.left_out + drawing.alone == len(nodes)
    assert len(drawing.boxes) <= most
    if around:
        assert around in {box.node.ref for box in drawing.boxes}
    places = {(box.x, box.y) for box in drawing.boxes}
    assert len(places) == len(drawing.boxes)
    for x, y in places:
        assert 0 <= x <= drawing.width - WIDTH
        assert 0 <= y <= drawing.height - HEIGHT
    for line in drawing.lines:
        numbers = [int(number) for number in re.findall(r"-?\d+", line)]
        assert all(0 <= number <= max(drawing.width, drawing.height) for number in numbers)


def test_who_needs_stands_to_the_left() -> None:
    names = ("shop", "cart", "db")
    nodes = tuple(NodeShown(ref=n, name=n, kind="component", tier="1", owner=None, known=True) for n in names)
    edges = tuple(
        EdgeShown(source=a, relation="dependsOn", target=b, origins=(), confidence=1)
        for a, b in (("shop", "cart"), ("cart", "db"), ("shop", "db"))
    )
    found = {box.node.ref: box.x for box in draw(GraphShown(nodes=nodes, edges=edges)).boxes}
    assert found["shop"] < found["cart"] < found["db"]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_markdown_is_never_more_than_text(value: str) -> None:
    for text in (value, f"# {value}\n\n> {value}\n\n- {value}", f"[{value}]({value})", f"| a |\n|--:|\n| {value} |"):
        found = Found(prose(text))
        assert {tag for tag, _ in found.tags} <= {
            "h2", "h3", "p", "a", "span", "ul", "ol", "li", "blockquote", "code", "pre", "em", "strong", "hr", "br",
            "table", "thead", "tbody", "tr", "th", "td",
        }  # fmt: skip
        for tag, attributes in found.tags:
            assert set(attributes) <= {"href", "id", "class", "start"}
            assert tag != "a" or re.match(r"https?://|#text-", attributes["href"] or "")


def test_markdown_leads_to_its_own_headings_and_the_web() -> None:
    text = "# Top\n[down](#roll-back) [web](https://example.com/) [file](other.md)\n\n## Roll back!\n<!-- mark -->\n"
    found = Found(prose(text))
    assert [each["href"] for each in found.of("a")] == ["#text-roll-back", "https://example.com/"]
    assert [each["id"] for each in found.of("h3")] == ["text-roll-back"]
    assert found.text.split() == ["Top", "down", "web", "file", "Roll", "back!"]


def test_addresses_stay_here() -> None:
    assert local("/runs?limit=5") == "/runs?limit=5"
    for address in ("//x", "/\\x", "https://x", "", "x", "/é", "/a\nb", "javascript:x"):
        assert local(address) == "/"
    assert html.address("component:default/..", "artefacts/a/b", name="c d") == (
        "/entities/component:default%2F../artefacts/a/b?name=c+d"
    )
    assert [html.web_link(url) for url in ("https://x/y", "javascript:x", "http://", "http://[", "//x", "data:,")] == [
        "https://x/y", "", "", "", "", "",
    ]  # fmt: skip


def test_spans_are_told_for_people() -> None:
    assert [html.lasting(each) for each in (0, 1.2, 119, 120, 7199, 7200, 172800)] == [
        "0 s", "1 s", "119 s", "2 min", "120 min", "2 h", "2 days",
    ]  # fmt: skip
    assert html.number(1234567) == "1\u202f234\u202f567"


async def test_nobody_waits_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "FRESH", 0.0)
    monkeypatch.setattr(lately, "LONGEST", 0.01)
    gate, made = asyncio.Event(), 0

    async def make() -> int:
        nonlocal made
        made += 1
        await gate.wait()
        return made

    found = Lately[int]()
    assert await asyncio.gather(found.get(make), found.get(make)) == [None, None]
    assert made == 1
    gate.set()
    assert await found.get(make) == 1
    gate.clear()
    assert await found.get(make) == 1  # the next one is being made
    assert made == 2
    await found.close()
    gate.set()
    assert await found.get(make) == 3
