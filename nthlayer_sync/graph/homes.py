"""Where the files of a subject go. Names and paths come from the catalog, so none may lead out of its folder."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from nthlayer_sync.graph.build import Graph
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.ref import DEFAULT_NAMESPACE, ref_parts
from nthlayer_sync.model.service import Home

TEAMS = "teams"
"""Folder of the teams in the central repository."""
SLUG_KEYS = ("github.com/project-slug", "gitlab.com/project-slug")
"""Annotations that name the repository on the code host."""

# Backstage's own rule for names, which for namespaces is stricter still:
# https://github.com/backstage/backstage/blob/master/packages/catalog-model/src/validation/KubernetesValidatorFunctions.ts
# https://backstage.io/docs/features/software-catalog/well-known-annotations#backstageiosource-location
_SOURCE = re.compile(
    r"url:(https://[^/?#\s]+/[^/?#\s]+(?:/[^/?#\s]+)+?)(?:(?:/-)?/(?:tree|blob)/[^/?#\s]+(/[^?#\s]*)?)?/?"
)
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_SLUG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
_FOLDER = re.compile(r"(?!\.{1,2}(/|$)|\.git(/|$))[^/\x00-\x1f\\]+")


def unsafe(entity: Entity) -> list[Diagnosis]:
    """What makes an entity's name or place unfit to be a part of a path."""
    found = [
        _refused(entity, field, text, "letters, digits and _.- between them, at most 63 characters")
        for field, text in (("metadata.name", entity.name), ("metadata.namespace", entity.namespace))
        if not _NAME.fullmatch(text)
    ]
    folder = entity.place.folder if entity.place else ""
    if folder and not all(_FOLDER.fullmatch(part) for part in folder.split("/")):
        found.append(_refused(entity, "place", folder, "a path inside the repository"))
    if entity.ref.startswith("component:") and entity.namespace.lower() == TEAMS:
        found.append(
            _refused(entity, "metadata.namespace", TEAMS, f"any but {TEAMS}, which is the folder of the teams")
        )
    return found


def own_home(graph: Graph, entity: Entity) -> Home | None:
    """Where a component's code is: what `backstage.io/source-location` says, else the folder that declares it.

    Where several are declared in one folder, each has one of its own inside, by its name.
    """
    if code := _code_location(entity):
        return code
    place = entity.place
    if place is None:
        return None
    inside = _folder(entity) if graph.crowded(place) else ""
    return Home(place.root, "/".join(filter(None, (place.folder, inside))), _slug(entity))


def _code_location(entity: Entity) -> Home | None:
    """The repository and folder that the entity names as its code; other forms of the annotation name none."""
    found = _SOURCE.fullmatch(entity.annotations.get("backstage.io/source-location", ""))
    if not found:
        return None
    root, folder = found[1].removesuffix(".git"), (found[2] or "").strip("/")
    if folder and not all(_FOLDER.fullmatch(part) for part in folder.split("/")):
        return None
    return Home(root, folder, urlsplit(root).path.strip("/"))


def central_home(central: Home | None, entity: Entity) -> Home | None:
    """The folder of a service or a team in the organisation's central repository."""
    if central is None:
        return None
    _, namespace, name = ref_parts(entity.ref)
    inside = f"{TEAMS}/{_folder(entity)}" if entity.ref.startswith("group:") else f"{namespace}/{name}"
    return Home(central.root, "/".join(filter(None, (central.folder, inside))), central.slug)


def _folder(entity: Entity) -> str:
    _, namespace, name = ref_parts(entity.ref)
    return name if namespace == DEFAULT_NAMESPACE else f"{namespace}/{name}"


def _slug(entity: Entity) -> str:
    for key in SLUG_KEYS:
        text = entity.annotations.get(key, "")
        if _SLUG.fullmatch(text):
            return text
    root = entity.place.root if entity.place else ""
    path = urlsplit(root).path.strip("/").removesuffix(".git") if root.startswith(("https://", "http://")) else ""
    return path if _SLUG.fullmatch(path) else ""


def _refused(entity: Entity, field: str, found: str, allowed: str) -> Diagnosis:
    return Diagnosis(
        code="unsafe-path",
        message=f"{field} cannot be a part of a path",
        file=entity.place.path if entity.place else "",
        entity=entity.ref,
        field=field,
        found=found[:100],
        allowed=(allowed,),
    )
