"""PromQL text: literals, selectors and names that nothing can break out of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.units import Duration

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def promql_string(value: str) -> str:
    """A PromQL string literal. https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals"""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return '"' + "".join(c if c.isprintable() else _escape(c) for c in escaped) + '"'


def promql_selector(labels: Mapping[str, str], *matchers: str) -> str:
    """A selector such as `{job="x",code=~"5.."}`: equality with each of `labels`, then `matchers` as they are."""
    return "{" + ",".join([f"{label_name(k)}={promql_string(v)}" for k, v in labels.items()] + [*matchers]) + "}"


def metric_name(text: str) -> str:
    """`text`, if it is a metric name; PermanentError otherwise."""
    if not _METRIC.fullmatch(text):
        raise PermanentError(f"{text!r} is not a Prometheus metric name")
    return text


def label_name(text: str) -> str:
    """`text`, if it is a label name; PermanentError otherwise."""
    if not _LABEL.fullmatch(text):
        raise PermanentError(f"{text!r} is not a Prometheus label name")
    return text


def span(milliseconds: int) -> str:
    """A duration as PromQL writes it; it may also stand in the name of a series."""
    return Duration(milliseconds).prometheus()


def number(value: Decimal) -> str:
    """A number as PromQL and people read it: no exponent, no trailing zeros."""
    return f"{value.normalize():f}"


def percent(share: Decimal) -> str:
    """A share of 1 in percent."""
    return f"{number(share * 100)}%"


def _escape(character: str) -> str:
    """A Unicode escape; a lone surrogate, which no UTF-8 text can hold, becomes the replacement character."""
    code = 0xFFFD if 0xD800 <= ord(character) <= 0xDFFF else ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
