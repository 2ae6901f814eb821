"""Diagrams are Mermaid that no name can change: held to a small grammar, and to Mermaid itself where Node has it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.service import Neighbour
from nthlayer_sync.plugins.techdocs.dependency_graph import DRAWN, ceiling_of
from nthlayer_sync.plugins.techdocs.diagram import Node, flowchart
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.testing import service_from

HERE = Path(__file__).parent
LABEL = r'"(?:[^"#;<>`\\{}|]|#[0-9]+;|<br/>|;)*"'
SHAPED = rf"(?:\[\[{LABEL}\]\]|\[\({LABEL}\)\]|\(\[{LABEL}\]\)|\[{LABEL}\])"
LINE = re.compile(rf"  n\d+(?:{SHAPED}| --> n\d+)")
NAMES = (
    "end",
    'a"] --> n0',
    "click n0 call x()",
    "%%{init: {}}%%",
    "`*md*`",
    "#quot; #35;",
    "</script><br/>",
    "{{x}}",
    "é 漢 😀",
)
SHAPES = ("box", "store", "round", "self")


def diagrams() -> list[tuple[str, list[str]]]:
    """Texts with the labels that they must show."""
    made = [
        (flowchart([Node((name, "tier 1"), shape)], []), [f"{name}<br>tier 1"]) for name in NAMES for shape in SHAPES
    ]
    all_names = flowchart([Node((name,)) for name in NAMES], [(0, index) for index in range(1, len(NAMES))])
    return [*made, (all_names, list(NAMES))]


@pytest.mark.parametrize("text", [text for text, _ in diagrams()])
def test_every_line_is_a_node_or_an_edge(text: str) -> None:
    first, *lines = text.split("\n")
    assert first == "flowchart LR"
    assert [line for line in lines if not LINE.fullmatch(line)] == []


def test_a_hostile_name_is_one_label(hostile: str) -> None:
    lines = flowchart([Node((hostile,))], []).split("\n")
    assert len(lines) == 2
    assert LINE.fullmatch(lines[1])


def test_mermaid_reads_the_same_labels() -> None:
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules/mermaid").is_dir():
        how = json.loads((HERE / "package.json").read_text())["description"]
        if os.environ.get("CI"):
            pytest.fail(f"CI must have Node and {how}")
        pytest.skip(f"Node has no Mermaid here; {how}")
    given = diagrams()
    done = subprocess.run(
        [node, HERE / "mermaid_check.mjs"], input=json.dumps([text for text, _ in given]), capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(given)
    for (text, labels), result in zip(given, results, strict=True):
        assert "error" not in result, text
        assert [_decoded(label) for label in result["nodes"]] == [quote.line(label) for label in labels]
        assert result["edges"] == text.count("-->")


def _decoded(label: str) -> str:
    """Mermaid keeps `#35;` in a form of its own until it draws."""
    return re.sub("ﬂ°°([0-9]+)¶ß", lambda found: chr(int(found[1])), label)


def test_a_crowd_is_not_drawn_but_listed(site) -> None:
    crowd = [{"ref": f"component:default/s{i}", "name": f"s{i}", "kind": "component"} for i in range(DRAWN + 5)]
    text = (site(depends_on=crowd, dependents=[]) / "docs/dependencies.md").read_text()
    assert text.count("\n  n") == 2 * DRAWN + 1
    assert f"Only the {DRAWN} of the strictest tiers" in text
    assert text.count("| s") == DRAWN + 5


def neighbour(name: str, availability: str) -> Neighbour:
    return Neighbour(ref=entity_ref("component", name), name=name, kind="component", availability=availability)


def test_the_ceiling_is_the_product_of_what_is_known() -> None:
    found = ceiling_of("99.95", [neighbour("a", "99.5"), neighbour("b", ""), neighbour("c", "99.9")])
    assert found.terms == ("99.5", "99.9")
    assert found.product == "99.4005"
    assert not found.reachable
    assert found.weakest is not None
    assert found.weakest.name == "a"
    assert found.silent == ("b",)
    assert ceiling_of("99.4005", [neighbour("a", "99.5"), neighbour("c", "99.9")]).reachable
    assert ceiling_of("", [neighbour("a", "99.5")]).reachable


def test_a_page_never_holds_a_graphviz_fence(site) -> None:
    # https://github.com/backstage/mkdocs-techdocs-core: without `dot` such a fence replaces the page by an error
    for page in (site() / "docs").glob("*.md"):
        assert not re.search(r"^\s*(```|~~~)\s*(graphviz|dot)", page.read_text(), re.MULTILINE)


def test_generation_renders_nothing(words, monkeypatch: pytest.MonkeyPatch) -> None:
    from nthlayer_sync.plugins.techdocs import Plugin, page

    monkeypatch.setattr(page, "Page", None)
    assert list(Plugin(Plugin.settings_type()).generate_configs(service_from(words)))
