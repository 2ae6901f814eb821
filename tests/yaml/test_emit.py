"""What is written as YAML reads back the same, whatever the reader."""

import enum
import io
import math

import msgspec
import pytest
import ruamel.yaml
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.yaml.emit import comment, dump, dump_all, flow, inline
from nthlayer_sync.yaml.read import read_documents

HOSTILE = [
    "", " ", "\n", "\n\n", "a\n", "a\n\n", "\na", " a\nb", "a\n b\n", "a\n\tb", "\ta\nb", "a\n  \nb", "a\nb\n ",
    "a \nb", "#a\nb", "no", "No", "y", "on", "OFF", "true", "~", "null", "NaN", ".nan", ".inf", "-.INF", "inf",
    "12:30", "1:2:3", "190:20:30.15", "2024-01-01", "2001-12-14t21:59:43.10-05:00", "0o17", "017", "0x1F", "0b1",
    "1_000", "1e3", "1E3", "1.5e+3", "+1", "-1", ".5", "5.", "08", "0", "1", "1.0", "<<", "=", "!tag", "&a", "*a",
    "@a", "`a", "%a", "|", ">", "- a", "-", "--- a", "---", "...", "? a", "?", ":", ": a", "a: b", "a:", "a :b",
    "a #b", "a#b", "#a", "{a}", "[a]", "{{ a }}", "${{ a }}", "{% a %}", "'a'", '"a"', "a'b", 'a"b', "a\\b", "a\\",
    "a\rb", "a\r\nb", "a\x85b", "a\u2028b", "a\u2029b", "\ufeffa", "a\ufeffb", "a\x00b", "a\x07b", "\x1b[31m",
    "a\x7fb", "a\x9fb", "a\xa0b", "\u202eevil", "😀", "é", "a\tb", "a,b", "a, b", "]", "}", ",", "5m", "99.9%", "1y",
    "0s", "10", "1e", "0xg", "a" * 3000, "x: y\n- z", "key: |\n  text\n", "a\n---\nb", "a\n...\nb", "a\n# b",
    "\ud7ff", "\ufffe", "\U0010ffff",
]  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.text(" \n\t#:-?|>'\"{}[]ab,")
    | st.sampled_from(HOSTILE),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(HOSTILE) | st.text(" \n\tab:#-?"), inner, max_size=4)
    ),
    max_leaves=12,
)


def read_by_pyyaml(text: str) -> object:
    return yaml.safe_load(text)


def read_by_libyaml(text: str) -> object:
    return yaml.load(text, Loader=yaml.CSafeLoader)


def read_by_ruamel(text: str) -> object:
    return ruamel.yaml.YAML(typ="safe", pure=True).load(io.StringIO(text))


def read_by_us(text: str) -> object:
    documents, diagnoses = read_documents(text.encode(), file="f")
    assert diagnoses == []
    return documents[0].value if documents else None


READERS = [read_by_pyyaml, read_by_libyaml, read_by_ruamel, read_by_us]


def same(left: object, right: object) -> bool:
    """Equal, with 1, 1.0 and True told apart."""
    return repr(left) == repr(right)


@pytest.mark.parametrize("read", READERS)
def test_hostile_text_reads_back(read) -> None:
    value = {"list": HOSTILE, "values": {text: text for text in HOSTILE}, "deep": [[HOSTILE], [{"a": HOSTILE}]]}
    assert same(read(dump(value)), value)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_alone_and_inside_flow(text: str) -> None:
    for read in READERS:
        assert same(read(dump(text)), text)
        assert same(read(f"a: {inline(text)}\n"), {"a": text})
        assert same(read(f"a: {flow({text: [text]})}\n"), {"a": {text: [text]}})


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_any_value_reads_back(value: object) -> None:
    text = dump(value)
    for read in READERS:
        assert same(read(text), value)


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3), st.text())
def test_several_documents_below_any_header(values: list[object], header: str) -> None:
    text = dump_all(values, header=header)
    assert same(list(yaml.safe_load_all(text)), values)
    assert same(list(ruamel.yaml.YAML(typ="safe", pure=True).load_all(io.StringIO(text))), values)


def test_looks_as_a_person_would_write_it() -> None:
    value = {
        "on": {"push": {"branches": ["main"]}},
        "expr": 'sum(rate(http_requests_total{code=~"5.."}[5m])) / 2',
        "for": "5m",
        "text": "one\ntwo\n",
        "empty": [{}, []],
        "steps": [{"name": "a: b", "run": "echo 1\necho 2"}, [1, 2.0]],
    }
    assert dump(value, header="Made by a machine.\n\nDo not edit.") == (
        "# Made by a machine.\n#\n# Do not edit.\n"
        '"on":\n  push:\n    branches:\n      - main\n'
        'expr: sum(rate(http_requests_total{code=~"5.."}[5m])) / 2\n'
        "for: 5m\n"
        "text: |\n  one\n  two\n"
        "empty:\n  - {}\n  - []\n"
        'steps:\n  - name: "a: b"\n    run: |-\n      echo 1\n      echo 2\n  - - 1\n    - 2.0\n'
    )


def test_structs_are_written_as_their_fields() -> None:
    class Colour(enum.StrEnum):
        RED = "red"

    class Thing(msgspec.Struct, frozen=True):
        name: str
        colour: Colour = Colour.RED

    assert dump([Thing("a"), {"b": Thing("c")}]) == "- name: a\n  colour: red\n- b:\n    name: c\n    colour: red\n"


def test_shared_values_make_no_aliases() -> None:
    shared = ["x"]
    assert dump({"a": shared, "b": shared}) == "a:\n  - x\nb:\n  - x\n"


@pytest.mark.parametrize("value", [object(), b"x", {1: "a"}, {"a": {None: 1}}, [{1, 2}], math])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        dump(value)


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        dump("a\ud800")


@given(st.text())
def test_a_comment_cannot_be_left(text: str) -> None:
    assert yaml.safe_load(comment(text) + "a: 1\n") == {"a": 1}
    assert all(line.startswith("#") for line in comment(text).splitlines())
