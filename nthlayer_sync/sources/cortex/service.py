"""Cortex over its REST API: descriptors for what people wrote, listings for what Cortex knows beside that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from nthlayer_sync.errors import Failure, PermanentError
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.snapshot import Completeness, Snapshot
from nthlayer_sync.sdk.http import Refused
from nthlayer_sync.sources.api import Api, ApiSettings, Query, connected
from nthlayer_sync.sources.cortex.descriptor import Descriptor, read_descriptor
from nthlayer_sync.sources.cortex.translate import Translation
from nthlayer_sync.sources.shape import list_of, mapping_of

PAGE_SIZE = 1000
"""Entities a page, the most that Cortex allows."""
MOST_PAGES = 1000
"""A walk that needs more goes in circles, whatever the answers say of their number."""

_json = msgspec.json.Decoder(dict[str, Any])


class _Pages:
    """All items of a paged listing; `doubt` says why they may not be all."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.doubt = ""


class CortexSource:
    """All entities of a Cortex workspace. `confidence` is that of the edges they state."""

    def __init__(self, name: str, settings: ApiSettings, confidence: float) -> None:
        self.name = name
        self.scope = settings.url.rstrip("/")
        self._settings = settings
        self._confidence = confidence
        self._seen: Snapshot | None = None

    async def look(self) -> str:
        """The digest over all that Cortex says; it has no change marks, so the next `read` has nothing left to do."""
        self._seen = await self._read()
        return self._seen.digest if self._seen.completeness is Completeness.COMPLETE else ""

    async def read(self) -> Snapshot:
        """All entities, with their owners, dependencies, domains and teams."""
        seen, self._seen = self._seen, None
        return seen or await self._read()

    async def _read(self) -> Snapshot:
        try:
            async with connected(self._settings) as api:
                listing = await _pages(api, "/api/v1/catalog", "entities", _LISTED)
                written = await _pages(api, "/api/v1/catalog/descriptors", "descriptors", [("yaml", "false")])
                teams = _decoded(await api.get("/api/v1/teams", [("includeTeamsWithoutMembers", "true")]))
                hierarchy = _decoded(await api.get("/api/v1/teams/relationships"))
        except Failure as error:
            return Snapshot(
                source=self.name,
                scope=self.scope,
                completeness=Completeness.FAILED,
                reason=str(error),
                digest="",
            )
        doubt = listing.doubt or written.doubt
        infos = _merged(listing.items, written.items, teams, hierarchy)
        return await asyncio.to_thread(self._snapshot, infos, doubt)

    def _snapshot(self, infos: Mapping[str, dict[str, Any]], doubt: str) -> Snapshot:
        descriptors: list[Descriptor] = []
        diagnoses: list[Diagnosis] = []
        for tag, info in sorted(infos.items()):
            described = read_descriptor({"info": info})
            diagnoses.extend(problem.diagnosis(entity=tag) for problem in described.problems)
            if described.descriptor:
                descriptors.append(described.descriptor)
            elif not doubt:
                doubt = f"the entity {tag!r} cannot be taken"
        translation = Translation(descriptors, self._confidence)
        diagnoses.extend(problem.diagnosis(entity=descriptor.ref) for descriptor, problem in translation.problems)
        if not infos and not doubt:
            doubt = "the catalog is empty, which proves nothing"
        content = msgspec.json.encode((infos, doubt), order="deterministic")
        return Snapshot(
            source=self.name,
            scope=self.scope,
            completeness=Completeness.INCOMPLETE if doubt else Completeness.COMPLETE,
            reason=doubt or f"total {len(infos)} = rows = distinct tags",
            digest=blake2b(content, digest_size=16).hexdigest(),
            entities=tuple(translation.entities.values()),
            edges=translation.edges,
            diagnoses=tuple(diagnoses),
        )


_LISTED: Query = (
    ("includeOwners", "true"),
    ("includeLinks", "true"),
    ("includeSlackChannels", "true"),
    ("hierarchyDepth", "1"),
)


