"""PromQL text: whatever a value holds, it stays inside its quotes."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.signals.promql import promql_selector, promql_string


@given(st.text())
def test_a_string_literal_reads_back(value: str) -> None:
    """Below U+10000 the escapes are those of JSON; Go's longer form is undone by hand."""
    literal = promql_string(value)
    assert literal.isprintable()
    long = re.sub(r"(?<!\\)((?:\\\\)*)\\U([0-9a-f]{8})", lambda m: m[1] + chr(int(m[2], 16)), literal)
    surrogates = re.sub(r"[\ud800-\udfff]", "\ufffd", value)
    assert json.loads(long, strict=False) == surrogates


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.text(), max_size=3))
def test_a_selector_holds_one_matcher_for_each_label(labels: dict[str, str]) -> None:
    quoted = re.findall(r'([a-z_]+)="(?:[^"\\]|\\.)*"(?:,|\}$)', promql_selector(labels))
    assert quoted == list(labels)
