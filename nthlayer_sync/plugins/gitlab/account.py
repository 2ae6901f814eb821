"""GitLab's account: what is in a group, and how it is asked (docs.gitlab.com/api)."""

from __future__ import annotations

from dataclasses import dataclass

from nthlayer_sync.sdk.http import Manners, at
from nthlayer_sync.sdk.rest import Collection, Json, Linked, Nested

MANNERS = Manners(rate=10.0, burst=2)
"""GitLab.com takes 2,000 requests a minute from one user (docs.gitlab.com/user/gitlab_com); most is left to others."""
_PAGES = Linked(size=100)


@dataclass(frozen=True)
class Paths(Collection):
    """What is known by its whole path, in lower case."""

    def key_of(self, body: Json) -> str:
        """GitLab tells no cases apart."""
        return super().key_of(body).lower()


@dataclass(frozen=True)
class ProtectedEnvironments(Nested):
    """The protected environments of projects; they have no ids but their names."""

    def inside(self, parent: str) -> str:
        """The path of the collection in one project; the project's path is one segment, with its slashes quoted."""
        return at("projects", parent, "protected_environments")

    def item(self, id: str) -> str:
        """The path of one."""
        parent, _, name = id.partition("#")
        return self.inside(parent) + at(name)


def groups(group: str = "") -> Paths:
    """The groups below one."""
    return Paths("groups", _below(group, "descendant_groups"), key="full_path", paging=_PAGES)


def protected_environments(group: str = "", within: tuple[str, ...] = ()) -> ProtectedEnvironments:
    """Those of all projects below a group that are not archived."""
    return ProtectedEnvironments(
        "protected_environments",
        "",
        id="name",
        paging=_PAGES,
        parents=_projects(group),
        within=within,
    )


def _projects(group: str) -> Paths:
    query = (("archived", "false"), ("include_subgroups", "true"), ("with_shared", "false"))
    path = _below(group, "projects")
    return Paths("projects", path, key="path_with_namespace", paging=_PAGES, query=query)


def _below(group: str, what: str) -> str:
    return at("groups", group, what) if group else ""
