"""Pictures hold every name as text, whatever it is, and come out the same each time."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.graph.draw import DRAW, as_json, dot, mermaid, picture
from nthlayer_sync.model.ref import entity_ref

HOSTILE = [
    'a"]; evil[label="x',
    "a\\",
    'a\\"]',
    'n1["x"] --> n2',
    "a\n  click n1 callback",
    "end",
    "<script>alert(1)</script>",
    "#quot;",
    "a`b`|c|",
    "\u202eright-to-left\u202c",
    "%%{init: {}}%%",
    "${{ secrets.X }}",
    "x" * 5000,
]
MERMAID_LINE = re.compile(
    r'  (n\d+(\[|\[\(|\(\[|\{\{)"[^"\n\r<>`|\\]*"(\]|\)\]|\]\)|\}\})|n\d+ -->\|"[A-Za-z]+"\| n\d+)'
)
DOT_LINE = re.compile(
    r"  (rankdir=LR|node \[shape=box\]"
    r'|n\d+ \[label="([^"\\\n]|\\["\\])*"(, style=dashed)?\]|n\d+ -> n\d+ \[label="[A-Za-z]+"\]);'
)


@pytest.fixture(scope="module")
def shop(view, describe):
    return view(
        describe("component:a", tier="1", owner="g", dependsOn=["resource:db", "component:b"], providesApis=["x"]),
        describe("component:b", consumesApis=["x"], dependsOn=["component:c"]),
        describe("component:c", dependsOn=["component:d"]),
        describe("resource:db", type="postgresql"),
    )


def test_mermaid(shop) -> None:
    assert mermaid(picture(shop, entity_ref("component", "a"))) == (
        "flowchart LR\n"
        '  n1(["x (api, unknown)"])\n'
        '  n2["a (component, tier 1)"]\n'
        '  n3["b (component)"]\n'
        '  n4{{"g (group, unknown)"}}\n'
        '  n5[("db (resource)")]\n'
        '  n2 -->|"dependsOn"| n3\n'
        '  n2 -->|"dependsOn"| n5\n'
        '  n2 -->|"ownedBy"| n4\n'
        '  n2 -->|"providesApi"| n1\n'
        '  n3 -->|"consumesApi"| n1\n'
    )


def test_dot(shop) -> None:
    assert dot(picture(shop, entity_ref("component", "c"), relations=["dependsOn"])) == (
        "digraph catalog {\n"
        "  rankdir=LR;\n"
        "  node [shape=box];\n"
        '  n1 [label="b (component)"];\n'
        '  n2 [label="c (component)"];\n'
        '  n3 [label="d (component, unknown)", style=dashed];\n'
        '  n1 -> n2 [label="dependsOn"];\n'
        '  n2 -> n3 [label="dependsOn"];\n'
        "}\n"
    )


def test_json_names_origins(shop) -> None:
    drawn = json.loads(as_json(picture(shop, entity_ref("component", "d"), depth=0)))
    assert [node["ref"] for node in drawn["nodes"]] == ["component:default/d"]
    arrows = json.loads(as_json(picture(shop)))["arrows"]
    assert {(*arrow["origins"], arrow["confidence"]) for arrow in arrows} == {("backstage", 1.0)}


@pytest.mark.parametrize("depth", range(4))
def test_depth_counts_steps_in_both_directions(shop, depth) -> None:
    found = picture(shop, entity_ref("component", "d"), depth, ["dependsOn"])
    assert "".join(node.name for node in found.nodes if node.kind == "component") == "abcd"[3 - depth :]


@given(name=st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30)))
def test_no_name_breaks_out(name, view, describe) -> None:
    entity = describe("component:x", dependsOn=["component:y"])
    hostile = type(entity)(ref=entity.ref, kind="Component", name=name, spec=entity.spec)
    drawn = picture(view(hostile))
    lines = mermaid(drawn).splitlines()
    assert [line for line in lines[1:] if not MERMAID_LINE.fullmatch(line)] == []
    assert len(lines) == 4
    lines = dot(drawn).split("\n")
    assert [line for line in lines[1:-2] if not DOT_LINE.fullmatch(line)] == []
    assert len(lines) == 8
    assert json.loads(as_json(drawn))["nodes"][0]["name"] == name


def test_order_does_not_matter(view, describe) -> None:
    entities = [describe(f"component:c{i}", dependsOn=[f"component:c{i + 1}", "component:c0"]) for i in range(9)]
    for draw in DRAW.values():
        assert draw(picture(view(*entities))) == draw(picture(view(*reversed(entities))))
