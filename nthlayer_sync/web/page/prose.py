"""Markdown as HTML, for runbooks and other pages that we make: no HTML of its own, no links but to the web."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from nthlayer_sync.web.html import web_link


def prose(text: str) -> Markup:
    """The text as HTML. What it holds from the catalog cannot become anything but text."""
    reader = _reader()
    tokens = reader.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"  # the page has a heading of its own above
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704


@lru_cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    reader.validateLink = lambda url: bool(web_link(url))
    return reader
