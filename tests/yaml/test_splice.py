"""What real catalogs rarely hold is edited as exactly, or refused: one small text for each case."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.errors import InputError
from nthlayer_sync.yaml.splice import ANNOTATIONS, annotations, append, edit, edit_all, edit_links, links, value_at

KEY = (*ANNOTATIONS, "e.com/k")

# name: before, after adding "v" under "e.com/k"
ADDITIONS = {
    "tabs where they are legal": (
        "metadata:\n  name:\tx\t# tab\n  annotations:\t\n    a: b\t\nspec: 1\n",
        "metadata:\n  name:\tx\t# tab\n  annotations:\t\n    a: b\t\n    e.com/k: v\nspec: 1\n",
    ),
    "byte order mark": ("\ufeffmetadata:\n  name: x\n", "\ufeffmetadata:\n  name: x\n  annotations:\n    e.com/k: v\n"),
    "anchor and alias elsewhere": (
        "metadata:\n  annotations:\n    a: b\nspec:\n  x: &x [1]\n  y: *x\n",
        "metadata:\n  annotations:\n    a: b\n    e.com/k: v\nspec:\n  x: &x [1]\n  y: *x\n",
    ),
    "merge key beside it": (
        "x: &x {c: d}\nmetadata:\n  annotations:\n    <<: *x\n",
        "x: &x {c: d}\nmetadata:\n  annotations:\n    <<: *x\n    e.com/k: v\n",
    ),
    "tags": (
        "metadata: !!map\n  annotations:\n    a: !!str 1\nspec: !x {}\n",
        "metadata: !!map\n  annotations:\n    a: !!str 1\n    e.com/k: v\nspec: !x {}\n",
    ),
    "directive and document end": (
        "%YAML 1.2\n---\nmetadata:\n  name: x\n...\n# end\n",
        "%YAML 1.2\n---\nmetadata:\n  name: x\n  annotations:\n    e.com/k: v\n...\n# end\n",
    ),
    "mixed line ends": (
        "metadata:\r\n  annotations:\n    a: b\r\n    c: d\nspec: 1\r\n",
        "metadata:\r\n  annotations:\n    a: b\r\n    c: d\n    e.com/k: v\nspec: 1\r\n",
    ),
    "carriage returns only": (
        "metadata:\r  annotations:\r    a: b\rspec: 1\r",
        "metadata:\r  annotations:\r    a: b\r    e.com/k: v\rspec: 1\r",
    ),
    "complex keys": (
        "? metadata\n:\n  ? annotations\n  :\n    ? a\n    : b\n? [x]\n: y\n",
        "? metadata\n:\n  ? annotations\n  :\n    ? a\n    : b\n    e.com/k: v\n? [x]\n: y\n",
    ),
    "literal without final newline": (
        "metadata:\n  annotations:\n    a: |\n      text",
        "metadata:\n  annotations:\n    e.com/k: v\n    a: |\n      text",
    ),
    "stripped literal without final newline": (
        "metadata:\n  annotations:\n    a: |-\n      text",
        "metadata:\n  annotations:\n    a: |-\n      text\n    e.com/k: v",
    ),
    "kept blank lines": (
        "metadata:\n  annotations:\n    a: |+\n      text\n\nspec: 1\n",
        "metadata:\n  annotations:\n    a: |+\n      text\n\n    e.com/k: v\nspec: 1\n",
    ),
    "blank lines after a folded text": (
        "metadata:\n  annotations:\n    a: >2\n        text\n\n\nspec: 1\n",
        "metadata:\n  annotations:\n    a: >2\n        text\n    e.com/k: v\n\n\nspec: 1\n",
    ),
    "plain text of several lines": (
        "metadata:\n  annotations:\n    a: one\n      two # c\n\n# d\nspec: 1",
        "metadata:\n  annotations:\n    a: one\n      two # c\n    e.com/k: v\n\n# d\nspec: 1",
    ),
    "wide steps": ("metadata:\n     name: x\n", "metadata:\n     name: x\n     annotations:\n          e.com/k: v\n"),
    "last value is a list at no indent": (
        "metadata:\n  tags:\n  - a\n  - b\nspec: 1\n",
        "metadata:\n  tags:\n  - a\n  - b\n  annotations:\n    e.com/k: v\nspec: 1\n",
    ),
    "null": ("metadata:\n  annotations: ~ # c\n", "metadata:\n  annotations: # c\n    e.com/k: v\n"),
    "nothing": ("metadata:\n  annotations:\nspec: 1\n", "metadata:\n  annotations:\n    e.com/k: v\nspec: 1\n"),
    "empty flow": ("metadata:\n  annotations: { } # c\n", 'metadata:\n  annotations: {"e.com/k": "v" } # c\n'),
    "flow": ("metadata: {name: x}", 'metadata: {name: x, "annotations": {"e.com/k": "v"}}'),
    "flow with a last comma": (
        "metadata: {\n  annotations: {\n    a: b, # c\n  },\n}\n",
        'metadata: {\n  annotations: {\n    a: b, "e.com/k": "v", # c\n  },\n}\n',
    ),
    "flow with a null": ("metadata: {annotations, name: x}", 'metadata: {annotations: {"e.com/k": "v"}, name: x}'),
    "all on one line": ("{metadata: {annotations: {a: b}}}", '{metadata: {annotations: {a: b, "e.com/k": "v"}}}'),
    "line break that only YAML 1.1 knows": (
        "metadata:\n  name: x # c\u2028  y: z\n",
        "metadata:\n  name: x # c\u2028  y: z\n  annotations:\n    e.com/k: v\n",
    ),
    "inside a list": ("- 1\n- 2\n", None),
    "text for a mapping": ("metadata: text\n", None),
    "key twice": ("metadata:\n  name: x\n  name: y\n", None),
    "template": ("metadata: {{ x }}\n", None),
    "template block": ("metadata:\n  {%- if x %}\n  name: x\n", None),
    "aliased annotations": ("x: &x {a: b}\nmetadata:\n  annotations: *x\n", None),
    "anchored annotations": ("metadata:\n  annotations: &x\n    a: b\nspec: *x\n", None),
    "not YAML": ("metadata: [\n", None),
    "not text": ("metadata:\n  name: \udcff\n", None),
    "tab for an indent": ("metadata:\n\tname: x\n", None),
}  # fmt: skip
REMOVED_DIFFERENTLY = {"null", "nothing", "flow with a null", "all on one line"}


@pytest.mark.parametrize("name", ADDITIONS)
def test_add_and_remove(name: str) -> None:
    before, after = ADDITIONS[name]
    data = before.encode(errors="surrogateescape")
    if after is None:
        with pytest.raises(InputError) as refusal:
            edit(data, 0, {KEY: "v"}, file="catalog-info.yaml")
        assert refusal.value.diagnoses[0].file == "catalog-info.yaml"
        return
    added = edit(data, 0, {KEY: "v"})
    assert added.decode() == after
    if name not in REMOVED_DIFFERENTLY:
        assert edit(added, 0, {KEY: None}).decode() == before


# name: before, changes, after
CHANGES = {
    "keeps the quotes": ("a: 'x'\nb: \"x\"\n", {("a",): "it's", ("b",): "y"}, "a: 'it''s'\nb: \"y\"\n"),
    "quotes what could be misread": ("a: x\n", {("a",): "on"}, 'a: "on"\n'),
    "block text": ("a: |  # c\n  x\n\n  y\n\nb: 1\n", {("a",): "z"}, "a: z\n\nb: 1\n"),
    "several lines": ("a: x\n", {("a",): "y\nz"}, 'a: "y\\nz"\n'),
    "number": ("a: 1 # c\n", {("a",): "1"}, 'a: "1" # c\n'),
    "number for a number": ("a: 1 # c\nb: [1, 2]\n", {("a",): 2, ("b", 1): 2.5}, "a: 2 # c\nb: [1, 2.5]\n"),
    "number for text": ("a: 'x'\nb:   yes\n", {("a",): 2, ("b",): True}, "a: 2\nb:   true\n"),
    "same value": ("a:   'x'\n", {("a",): "x"}, "a:   'x'\n"),
    "nothing there": ("a:\nb: 1", {("a",): "x"}, "a: x\nb: 1"),
    "last line": ("a: 1\nb: 2", {("b",): None}, "a: 1"),
    "not there": ("a: 1\n", {("b", "c"): None}, "a: 1\n"),
    "comment in what gets empty": ("a:\n  # why\n  b: c\nd: 1\n", {("a", "b"): None}, "a: {}\n  # why\nd: 1\n"),
    "comments around": ("a: 1\n# b\nb: 2 # c\n# d\nc: 3\n", {("b",): None}, "a: 1\n# b\n# d\nc: 3\n"),
    "one for another": ("a:\n  b: c\n", {("a", "b"): None, ("a", "d"): "e"}, "a:\n  d: e\n"),
    "items": ("a:\n- b\n- c # d\n- e\n", {("a", 1): None, ("a", 0): "x", ("a", 3): "f"}, "a:\n- x\n- e\n- f\n"),
    "first field of an item": ("- a: 1\n  b: 2\n", {(0, "a"): None}, "- b: 2\n"),
    "last field of an item": ("- a: 1\n  b: 2\n- c: 1\n", {(0, "b"): None, (1, "c"): None}, "- a: 1\n"),
    "field of an item": ("-   a: 1\n-   b: 2\n", {(0, "c"): "x"}, "-   a: 1\n    c: x\n-   b: 2\n"),
    "flow items": ("a: [b, c, d]\n", {("a", 0): None, ("a", 2): None, ("a", 3): ["x"]}, 'a: [c, ["x"]]\n'),
    "list in a list": ("- - a\n  - b\n", {(0, 2): "c", (0, 1): None}, "- - a\n  - c\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change(name: str) -> None:
    before, changes, after = CHANGES[name]
    assert edit(before.encode(), 0, changes).decode() == after


def test_documents_of_one_file() -> None:
    before = b"a: 1\n---\n---\n# c\na: 1\n--- # d\na: 1"
    after = edit_all(before, {0: {("b",): "x"}, 3: {("b",): "z"}})
    assert after == b"a: 1\nb: x\n---\n---\n# c\na: 1\n--- # d\na: 1\nb: z"
    assert edit(before, 2, {("a",): "2"}) == before.replace(b"# c\na: 1", b'# c\na: "2"')
    with pytest.raises(InputError):
        edit(before, 4, {("a",): "2"})


def test_links() -> None:
    before = (
        b"metadata:\n  name: x\n  links:\n  - url: u\n    title: t\n    icon: i\n  - title: v\n    url: v\nspec: 1\n"
    )
    after = edit_links(before, 0, [{"url": "u", "title": "a: b"}, {"url": "w", "title": "W"}], ["v", "x"])
    assert after == (
        b'metadata:\n  name: x\n  links:\n  - url: u\n    title: "a: b"\n  - url: w\n    title: W\nspec: 1\n'
    )
    assert links(after, 0) == [{"url": "u", "title": "a: b"}, {"url": "w", "title": "W"}]
    assert edit_links(after, 0, [{"url": "u", "title": "a: b"}], []) == after


def test_navigation_of_a_site() -> None:
    before = b"site_name: x\nnav:\n    - Home: index.md\nplugins: !!python/name:x.y\nx: [a, b]\n"
    item = {"Operations": [{"Runbook": "ops/runbook.md"}, "ops/index.md"]}
    after = append(before, 0, ("nav",), [item])
    assert value_at(after, 0, ("nav",)) == [{"Home": "index.md"}, item]
    assert after.startswith(before[: before.index(b"plugins")])
    assert after.endswith(before[before.index(b"plugins") :])
    assert append(before, 0, ("x",), ["c: d"]).endswith(b'x: [a, b, "c: d"]\n')
    assert append(b"a: 1\n", 0, ("nav",), ["b"]) == b"a: 1\nnav:\n  - b\n"


def test_only_text_is_an_annotation() -> None:
    assert annotations(b"metadata:\n  annotations: {a: b, c: 1, d: '1', e: on}\n", 0) == {"a": "b", "d": "1", "e": "on"}


STYLES = [
    "{}", "'{}'", '"{}"', "|\n      {}", "|-\n      {}", "|+\n      {}\n", ">\n      {}\n\n", ">-\n      {}\n      b",
    "{}\n      b", "&x {}", "!!str {}", "{} # c", "'{}'   ", "[{}]", "{{a: {}}}", "\n      a: {}", "\n    - {}",
    "\n      - {}\n      - b: c\n        d: e", "",
]  # fmt: skip
NOISE = ["", "\n", "  \n", "# c\n", "      # c\n", "    # c\n", " # c\n", "\n\n# c\n\n"]


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STYLES), st.sampled_from(NOISE)), min_size=0, max_size=4),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["", "\ufeff", "---\n", "# c\n---\n", "%YAML 1.1\n---\n"]),
    st.sampled_from(["", "spec: 1\n", "...\n", "---\na: 1\n", "# end"]),
)
def test_any_style(values, line_end: str, final: bool, new: str, head: str, tail: str) -> None:
    lines = "".join(f"    k{index}: {style.format('text')}\n{noise}" for index, (style, noise) in enumerate(values))
    text = f"{head}metadata:\n  name: x\n" + (f"  annotations:\n{lines}" if values else "") + tail
    data = (text if final else text.rstrip("\n")).replace("\n", line_end).encode()
    try:
        before = list(yaml.safe_load_all(data))
    except yaml.YAMLError:  # e.g. a comment that takes the indent of a text
        return
    added = edit(data, 0, {KEY: new})
    assert edit(added, 0, {KEY: None}) == data
    before[0]["metadata"]["annotations"] = {**before[0]["metadata"].get("annotations", {}), "e.com/k": new}
    assert list(yaml.safe_load_all(added)) == before
    for index, (style, _) in enumerate(values):
        if "&" not in style and style.startswith(("{}", "'", '"', "|", ">", "!")) and style != "{{a: {}}}":
            changed = edit(data, 0, {(*ANNOTATIONS, f"k{index}"): new})
            assert annotations(changed, 0)[f"k{index}"] == new
