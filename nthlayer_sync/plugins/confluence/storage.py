"""Confluence's storage format (XHTML with elements of its own), as far as our pages use it: written, and read back.

A page is a list of blocks: headings, paragraphs, list items and table rows, each of cells that are plain text or one
link. Reading ignores what Confluence adds when it stores a page (attributes, table bodies, paragraphs inside cells),
and shows every other element by its name, so that what people change is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from html.parser import HTMLParser
from itertools import groupby
from typing import Literal

from nthlayer_sync.model.config import Spec
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.rest import Json

Tag = Literal["h2", "p", "li", "tr"]
LONGEST = 2000
"""Characters of one cell."""

_WEB = re.compile(r"""(https?://|mailto:)[^\s<>"'`{}|\\^\x00-\x20\x7f-\uffff]+""", re.ASCII)
_BLOCKS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "tr", "pre"})
_CELLS = frozenset({"td", "th"})
_ADDED = frozenset({"table", "tbody", "thead", "colgroup", "col", "ul", "span", "br", "time"})
"""Elements that say nothing that we look at."""


class Cell(Spec, frozen=True):
    """Plain text, or the text of a link."""

    text: str
    link: str = ""


class Block(Spec, frozen=True):
    """A heading, a paragraph, an item of a list, or a row of a table; only a row has several cells."""

    tag: Tag
    cells: tuple[Cell, ...]


def cell(text: str, link: str = "") -> Cell:
    """A cell as it is read back: one line; without a link where the address is none that a page may lead to."""
    return Cell(text=quote.line(text)[:LONGEST].strip(), link=link if _WEB.fullmatch(link) else "")


def block(tag: Tag, *cells: Cell | str) -> Block:
    """A block of these cells; text is plain."""
    return Block(tag=tag, cells=tuple(cell(each) if isinstance(each, str) else each for each in cells))


def write(blocks: Iterable[Block]) -> str:
    """The page. Every value is escaped."""
    parts: list[str] = []
    for tag, group in groupby(blocks, key=lambda block: block.tag):
        inner = "".join(_written(each) for each in group)
        parts.append(
            f"<table><tbody>{inner}</tbody></table>" if tag == "tr" else f"<ul>{inner}</ul>" if tag == "li" else inner
        )
    return "".join(parts)


def _written(block: Block) -> str:
    if block.tag == "tr":
        return f"<tr>{''.join(f'<td>{_cell(each)}</td>' for each in block.cells)}</tr>"
    return f"<{block.tag}>{''.join(map(_cell, block.cells))}</{block.tag}>"


def _cell(cell: Cell) -> str:
    return f'<a href="{escape(cell.link)}">{escape(cell.text)}</a>' if cell.link else escape(cell.text)


def read(page: str) -> list[Json]:
    """The blocks of a page as it is stored, as plain JSON; blocks without any text are left out."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.done()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._blocks: list[Json] = []
        self._cells: list[Json] = []
        self._tag = ""
        """The block that is open, "" outside of any."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _CELLS and self._tag == "tr":
            self._cells.append({"text": "", "link": ""})
        elif tag in _BLOCKS and not (tag == "p" and self._tag in ("li", "tr")):
            self._close()
            self._tag = tag
            self._cells = [] if tag == "tr" else [{"text": "", "link": ""}]
        elif tag == "a" and self._cells:
            self._cells[-1]["link"] += dict(attrs).get("href") or ""
        elif tag not in _ADDED and tag not in _BLOCKS:
            self.handle_data(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._tag:
            self._close()

    def handle_data(self, data: str) -> None:
        if not self._tag and data.strip():
            self._tag, self._cells = "p", [{"text": "", "link": ""}]
        if self._cells:
            self._cells[-1]["text"] += data

    def unknown_decl(self, data: str) -> None:
        self.handle_data(data)

    def done(self) -> list[Json]:
        self._close()
        return self._blocks

    def _close(self) -> None:
        cells = [{**each, "text": " ".join(each["text"].split())} for each in self._cells]
        if any(each["text"] or each["link"] for each in cells):
            self._blocks.append({"tag": self._tag, "cells": cells})
        self._tag, self._cells = "", []
