"""How names, keys, tags and references are written, and how much of everything is taken.

The formats are those of Backstage: KubernetesValidatorFunctions, CommonValidatorFunctions, FieldFormatEntityPolicy in
@backstage/catalog-model. Verdicts are remembered, because a catalog repeats its keys, tags and references.
"""

from __future__ import annotations

import re
from functools import lru_cache

from nthlayer_sync.model.ref import parse_ref
from nthlayer_sync.sources.shape import short

LONGEST_TEXT = 65_536
"""Characters of one title, description or annotation; Kubernetes holds all annotations together to four times that."""
MOST_ENTRIES = 1_000
"""Annotations, labels, tags or links of one entity: more come from a fault, and pages are made of them."""
MOST_REFERENCES = 20_000
"""Entities that one entity may name in one relation: a hub has 10,000, a fault millions."""
LONGEST_REFERENCE = 400
"""Characters; a reference that Backstage can resolve has at most 191. What is longer is not looked at any closer."""

NAME = "1 to 63 of a-z A-Z 0-9 - _ . between letters or digits"
NAMESPACE = "1 to 63 of a-z 0-9, with single dashes between"
KEY = "[prefix/]name: the prefix a DNS name, the name 1 to 63 of a-z A-Z 0-9 - _ ."
TAG = "1 to 63 of a-z 0-9 : + #, with single dashes between"
KIND = "1 to 63 letters and digits, a letter first"
REFERENCE = "[kind:][namespace/]name"

_NAME = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LABEL = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_TAG = re.compile(r"[a-z0-9:+#]+(?:-[a-z0-9:+#]+)*")
_KIND = re.compile(r"[a-zA-Z][a-z0-9A-Z]*")
_REFERENCE = re.compile(r"([a-zA-Z][a-zA-Z0-9]*:)?(?:[a-z0-9-]{1,63}/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PLACEHOLDER = re.compile(r"\$\{\{|\{\{|\{%|<%|\$\{")
_URL = re.compile(r"\s*(?:https?:[/\\]*[^\s/\\?#:@][^\r\n]*|(?!https?:)[a-z][a-z0-9+.-]*:[^\r\n]*)", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def is_name(text: str) -> bool:
    """Whether it may be the name of an entity, or a label's value."""
    return len(text) <= 63 and _NAME.fullmatch(text) is not None


def is_namespace(text: str) -> bool:
    """Whether it may be a namespace."""
    return len(text) <= 63 and _LABEL.fullmatch(text) is not None


def is_kind(text: str) -> bool:
    """Whether it may be a kind."""
    return len(text) <= 63 and _KIND.fullmatch(text) is not None


def is_key(text: str) -> bool:
    """Whether it may be the key of an annotation or a label."""
    return len(text) <= 317 and _is_key(text)


@lru_cache(maxsize=16_384)
def _is_key(text: str) -> bool:
    prefix, slash, name = text.rpartition("/")
    return is_name(name) and (not slash or (len(prefix) <= 253 and all(map(is_namespace, prefix.split(".")))))


def is_tag(text: str) -> bool:
    """Whether it may be a tag."""
    return len(text) <= 63 and _TAG.fullmatch(text) is not None


def is_api_version(text: str) -> bool:
    """Whether it may be an apiVersion."""
    return len(text) <= 317 and _is_api_version(text)


@lru_cache(maxsize=256)
def _is_api_version(text: str) -> bool:
    prefix, slash, name = text.rpartition("/")
    return (
        name.isascii()
        and name.isalnum()
        and len(name) <= 63
        and (not slash or all(map(is_namespace, prefix.split("."))))
    )


def is_url(text: str) -> bool:
    """Whether it is an absolute URL: a scheme and something after it, as the `URL` class of JavaScript demands."""
    return _URL.fullmatch(text) is not None


def has_placeholder(text: str) -> bool:
    """Whether a template's placeholder stands in it that nobody filled in."""
    return _PLACEHOLDER.search(text) is not None


def reference_fault(text: str, target: str) -> str:
    """What is wrong with a reference, as a clause for a sentence; "" when nothing is. `target` is the implied kind."""
    found = _REFERENCE.fullmatch(text)
    if found and (target or found[1]):
        return ""
    return _reference_fault(text, target) if len(text) <= LONGEST_REFERENCE else "is longer than any reference"


def _reference_fault(text: str, target: str) -> str:
    try:
        parse_ref(text, kind=target)
    except ValueError:
        if has_placeholder(text):
            return "holds a placeholder that was never filled in"
        if target or ":" in text:
            return "is no entity reference"
        return "names no kind, so Backstage refuses the entity"
    name = text.strip().rpartition("/")[2].rpartition(":")[2]
    if _NAME.fullmatch(name) and len(name) <= 63:
        return ""
    if has_placeholder(text):
        return "holds a placeholder that was never filled in"
    if _EMAIL.fullmatch(name):
        return f"is an e-mail address, which Backstage takes for the name of a {target or 'kind'}; name a group or user"
    return f"names {short(name)!r}, which no entity can be called"
