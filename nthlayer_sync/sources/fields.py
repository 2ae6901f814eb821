"""Which fields Backstage reads under `spec`, kind by kind, and what they may hold.

From the schemas and the BuiltinKindsEntityProcessor of Backstage 1.55. What a kind does not list, Backstage accepts and
ignores, so that a misspelt relation goes unnoticed there.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import NamedTuple

from nthlayer_sync.model.diagnosis import Severity
from nthlayer_sync.sources.shape import Problem, list_of, short


class Field(NamedTuple):
    """One field of a spec. `target` is the kind that a reference without one means, "" when it has to name one."""

    required: bool = False
    many: bool = False
    reference: bool = False
    target: str = ""


_TEXT = Field()
_NEEDED = Field(required=True)
_OWNER = Field(required=True, reference=True, target="group")
_SYSTEM = Field(reference=True, target="system")
_ANY = Field(many=True, reference=True)


def _many(target: str, required: bool = False) -> Field:
    return Field(required=required, many=True, reference=True, target=target)


KINDS: dict[str, dict[str, Field]] = {
    "component": {
        "type": _NEEDED,
        "lifecycle": _NEEDED,
        "owner": _OWNER,
        "system": _SYSTEM,
        "subcomponentOf": Field(reference=True, target="component"),
        "providesApis": _many("api"),
        "consumesApis": _many("api"),
        "dependsOn": _ANY,
        "dependencyOf": _ANY,
    },
    "api": {"type": _NEEDED, "lifecycle": _NEEDED, "owner": _OWNER, "definition": _NEEDED, "system": _SYSTEM},
    "resource": {
        "type": _NEEDED,
        "owner": _OWNER,
        "system": _SYSTEM,
        "dependsOn": _ANY,
        "dependencyOf": _ANY,
    },
    "system": {"owner": _OWNER, "domain": Field(reference=True, target="domain"), "type": _TEXT},
    "domain": {"owner": _OWNER, "subdomainOf": Field(reference=True, target="domain"), "type": _TEXT},
    "group": {
        "type": _NEEDED,
        "profile": Field(),
        "parent": Field(reference=True, target="group"),
        "children": _many("group", required=True),
        "members": _many("user"),
    },
    "user": {"profile": Field(), "memberOf": _many("group", required=True)},
    "location": {"type": _TEXT, "target": _TEXT, "targets": Field(many=True), "presence": _TEXT},
    "template": {},
}
"""Backstage's own kinds, lower case. A template's spec is the scaffolder's affair."""

API_VERSIONS = ("backstage.io/v1alpha1", "backstage.io/v1beta1")
TEMPLATE_VERSIONS = ("scaffolder.backstage.io/v1beta3", "backstage.io/v1beta2", "backstage.io/v1alpha1")

_ELSEWHERE = ("links", "tags", "labels", "annotations", "title", "description")
_RELATION_LIKE = re.compile(
    r"(On|Of|By|With|At|To|From|For|Apis?)$|^(depend|relat|consum|provid|implement|parent|child|own)", re.IGNORECASE
)
_WITH_KIND = re.compile(r"(component|api|resource|system|domain|group|user):", re.IGNORECASE)
_INVENTED = {
    "apiconsumedby": "consumesApis (on the one that consumes)",
    "apiprovidedby": "providesApis (on the one that provides)",
    "implementsapis": "providesApis",
    "deployedat": "dependsOn",
    "deployedon": "dependsOn",
    "interactswith": "dependsOn",
    "uses": "dependsOn",
    "requires": "dependsOn",
    "partof": "system",
    "apis": "providesApis",
}
_LONGEST_KEY = 63
"""Characters: twice the longest that anybody could mean."""
_ALIKE = 0.75
"""How alike two names are (difflib's ratio) before the one is taken for a slip of the other."""
_RATHER_ALIKE = 0.6
"""The same for keys that end like a relation."""


def stray_key(kind: str, key: str) -> Problem | None:
    """What to say about a key of `spec` that Backstage ignores on this kind; None when it seems to be on purpose."""
    return _stray_key(kind, key) if len(key) <= _LONGEST_KEY else None


@lru_cache(maxsize=4096)
def _stray_key(kind: str, key: str) -> Problem | None:
    known = KINDS[kind]
    path = ("spec", key)
    names = tuple(known)
    if close := _closest(key, names):
        message = f"Backstage ignores spec.{short(key)} on a {kind}; did you mean {close}?"
        return Problem("spec-key-misspelt", message, path, key, names, Severity.WARNING)
    if home := _closest(key, _ELSEWHERE):
        message = f"Backstage ignores spec.{short(key)}; {home} stands under metadata"
        return Problem("spec-key-misplaced", message, path, key, (f"metadata.{home}",), Severity.WARNING)
    others = sorted(other for other, fields in KINDS.items() if key in fields)
    if others:
        message = f"Backstage ignores spec.{key} on a {kind}; it reads it on: {', '.join(others)}"
        severity = Severity.WARNING if KINDS[others[0]][key].reference else Severity.NOTE
        return Problem("spec-key-misplaced", message, path, key, names, severity)
    meant = _INVENTED.get(key.lower()) or (_closest(key, names, _RATHER_ALIKE) if _RELATION_LIKE.search(key) else "")
    if not meant:
        return None
    message = f"Backstage ignores spec.{short(key)} on a {kind}; the relation may be {meant}"
    return Problem("spec-key-invented", message, path, key, names, Severity.WARNING)


def stray_relation(kind: str, key: str, value: object) -> Problem | None:
    """The same for a key whose value gives it away: it holds entity references."""
    values = list_of(value) or [value]
    if not any(isinstance(item, str) and _WITH_KIND.match(item) for item in values):
        return None
    message = f"Backstage ignores spec.{short(key)} on a {kind}, though it names entities"
    return Problem("spec-key-invented", message, ("spec", key), key, tuple(KINDS[kind]), Severity.WARNING)


def _closest(key: str, names: tuple[str, ...], alike: float = _ALIKE) -> str:
    by_lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(key.lower(), by_lower, 1, alike)
    return by_lower[found[0]] if found else ""
