"""Foreign text in the Markdown of code hosts: it stands only in code spans, code blocks and `<code>`.

There neither Markdown nor HTML, mentions (`@team`), references (`#1`) nor GitLab's quick actions (`/merge`) mean
anything.
"""

from __future__ import annotations

import difflib
import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

from nthlayer_sync.sdk.quote import line

LARGEST = 65_536
"""Characters of a body or comment (GitHub's limit, github.com/orgs/community/discussions/27190; GitLab takes a
million)."""
LARGEST_BLOCK = 8_000
"""Characters of one code block."""


def code(text: str) -> str:
    """A code span."""
    body = line(text) or " "
    fence = "`" * (_longest_run([body]) + 1)
    pad = " " if body[0] == "`" or body[-1] == "`" else ""
    return f"{fence}{pad}{body}{pad}{fence}"


def label(text: str) -> str:
    """Foreign text where only HTML is read, such as in a `<summary>`."""
    return f"<code>{html.escape(line(text))}</code>"


def diff(before: str, after: str, names: tuple[str, str] = ("before", "after")) -> list[str]:
    """The rows in which two texts differ."""
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="", n=2))


def block(rows: Sequence[str], language: str = "diff") -> str:
    """A code block, at most `LARGEST_BLOCK` characters of it. No row may begin with white space and a fence alone."""
    kept: list[str] = []
    size = 0
    for row in map(_visible, rows):
        size += len(row) + 1
        if size > LARGEST_BLOCK:
            kept.append(f"@@ and {len(rows) - len(kept):,} more lines @@")
            break
        kept.append(row)
    fence = "`" * max(3, _longest_run(kept) + 1)
    return f"{fence}{language}\n" + "\n".join(kept) + f"\n{fence}\n\n"


def folded(title: str, text: str) -> str:
    """Text that is shown on a click; `title` is HTML."""
    return f"<details><summary>{title}</summary>\n\n{text}</details>\n\n"


def _longest_run(rows: Iterable[str]) -> int:
    return max((len(run) for row in rows for run in re.findall(r"`+", row)), default=0)


def _visible(row: str) -> str:
    """A line of a file in which nothing hides: no control characters, none that turn the direction of a text."""
    return "".join("\ufffd" if c != "\t" and unicodedata.category(c)[0] == "C" else c for c in row)
