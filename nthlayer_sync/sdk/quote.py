"""Values from a catalog, made safe for the language they land in.

A catalog value is untrusted input to every language that we write. YAML and JSON are dumped from data and need nothing
here; everything else goes through one of these functions.
"""

from __future__ import annotations

import re
import shlex
import unicodedata

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.signals.promql import label_name as label_name
from nthlayer_sync.signals.promql import metric_name as metric_name
from nthlayer_sync.signals.promql import promql_selector as promql_selector
from nthlayer_sync.signals.promql import promql_string as promql_string

# Python-Markdown, which renders TechDocs, shows the backslash before most characters; entities are right everywhere.
# Beside markup: what extensions make of `~~`, `^^`, `==`, `$`, `:smile:`, and of addresses that merely stand in a text.
_MARKDOWN = re.compile(
    r"(?P<number>^\d+(?=[.)](?:\s|$)))"
    r"|(?P<escaped>[\\`*\[\]|]|^#|#(?=#*$)|(?<![^\W_])_|_(?![^\W_])|^[-+])"
    r"|(?P<entity>[&<>~^${]|=(?==)|(?<==)=|^[=:!?]|(?<!\d):(?=[-+\w]+:)|:(?=//)|(?<=\bwww)\.|(?<=\S)@(?=\S))",
    re.IGNORECASE,
)
_GO_TEMPLATE = re.compile(r"\{\{|\}\}")


def line(text: str) -> str:
    """`text` as one line without control or bidirectional-override characters; runs of white space become one space."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return re.sub(r" {2,}", " ", kept).strip()


def go_template(text: str) -> str:
    """Literal text for a field that Prometheus or Alertmanager expands as a Go template."""
    return _GO_TEMPLATE.sub(lambda found: '{{"' + found[0] + '"}}', line(text))


def markdown(text: str) -> str:
    """One line of literal Markdown text: no markup, HTML, link, table cell, heading or list item can begin in it."""
    return _MARKDOWN.sub(_plain_markdown, line(text))


def _plain_markdown(found: re.Match[str]) -> str:
    if found["entity"]:
        return f"&#{ord(found[0])};"
    return f"{found[0]}\\" if found["number"] else f"\\{found[0]}"


def markdown_code(text: str) -> str:
    """An inline code span."""
    body = line(text).replace("|", "\\|") or " "
    fence = "`" * (max((len(run) for run in re.findall(r"`+", body)), default=0) + 1)
    pad = " " if body[0] == "`" or body[-1] == "`" else ""
    return f"{fence}{pad}{body}{pad}{fence}"


def markdown_url(url: str) -> str:
    """The target of a Markdown link; only web addresses and relative paths pass, others give PermanentError."""
    cleaned = line(url)
    if not re.match(r"^(https?://|mailto:|(?!//)[\w./#-]+$)", cleaned):
        raise PermanentError(f"{cleaned!r} is not an address that a page may link to")
    return re.sub(r"[\s<>()\\\"`\[\]|]", lambda found: "".join(f"%{b:02X}" for b in found[0].encode()), cleaned)


def mermaid(text: str) -> str:
    """A quoted Mermaid label."""
    return '"' + re.sub(r"[^\w .,/@-]", lambda found: f"#{ord(found[0])};", line(text)) + '"'


def shell(text: str) -> str:
    """One word of a POSIX shell."""
    return shlex.quote(line(text))


def github(text: str) -> str:
    """Text for a GitHub workflow field, in which `${{` would start an expression."""
    return line(text).replace("${{", "$ {{")


def slug(text: str) -> str:
    """Lower-case letters, digits and hyphens: for file, resource and job names."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
