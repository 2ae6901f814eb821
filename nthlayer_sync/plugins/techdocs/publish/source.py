"""What a site is made from, as one text that people compare and that the site is built from again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from nthlayer_sync.blueprint.layer import as_map
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.techdocs.mkdocs import TITLES
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.yaml.emit import dump
from nthlayer_sync.yaml.read import Limits, read_documents

LARGEST = 4_000_000
"""Bytes of the sources of one site."""
_LIMITS = Limits(bytes=LARGEST, nodes=1_000, depth=4, scalar=LARGEST)

# https://github.com/backstage/backstage/blob/master/packages/catalog-model/src/entity/policies/FieldFormatEntityPolicy.ts
_PART = r"[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?"
_TRIPLET = re.compile(rf"{_PART}/{_PART}/{_PART}")


class Source(msgspec.Struct, frozen=True):
    """Name and description of a site, and the Markdown of its pages by their file names: keys of `TITLES`."""

    name: str
    description: str
    pages: Mapping[str, str]


def write(source: Source) -> str:
    """The text: YAML in which each page is a block."""
    pages = {page: source.pages[page] for page in TITLES if page in source.pages}
    values = {"name": source.name, "description": source.description, "pages": pages}
    return dump(values, header=f"What a site is made from that {MARK} publishes.")


def read(text: str) -> Source:
    """What `write` made a text from; PermanentError where it is another text."""
    documents, diagnoses = read_documents(text.encode(errors="replace"), file="site", limits=_LIMITS)
    value = as_map(documents[0].value) if len(documents) == 1 and not diagnoses else None
    try:
        source = msgspec.convert(value, Source)
    except msgspec.ValidationError as error:
        raise PermanentError(f"these are not the sources of a site: {error}") from None
    if unknown := source.pages.keys() - TITLES.keys():
        raise PermanentError(f"these are not the sources of a site: no page is called {min(unknown)!r:.80}")
    return source


def digest(text: str) -> str:
    """What tells sources apart."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def triplet(path: str) -> str:
    """`path` if it is the place of a site, `<namespace>/<kind>/<name>`; PermanentError if it could lead elsewhere."""
    if not is_triplet(path):
        raise PermanentError(f"{path!r:.200} cannot be the folder of a site: TechDocs has no such names")
    return path


def is_triplet(path: str) -> bool:
    """Whether it is."""
    return _TRIPLET.fullmatch(path) is not None