async def _pages(api: Api, path: str, field: str, query: Query) -> _Pages:
    """Every page. A failure on the first, or for want of leave, raises; on a later one it is a doubt."""
    pages = _Pages()
    for number in range(MOST_PAGES):
        try:
            answer = _decoded(await api.get(path, [*query, ("pageSize", str(PAGE_SIZE)), ("page", str(number))]))
            items, total, count = list_of(answer.get(field)), answer.get("total"), answer.get("totalPages")
            if items is None or not isinstance(total, int) or not isinstance(count, int):
                raise PermanentError(f"the answer is not what Cortex gives: it lacks {field}, total or totalPages")
        except Failure as error:
            if number == 0 or isinstance(error, Refused):
                raise type(error)(f"{path}, page {number}: {error}") from None
            pages.doubt = f"{path}, page {number}: {error}"
            return pages
        pages.items.extend(item for each in items if (item := mapping_of(each)))
        if number + 1 >= count or not items:
            if len(pages.items) != total:
                pages.doubt = f"{path}: Cortex says there are {total} and gave {len(pages.items)}"
            return pages
    pages.doubt = f"{path}: more than {MOST_PAGES} pages"
    return pages


def _merged(
    listing: Iterable[dict[str, Any]],
    written: Iterable[dict[str, Any]],
    teams: dict[str, Any],
    hierarchy: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """One `info` for each tag: what was written, and over it what Cortex lists, which knows its API and its UI too."""
    infos: dict[str, dict[str, Any]] = {}
    for descriptor in written:
        info = mapping_of(descriptor.get("info")) or {}
        infos[str(info.get("x-cortex-tag", ""))] = dict(info)
    infos = {str(row.get("tag", "")): infos.get(str(row.get("tag", "")), {}) | _listed(row) for row in listing}
    for team in list_of(teams.get("teams")) or ():
        row = mapping_of(team) or {}
        if not row.get("isArchived"):
            tag = str(row.get("teamTag", ""))
            infos[tag] = infos.get(tag, {}) | _team(row)
    for item in list_of(hierarchy.get("edges")) or ():
        edge = mapping_of(item) or {}
        child = infos.get(str(edge.get("childTeamTag", "")))
        if child is not None:
            child["x-cortex-parents"] = [*child.get("x-cortex-parents", []), {"tag": edge.get("parentTeamTag")}]
    return infos


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    info: dict[str, Any] = {
        "title": row.get("name", ""),
        "x-cortex-tag": row.get("tag"),
        "x-cortex-type": row.get("type", "service"),
        "x-cortex-groups": row.get("groups") or [],
        "x-cortex-link": row.get("links") or [],
        "x-cortex-slack": {"channels": row.get("slackChannels") or []},
    }
    if row.get("description"):
        info["description"] = row["description"]
    git = mapping_of(row.get("git"))
    if git:
        info["x-cortex-git"] = {str(git.get("provider", "")).lower(): {"repository": git.get("repository")}}
    if owners := mapping_of(row.get("owners")):
        groups = (mapping_of(team) or {} for team in list_of(owners.get("teams")) or ())
        people = (mapping_of(person) or {} for person in list_of(owners.get("individuals")) or ())
        info["x-cortex-owners"] = [
            *({"type": "GROUP", "name": group.get("tag")} for group in groups if not group.get("isArchived")),
            *({"type": "EMAIL", "email": person.get("email")} for person in people),
        ]
    if parents := list_of((mapping_of(row.get("hierarchy")) or {}).get("parents")):
        info["x-cortex-domain-parents"] = [{"tag": (mapping_of(each) or {}).get("tag")} for each in parents]
    return info


def _team(row: Mapping[str, Any]) -> dict[str, Any]:
    about = mapping_of(row.get("metadata")) or {}
    group = mapping_of(row.get("cortexTeam")) or mapping_of(row.get("idpGroup")) or {}
    return {
        "title": about.get("name", ""),
        "description": about.get("description") or about.get("summary") or "",
        "x-cortex-tag": row.get("teamTag"),
        "x-cortex-type": "team",
        "x-cortex-link": row.get("links") or [],
        "x-cortex-slack": {"channels": row.get("slackChannels") or []},
        "x-cortex-team": {"members": group.get("members") or []},
    }


def _decoded(answer: bytes) -> dict[str, Any]:
    try:
        return _json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PermanentError(f"the answer is not what Cortex gives: {error}") from None
