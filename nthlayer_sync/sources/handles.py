"""Who in the catalog somebody on a code host is: `@organisation/team`, `@user`, an e-mail address."""

from __future__ import annotations

from collections.abc import Iterable

from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.sources.formats import is_name
from nthlayer_sync.sources.shape import mapping_of

_KEYS = ("github.com/team-slug", "github.com/user-login", "gitlab.com/group-path", "gitlab.com/user-login")
"""Annotations by which Backstage's own importers note where a group or user comes from."""


class Handles:
    """The groups and users of a catalog by their names elsewhere."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._groups: set[EntityRef] = set()
        self._refs: dict[str, EntityRef] = {}
        for entity in entities:
            kind = entity.kind.lower()
            if kind not in ("group", "user"):
                continue
            if kind == "group":
                self._groups.add(entity.ref)
            email = (mapping_of(entity.spec.get("profile")) or {}).get("email")
            names = [entity.annotations.get(key, "") for key in _KEYS]
            if isinstance(email, str) and kind == "user":
                names.append(email)
            for name in filter(None, names):
                self._refs.setdefault(name.lower(), entity.ref)

    def ref(self, handle: str) -> EntityRef | None:
        """The group or user that a handle means, whether or not the catalog knows it; None when nobody can be meant."""
        name = handle.lstrip("@").lower()
        if name in self._refs:
            return self._refs[name]
        if not handle.startswith("@"):
            local = name.partition("@")[0]
            return entity_ref("user", local) if is_name(local) else None
        last = name.rpartition("/")[2]
        if not is_name(last) or handle.startswith("@@"):
            return None
        group = entity_ref("group", last)
        return group if "/" in name or group in self._groups else entity_ref("user", last)
