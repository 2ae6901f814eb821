"""Objects with all the addresses that GitHub writes in them."""

from __future__ import annotations

import base64

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.people import ORGANISATION

_USER = "followers following gists starred subscriptions organizations repos events received_events"
_REPOSITORY = (
    "archive assignees blobs branches collaborators comments commits compare contents contributors deployments "
    "downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels "
    "languages merges milestones notifications pulls releases stargazers statuses subscribers subscription tags "
    "teams trees"
)
_WEB = "https://github.com"


def node_id(kind: str, id: int) -> str:
    """The id of the other API."""
    return base64.b64encode(f"{kind}{id}".encode()).decode()


def links(address: str, names: str) -> dict[str, str]:
    """`{name}_url` for every name."""
    return {f"{name}_url": f"{address}/{name}" for name in names.split()}


def user(url: str, id: str, login: str, kind: str = "User") -> Item:
    """A user, as others name it."""
    address = f"{url}/users/{login}"
    own: Item = {"login": login, "id": int(id), "node_id": node_id(kind, int(id)), "url": address, "type": kind}
    own |= {"avatar_url": "", "gravatar_id": "", "html_url": f"{_WEB}/{login}", "site_admin": False}
    own["user_view_type"] = "public"
    return own | links(address, _USER)


def organisation(url: str, *, full: bool) -> Item:
    """The one organisation."""
    address = f"{url}/orgs/{ORGANISATION}"
    own: Item = {"login": ORGANISATION, "id": 900_000, "node_id": node_id("Organization", 900_000), "url": address}
    own |= {"avatar_url": "", "description": None, **links(address, "repos events hooks issues members public_members")}
    if not full:
        return own
    own |= {"has_organization_projects": True, "has_repository_projects": True, "public_repos": 0, "public_gists": 0}
    own |= {"followers": 0, "following": 0, "html_url": f"{_WEB}/{ORGANISATION}", "type": "Organization"}
    return own | {"created_at": "2026-01-05T09:00:00Z", "updated_at": "2026-01-05T09:00:00Z", "archived_at": None}


def team(url: str, id: str, slug: str, title: str) -> Item:
    """A team."""
    address = f"{url}/organizations/900000/team/{id}"
    own: Item = {"id": int(id), "node_id": node_id("Team", int(id)), "name": title, "slug": slug, "url": address}
    own |= {"html_url": f"{_WEB}/orgs/{ORGANISATION}/teams/{slug}", "description": None, "privacy": "closed"}
    own |= {"notification_setting": "notifications_enabled", "permission": "pull", "type": "organization"}
    return own | {**links(address, "members repositories"), "organization_id": 900_000}


def repository(url: str, id: str, name: str, time: str) -> Item:
    """A repository of the organisation, private, with one branch."""
    full_name = f"{ORGANISATION}/{name}"
    address, page = f"{url}/repos/{full_name}", f"{_WEB}/{full_name}"
    own: Item = {"id": int(id), "node_id": node_id("Repository", int(id)), "name": name, "full_name": full_name}
    own |= {"owner": user(url, "900000", ORGANISATION, "Organization"), "private": True, "visibility": "private"}
    own |= {"html_url": page, "description": None, "fork": False, "url": address, "default_branch": "main"}
    own |= {"clone_url": f"{page}.git", "git_url": f"git://github.com/{full_name}.git", "svn_url": page}
    own |= {"ssh_url": f"git@github.com:{full_name}.git", "mirror_url": None, "homepage": None, "language": None}
    own |= {
        f"has_{each}": each == "issues" for each in ("issues", "projects", "wiki", "pages", "discussions", "downloads")
    }
    counts = "forks forks_count open_issues open_issues_count size stargazers_count watchers watchers_count"
    own |= dict.fromkeys([*counts.split(), "network_count", "subscribers_count"], 0)
    own |= {"archived": False, "disabled": False, "license": None}
    own |= {"pushed_at": time, "created_at": time, "updated_at": time}
    return own | links(address, _REPOSITORY)
