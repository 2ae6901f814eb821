"""Markdown as HTML, for runbooks and other pages that we make: no HTML of its own, no links but to the web."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from nthlayer_sync.web.html import web_link

_COMMENT = re.compile(r"^<!--.*?-->$", re.MULTILINE)
"""Marks of ours around what we manage in a page of others."""
_HEADINGS = ("heading_open", "heading_close")


def prose(text: str) -> Markup:
    """The text as HTML. What it holds from the catalog cannot become anything but text."""
    reader = _reader()
    tokens = reader.parse(_COMMENT.sub("", text))
    for index, token in enumerate(tokens):
        token.attrs.pop("style", None)  # how cells of a table are aligned: our pages have no style of their own
        if token.type in _HEADINGS:
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"  # the page has a heading of its own above
        if token.type == "heading_open":
            token.attrSet("id", _id(tokens[index + 1].content))
        _lead(token.children or ())
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704


def _lead(tokens: Sequence[Token]) -> None:
    """Links lead to the web, or to a heading; those to other files lead nowhere here, and become text."""
    drop = False
    for token in tokens:
        if token.type == "link_open":
            address = str(token.attrGet("href") or "")
            drop = not (address.startswith("#") or web_link(address))
            token.attrs = {"href": f"#{_id(address[1:])}" if address.startswith("#") else address}
        if drop and token.type in ("link_open", "link_close"):
            token.tag, token.attrs = "span", {}


def _id(title: str) -> str:
    """The id of a heading, as MkDocs makes it, but none that the page around it has."""
    return "text-" + re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


@lru_cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    reader.validateLink = lambda url: True  # what is none is seen to in `_lead`
    return reader
