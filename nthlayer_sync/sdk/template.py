"""Pages from templates: every value is escaped unless a filter has made Markdown of it, so that none can be forgotten.

A page is a Jinja file of named blocks, `{% block contacts %} … {% endblock %}`. Each is rendered by itself, because
each is a block of the file that we own. Values come out as literal text; these filters make something else of them:

    {{ name|code }}                 inline code
    {{ title|link(url) }}           a link; only the text where the address is none that a page may link to
    {{ url|address }}               the same, with the address itself as its text
    {{ query|fence("promql") }}     a fenced block, which must stand on lines of its own
    {{ text|label }}                a quoted Mermaid label
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk import quote

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment


class Markdown(str):
    """Text that is Markdown already. Joining or changing it gives an ordinary string again, which will be escaped."""


class Page:
    """A template of a plugin: `package` is the plugin's module, `name` the file in its folder `templates`."""

    def __init__(self, package: str, name: str) -> None:
        self._template = _template(package, name)

    def block(self, name: str, **values: Any) -> str:
        """The text of one block, tidied: no blank lines at its ends or doubled within, one newline at the end."""
        context = self._template.new_context(values)
        text = "".join(self._template.blocks[name](context))
        return re.sub(r"\n{3,}", "\n\n", text.strip("\n")) + "\n"


@lru_cache
def _template(package: str, name: str) -> Template:
    return _environment(package).get_template(name)


@lru_cache
def _environment(package: str) -> SandboxedEnvironment:
    # Jinja costs a tenth of a second to import, which only a run that renders pages should pay.
    from jinja2 import PackageLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        loader=PackageLoader(package),
        undefined=StrictUndefined,
        finalize=_escaped,
        autoescape=False,  # which would escape for HTML; `finalize` escapes for Markdown
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Any] = environment.filters
    filters |= {"code": _code, "link": _link, "address": _address, "fence": _fence, "label": _label}
    return environment


def _escaped(value: Any) -> Any:
    if isinstance(value, Markdown):
        return value
    if value is None:
        raise TypeError("a template prints None; test for it first")
    return quote.markdown(str(value))


def _code(value: object) -> Markdown:
    return Markdown(quote.markdown_code(str(value)))


def _link(text: object, url: str) -> Markdown:
    label = quote.markdown(str(text))
    try:
        return Markdown(f"[{label}]({quote.markdown_url(url)})")
    except PermanentError:
        return Markdown(label)


def _address(url: str) -> Markdown:
    return _link(re.sub(r"^(https?://|mailto:)", "", url), url)


def _fence(text: object, language: str = "") -> Markdown:
    body = "".join(c for c in str(text) if c in "\n\t" or unicodedata.category(c)[0] != "C")
    fence = "`" * max([2, *map(len, re.findall("`+", body))]) + "`"
    return Markdown(f"{fence}{language}\n{body}\n{fence}")


def _label(text: object) -> Markdown:
    return Markdown(quote.mermaid(str(text)))
