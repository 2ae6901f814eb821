"""What a sort of Kubernetes object is to us: where the API server keeps it, and which of its fields we manage.

The rest of an object belongs to others: defaults of the server, its status, fields of other managers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.yaml.emit import dump_all
from nthlayer_sync.yaml.read import read_documents

Object = dict[str, Any]
"""A Kubernetes object, as its JSON."""

MANAGED_BY = "app.kubernetes.io/managed-by"
"""The label that bears our mark: a list can be asked for it, which it cannot for an annotation."""
LABELS = (
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "nthlayer.dev/team",
    "nthlayer.dev/tier",
)
"""The labels that we manage."""
INSTANCE = "nthlayer.dev/instance"
"""Annotation: the name of the installation that made the object."""
CONFIG = "nthlayer.dev/config"
"""Annotation: the config that it was made for, for people who look at the object."""


@dataclass(frozen=True)
class Form:
    """One sort of object. `managed` are the paths of the fields that we manage, each as a whole, parted by `/`."""

    api: str
    """Group and version, such as `autoscaling/v2`, or `v1`."""
    kind: str
    plural: str
    managed: tuple[str, ...]

    @property
    def base(self) -> tuple[str, ...]:
        """Where the API begins. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris"""
        return ("apis" if "/" in self.api else "api", *self.api.split("/"))

    def ours(self, given: Object) -> Object:
        """The part of an object that we manage; nothing and an empty list are the same to the server."""
        labels = part(part(given, "metadata"), "labels")
        metadata: Object = {key: part(given, "metadata")[key] for key in ("name", "namespace")}
        if managed := {key: labels[key] for key in LABELS if key in labels}:
            metadata["labels"] = managed
        kept: Object = {"apiVersion": self.api, "kind": self.kind, "metadata": metadata}
        for path in self.managed:
            _copy(given, path.split("/"), kept)
        return kept


def canonical(objects: Iterable[Object]) -> str:
    """Objects as text that is the same for what is the same; "" for none."""
    return dump_all([cast("Object", _sorted(each)) for each in objects])


def manifest(objects: Iterable[Object]) -> str:
    """Objects as a file for people."""
    return dump_all(objects, header=f"Managed by {MARK}: change the blueprint, not this file.")


def objects_of(text: str) -> list[Object]:
    """The objects in a text that `canonical` made."""
    documents, diagnoses = read_documents(text.encode(), file="manifest")
    if diagnoses:
        raise PermanentError(f"the manifest cannot be read: {diagnoses[0]}")
    return [cast("Object", document.value) for document in documents]


def part(given: Mapping[str, Any], name: str) -> Object:
    """A map inside another; empty where there is none."""
    value = given.get(name)
    return cast("Object", value) if isinstance(value, dict) else {}


def _copy(given: Object, path: Sequence[str], kept: Object) -> None:
    *above, last = path
    for name in above:
        given = part(given, name)
    if given.get(last) in (None, []):
        return
    for name in above:
        kept = kept.setdefault(name, {})
    kept[last] = given[last]


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        known = cast("Object", value)
        return {key: _sorted(known[key]) for key in sorted(known)}
    if isinstance(value, list):
        return [_sorted(each) for each in cast("list[object]", value)]
    return value
