"""Values from a catalog, made safe for the language they land in.

A catalog value is untrusted input to every language that we write. YAML and JSON are dumped from data and need nothing
here; everything else goes through one of these functions.
"""

from __future__ import annotations

import re
import shlex
import unicodedata

from nthlayer_sync.errors import PermanentError

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$&:@])")
_METRIC = re.compile(r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
_LABEL = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_]*$")
_GO_TEMPLATE = re.compile(r"\{\{|\}\}")


def line(text: str) -> str:
    """`text` as one line without control or bidirectional-override characters; runs of white space become one space."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return re.sub(r" {2,}", " ", kept).strip()


def promql_string(value: str) -> str:
    """A PromQL string literal. https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals"""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in escaped) + '"'


def promql_selector(labels: dict[str, str], *matchers: str) -> str:
    """A selector such as `{job="x",code=~"5.."}`: equality with each of `labels`, then `matchers` as they are."""
    return "{" + ",".join([f"{label_name(k)}={promql_string(v)}" for k, v in labels.items()] + [*matchers]) + "}"


def metric_name(text: str) -> str:
    """`text`, if it is a metric name; PermanentError otherwise."""
    if not _METRIC.match(text):
        raise PermanentError(f"{text!r} is not a Prometheus metric name")
    return text


def label_name(text: str) -> str:
    """`text`, if it is a label name; PermanentError otherwise."""
    if not _LABEL.match(text):
        raise PermanentError(f"{text!r} is not a Prometheus label name")
    return text


def go_template(text: str) -> str:
    """Literal text for a field that Prometheus or Alertmanager expands as a Go template."""
    return _GO_TEMPLATE.sub(lambda found: '{{"' + found[0] + '"}}', line(text))


def markdown(text: str) -> str:
    """One line of literal Markdown text: no markup, HTML, link, table cell or heading can begin in it."""
    return _MARKDOWN.sub(r"\\\1", line(text)).replace("\\-", "-").replace("\\.", ".").replace("\\:", ":")


def markdown_code(text: str) -> str:
    """An inline code span."""
    body = line(text).replace("|", "\\|") or " "
    fence = "`" * (max((len(run) for run in re.findall(r"`+", body)), default=0) + 1)
    pad = " " if body[0] == "`" or body[-1] == "`" else ""
    return f"{fence}{pad}{body}{pad}{fence}"


def markdown_url(url: str) -> str:
    """The target of a Markdown link; only web addresses and relative paths pass, others give PermanentError."""
    cleaned = line(url)
    if not re.match(r"^(https?://|mailto:|[\w./#-]+$)", cleaned):
        raise PermanentError(f"{cleaned!r} is not an address that a page may link to")
    return re.sub(r"[\s<>()\\\"`\[\]|]", lambda found: "".join(f"%{b:02X}" for b in found[0].encode()), cleaned)


def mermaid(text: str) -> str:
    """A quoted Mermaid label."""
    return '"' + re.sub(r'[^\w .,/@-]', lambda found: f"#{ord(found[0])};", line(text)) + '"'


def shell(text: str) -> str:
    """One word of a POSIX shell."""
    return shlex.quote(line(text))


def github(text: str) -> str:
    """Text for a GitHub workflow field, in which `${{` would start an expression."""
    return line(text).replace("${{", "$ {{")


def slug(text: str) -> str:
    """Lower-case letters, digits and hyphens: for file, resource and job names."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
