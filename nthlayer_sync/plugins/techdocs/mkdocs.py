"""Adding a page to mkdocs.yml, as https://www.mkdocs.org/user-guide/configuration/ defines it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.yaml import splice
from nthlayer_sync.yaml.emit import dump

# https://github.com/backstage/mkdocs-techdocs-core: without it TechDocs cannot show the site
CORE = "techdocs-core"
FRONT = "index.md"
TITLES = {
    FRONT: "Home",
    "runbook.md": "Runbook",
    "dependencies.md": "Dependencies",
    "onboarding.md": "For newcomers",
}
"""Our pages and what the navigation calls them."""
_DOCS = "docs"


@dataclass(frozen=True)
class SiteEntry:
    """One page's place in mkdocs.yml, or for the front page what makes the file a TechDocs site at all.

    A file without `nav` shows every page, so nothing is added to it. Where people have listed a page themselves, under
    whatever title, nothing is added either. In a file of theirs, the front page is theirs to list.
    """

    site: str
    page: str

    def read(self, text: str) -> str | None:
        """The entry, if the site has the page; None also where the file cannot be read."""
        try:
            data = _encoded(text)
            present = _has_core(data) if self.page == FRONT else _lists(data, self.page)
        except PermanentError:
            return None
        return entry_text(self.page) if present else None

    def write(self, text: str | None, content: str) -> str:
        """`text` with the page in its navigation and the plugin among its plugins; a new file when there is none."""
        try:
            return self._added(_encoded(text if text is not None and text.strip() else self._empty())).decode()
        except InputError as error:
            raise PermanentError(f"mkdocs.yml cannot be edited: {error}") from error

    def remove(self, text: str) -> str | None:
        """`text` without our entry. A file is removed once it holds nothing but what we put into it."""
        data = _encoded(text)
        if self.page != FRONT:
            return _without(data, self.page).decode()
        for page in TITLES:
            data = data if page == FRONT else _without(data, page)
        return None if data.decode() == self._empty() else text

    def foreign(self, text: str) -> bool:
        """Never: entries stand beside those of people."""
        return False

    def _added(self, data: bytes) -> bytes:
        docs = splice.value_at(data, 0, ("docs_dir",))
        if isinstance(docs, str) and docs.strip("./") != _DOCS:
            raise PermanentError(
                f"mkdocs.yml has its pages in docs_dir {docs!r}; ours stand in {_DOCS!r}: move them there"
            )
        if not _has_core(data):
            data = _with_core(data)
        if self.page != FRONT and not _lists(data, self.page):
            data = splice.append(data, 0, ("nav",), [{TITLES[self.page]: self.page}])
        return data

    def _empty(self) -> str:
        return dump(
            {"site_name": self.site, "nav": [{TITLES[FRONT]: FRONT}], "plugins": [CORE]},
            header=f"Made by {MARK}, which adds its pages to nav and changes nothing else: the file is yours.",
        )


def entry_text(page: str) -> str:
    """An entry as it is compared: the line of the navigation."""
    return f"{TITLES[page]}: {page}\n"


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise PermanentError("mkdocs.yml is not UTF-8, so it is left as it is") from error


def _items(data: bytes) -> list[object]:
    nav = splice.value_at(data, 0, ("nav",))
    return cast("list[object]", nav) if isinstance(nav, list) else []


def _lists(data: bytes, page: str) -> bool:
    """Whether the site shows a page: it is in the navigation, or there is none."""
    if splice.value_at(data, 0, ("nav",)) is None:
        return True
    return page in _pages(_items(data))


def _pages(value: object) -> Iterator[str]:
    """Every page in a part of a navigation."""
    if isinstance(value, str):
        yield value.removeprefix("./")
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _pages(item)
    elif isinstance(value, dict):
        for item in cast("dict[str, object]", value).values():
            yield from _pages(item)


def _has_core(data: bytes) -> bool:
    plugins = splice.value_at(data, 0, ("plugins",))
    if isinstance(plugins, dict):
        return CORE in plugins
    if not isinstance(plugins, list):
        return False
    return any(item == CORE or (isinstance(item, dict) and CORE in item) for item in cast("list[object]", plugins))


def _with_core(data: bytes) -> bytes:
    if isinstance(splice.value_at(data, 0, ("plugins",)), dict):
        return splice.edit(data, 0, {("plugins", CORE): {}})
    return splice.append(data, 0, ("plugins",), [CORE])


def _without(data: bytes, page: str) -> bytes:
    items, ours = _items(data), {TITLES[page]: page}
    return splice.edit(data, 0, {("nav", items.index(ours)): None}) if ours in items else data
