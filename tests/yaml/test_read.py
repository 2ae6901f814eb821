"""YAML from strangers is read as Backstage reads it, or diagnosed; quickly, whatever it is."""

import math
import resource
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.yaml.read import Document, Limits, locate, looks_like_template, read_documents


def values(text: str) -> list[object]:
    documents, diagnoses = read_documents(text.encode(), file="f")
    assert diagnoses == []
    return [document.value for document in documents]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, text) for text in ("no", "on", "Yes", "y", "12:30", "2024-01-01", "1_000", "0b1", "<<", "=", "1.2.3")),
        ("null", None), ("~", None), ("Null", None), ("", None), ("nULL", "nULL"),
        ("true", True), ("FALSE", False), ("tRue", "tRue"),
        ("10", 10), ("-3", -3), ("+3", 3), ("010", 10), ("0o17", 15), ("0x1F", 31), ("0o8", "0o8"),
        ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("1E-2", 0.01),
        (".inf", math.inf), ("-.INF", -math.inf),
        ("9" * 5000, math.inf), ("'1'", "1"), ('"true"', "true"), ("|-\n  1", "1"),
    ],
)  # fmt: skip
def test_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    (read,) = values(f"a: {text}\n")
    assert repr(read) == repr({"a": value})


def test_keys_are_text() -> None:
    assert values("1: a\ntrue: b\n~: c\n'1.0': d\n<<: {e: f}\n") == [
        {"1": "a", "true": "b", "~": "c", "1.0": "d", "<<": {"e": "f"}}
    ]


def test_documents_know_their_place_and_empty_ones_are_left_out() -> None:
    data = b"---\n---\n# c\n\na: 1\n---\n- [b, {c: }]\n---\n~\n---\ntext\n---\n"
    assert read_documents(data, file="f") == (
        [Document({"a": 1}, 1, 5), Document([["b", {"c": None}]], 2, 7), Document("text", 4, 11)],
        [],
    )
    assert values("") == values("# c\n") == []
    assert values("\ufeffa: 1") == [{"a": 1}]


BAD = [
    # text, code, line, column
    ("a: 1\n---\na: [1\nb: 2\n", "syntax", 4, 2),
    ("a: b: c\n", "syntax", 1, 5),
    ("a:\n\tb: c\n", "tab", 2, 1),
    ("a: 1\na: 2\n", "duplicate-key", 2, 1),
    ("a: {b: 1, 'b': 2}\n", "duplicate-key", 1, 11),
    ("b: 1\na: *x\n", "alias", 2, 4),
    ("*x : 1\n", "alias", 1, 1),
    ("a: &x 1\n", "anchor", 1, 4),
    ("a: !!python/name:os.system\n", "tag", 1, 4),
    ("a: !x {}\n", "tag", 1, 4),
    ("%TAG ! x\n---\na: 1\n", "tag", 0, 0),
    ("? [a]\n: b\n", "key", 1, 3),
    ("a: \x00\n", "syntax", 1, 4),
    ("é: \x07\n", "syntax", 1, 4),
    ("metadata:\n  name: {{ cookiecutter.name }}\n", "template", 2, 10),
    ("{%- if x %}\na: 1\n", "template", 1, 1),
    ("a: 1\n{{ b }}\nc: 2\n", "template", 2, 1),
    ("a:\n  - ${{ b }} c: d: e\n", "template", 2, 6),
    ("a: [" * 70, "too-deep", 1, 129),
    ("a: " + "x" * 300_000, "too-long", 1, 4),
    ("---\na\n" * 1001, "too-many", 2001, 1),
    ("[" + "a," * 300_000 + "]", "too-many", 1, 499996),
]


@pytest.mark.parametrize(("text", "code", "line", "column"), BAD, ids=[f"{bad[1]}-{bad[0][:20]!r}" for bad in BAD])
def test_what_is_wrong_is_said_with_its_place(text: str, code: str, line: int, column: int) -> None:
    _, diagnoses = read_documents(text.encode(), file="catalog-info.yaml")
    assert [(found.code, found.file, found.line, found.column) for found in diagnoses] == [
        (code, "catalog-info.yaml", line, column)
    ]
    assert (diagnoses[0].severity is Severity.WARNING) == (code == "anchor")


def test_bytes_that_are_not_text() -> None:
    _, (found,) = read_documents("é: 1\nb: é".encode() + b"\xff\n", file="f")
    assert (found.code, found.line, found.column, found.found) == ("encoding", 2, 5, "byte 0xff")


def test_one_bad_document_does_not_spoil_the_others() -> None:
    documents, diagnoses = read_documents(
        b"a: 1\n---\nb: 1\nb: 2\nc: !x 1\n---\nd: 1\n---\ne: [\n---\nf: 1\n", file="f"
    )
    assert [document.value for document in documents] == [{"a": 1}, {"d": 1}]
    assert [found.code for found in diagnoses] == ["duplicate-key", "tag", "syntax"]


def test_diagnoses_are_limited() -> None:
    _, diagnoses = read_documents(b"a: 1\n" * 10_000, file="f")
    assert len(diagnoses) == 101


@pytest.mark.parametrize(
    "data",
    [
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefghi"),
        b"[" * 1_000_000,
        b"- " * 1_000_000,
        b"? " * 1_000_000,
        b"{a: " * 1_000_000,
        b"".join(b" " * depth + b"a:\n" for depth in range(2000)),
        b"a: " + b"x" * 100_000_000,
        b"%TAG !a! b\n" * 100_000,
        b"".join(b"%%TAG !a%d! b\n" % i for i in range(100_000)),
    ],
    ids=["bomb", "flow", "items", "keys", "pairs", "steps", "scalar", "tag", "tags"],
)  # fmt: skip
def test_attacks_are_refused_at_once(data: bytes) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    documents, diagnoses = read_documents(data, file="f")
    assert time.process_time() - start < 0.1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 50_000
    assert documents == []
    assert diagnoses


@settings(max_examples=300)
@given(st.binary() | st.text("{}[]&*!|>'\"%@`?:- #,\n\tab1~").map(str.encode))
def test_nothing_makes_it_crash(data: bytes) -> None:
    documents, _ = read_documents(data, file="f", limits=Limits(depth=5))
    locate(data, 0, ("a", 0))
    assert all(document.value is not None for document in documents)


def test_places() -> None:
    data = "\ufeff# é\n---\na:\n  - b: x\n    'c': [1, ü, 3]\n---\nd: 1\n".encode()
    assert locate(data, 0, ("a", 0, "c", 2)) == (5, 17)
    assert locate(data, 0, ("a", 0, "c"), key=True) == (5, 5)
    assert locate(data, 0, ("a", 0, "missing", "x")) == (4, 5)
    assert locate(data, 0, ("a", 5)) == (4, 3)
    assert locate(data, 1, ("d",)) == (7, 4)
    assert locate(data, 0, ()) == (3, 1)
    assert locate(data, 9, ("d",)) == locate(b"[", 0, ("d",)) == (1, 1)


@pytest.mark.parametrize(
    ("text", "template"), [("{% x %}", True), ("{{ x }}", True), ("${{ x }}", True), ("{a: {}}", False)]
)
def test_templates_are_known(text: str, template: bool) -> None:
    assert looks_like_template(text.encode()) is template
