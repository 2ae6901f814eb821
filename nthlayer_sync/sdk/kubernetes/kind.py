"""The row a plugin writes for a kind that is Kubernetes objects: a manifest in Git, or the objects in a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from nthlayer_sync.sdk.kind import FileKind, SpecT, SubjectT
from nthlayer_sync.sdk.kubernetes.form import Form, Object, canonical


class Named(Protocol):
    """A spec of objects that all have one name, in one namespace."""

    @property
    def name(self) -> str:
        """Name of the objects."""
        ...

    @property
    def namespace(self) -> str:
        """Namespace of the objects."""
        ...


@dataclass(frozen=True)
class ManifestKind(FileKind[SubjectT, SpecT]):
    """A kind whose configs are objects, at most one of each of `forms`, which stand in the order they are made in."""

    objects: Callable[[SpecT], Sequence[Object]] = field(kw_only=True)
    forms: tuple[Form, ...] = field(kw_only=True)

    @property
    def collection(self) -> str:
        """What the places of its configs in a cluster begin with."""
        return self.name.partition("/")[2]

    def live(self) -> ManifestKind[SubjectT, SpecT]:
        """The kind as it is where it lands in a cluster."""
        return replace(self, render=partial(_canonical, self.objects))

    def path_of(self, spec: Named) -> str:
        """Where a config lands in a cluster."""
        return f"{self.collection}/{spec.namespace}/{spec.name}"


def _canonical(objects: Callable[[SpecT], Sequence[Object]], spec: SpecT) -> str:
    return canonical(objects(spec))
