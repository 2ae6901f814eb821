"""GitLab, REST API v4: users, groups, projects, protected environments, merge requests.

Rules are those of https://docs.gitlab.com/api: a project is known by id or by its whole path, percent-encoded; pages by
`Link` and `X-` headers; one open merge request from a branch to another (409). Branches are pushed over Git, which the
sandbox does not see: any branch that is named is taken to be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nthlayer_sync.sandbox.collection import Collection, Item, Shape, parts
from nthlayer_sync.sandbox.ids import IdMaker, number
from nthlayer_sync.sandbox.paging import linked
from nthlayer_sync.sandbox.people import ORGANISATION, PEOPLE, REPOSITORIES, TEAMS
from nthlayer_sync.sandbox.tool import Call, Handler, Reply, Tool

_BASE = "/api/v4"
_WEB = "https://gitlab.com"
_page = linked(20, 100, counts=True)
_LEVELS = {0: "No access", 30: "Developers + Maintainers", 40: "Maintainers", 60: "Admins"}


class GitLab(Tool):
    """The stand-in of https://gitlab.com."""

    name = "gitlab"
    host = "https://gitlab.com"
    base = "/api/v4"
    token = "glpat-sandbox"  # noqa: S105 - it opens nothing but the sandbox
    etags = True

    def serve(self) -> None:
        """Make the collections and routes."""
        self.users = self.collection(Shape(name="users", new_id=number(100), title="username", unique=("username",)))
        self.groups = self.collection(
            Shape(name="groups", new_id=number(200), title="full_path", unique=("full_path",))
        )
        self.projects = self.collection(
            Shape(name="projects", new_id=number(300), title="path_with_namespace", unique=("path_with_namespace",))
        )
        reads: dict[str, Handler] = {
            "user": lambda call: Reply(200, self.users.listed()[0]),
            "users": self._users,
            "users/{id}": lambda call: Reply(200, self.held(self.users, call.params["id"], "User")),
            "groups": lambda call: _page(call, self.groups.listed(), "", lambda item: item),
            "groups/{id}": lambda call: Reply(200, self.held(self.groups, call.params["id"], "Group")),
            "groups/{id}/members": self._members,
            "groups/{id}/descendant_groups": lambda call: _page(call, self._below(call, self.groups), "", _whole),
            "groups/{id}/projects": lambda call: _page(call, self._below(call, self.projects), "", _whole),
            "projects": lambda call: _page(call, self.projects.listed(), "", lambda item: item),
            "projects/{project}": lambda call: Reply(200, self.project(call)),
        }
        for path, handler in reads.items():
            self.route("GET", f"{_BASE}/{path}", handler)
        ProtectedEnvironments(self)
        MergeRequests(self)

    def seed_people(self) -> None:
        """Every person; a group for the organisation and for each team; every repository."""
        for person in PEOPLE:
            item: Item = {"id": int(self.users.new_id()), "username": person.login, "name": person.name}
            item |= {"state": "active", "locked": False, "avatar_url": None, "web_url": f"{_WEB}/{person.login}"}
            self.users.add(item)
        for path, title in {ORGANISATION: ORGANISATION.title(), **TEAMS}.items():
            full = path if path == ORGANISATION else f"{ORGANISATION}/{path}"
            item = {"id": int(self.groups.new_id()), "name": title, "path": path, "full_path": full, "full_name": title}
            self.groups.add(item | {"web_url": f"{_WEB}/groups/{full}", "description": "", "visibility": "private"})
        for name in REPOSITORIES:
            full = f"{ORGANISATION}/{name}"
            item = {"id": int(self.projects.new_id()), "name": name, "path": name, "path_with_namespace": full}
            item |= {"name_with_namespace": f"{ORGANISATION.title()} / {name}", "default_branch": "main"}
            item |= {"visibility": "private", "archived": False, "description": None, "topics": []}
            item |= {"web_url": f"{_WEB}/{full}", "http_url_to_repo": f"{_WEB}/{full}.git", "created_at": self.time()}
            self.projects.add(item | {"ssh_url_to_repo": f"git@gitlab.com:{full}.git", "empty_repo": False})

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """A personal access token, in its own header or as a bearer."""
        return headers.get("PRIVATE-TOKEN") == self.token or super().authorised(headers)

    def settings(self) -> dict[str, Any]:
        """With the group at the top, whose name is the organisation's."""
        return super().settings() | {"group": ORGANISATION}

    def refused(self, status: int, *messages: str) -> Reply:
        """The status in words before the message; 409 and 400 list what is wrong."""
        if status in (400, 409, 422):
            return Reply(status, {"message": list(messages)})
        words = {401: "401 Unauthorized", 404: f"404 {messages[0] if messages else ''} Not Found"}
        return Reply(status, {"message": words.get(status, "; ".join(messages))})

    def limited(self, wait: int) -> Reply:
        """With the rate limit's own headers (https://docs.gitlab.com/security/rate_limits)."""
        reply = super().limited(wait)
        reply.headers |= {"RateLimit-Remaining": "0", "RateLimit-Limit": str(int(self.rate))}
        return reply

    def ids(self, name: str) -> IdMaker:
        """Numbers."""
        return number(1_000)

    def held(self, collection: Any, given: str, word: str) -> Item:
        """An object by id or by its path; raises 404."""
        found: Item | None = collection.get(given) or collection.find(collection.shape.title, given)
        if found is None:
            raise self.refuse(404, word)
        return found

    def project(self, call: Call) -> Item:
        """The project that the path names."""
        return self.held(self.projects, call.params["project"], "Project")

    def _users(self, call: Call) -> Reply:
        login, search = call.asked("username"), call.asked("search").casefold()
        emails = {person.login: person.email for person in PEOPLE}
        found = [
            user
            for user in self.users.listed()
            if login in ("", user["username"])
            and (not search or search == emails.get(user["username"]) or search in user["name"].casefold())
        ]
        return _page(call, found, "", lambda item: item)

    def _below(self, call: Call, collection: Collection) -> list[Item]:
        above = f"{self.held(self.groups, call.params['id'], 'Group')['full_path']}/".casefold()
        deep = collection is self.groups or call.asked("include_subgroups") == "true"
        paths = [(item, str(item[collection.shape.title]).casefold()) for item in collection.listed()]
        below = [(item, path.removeprefix(above)) for item, path in paths if path.startswith(above)]
        archived = call.asked("archived")
        return [
            item for item, rest in below
            if (deep or "/" not in rest) and archived in ("", str(bool(item.get("archived"))).lower())
        ]  # fmt: skip

    def _members(self, call: Call) -> Reply:
        group = self.held(self.groups, call.params["id"], "Group")
        inside = {person.login for person in PEOPLE if group["path"] in (ORGANISATION, person.team)}
        found = [{**user, "access_level": 30} for user in self.users.listed() if user["username"] in inside]
        return _page(call, found, "", lambda item: item)


class ProtectedEnvironments:
    """Who may deploy to an environment, and who must approve."""

    def __init__(self, tool: GitLab) -> None:
        self.tool = tool
        self.collection = tool.collection(Shape(name="protected_environments", new_id=str, unique=("name",)))
        self._levels = 0
        path = f"{_BASE}/projects/{{project}}/protected_environments"
        tool.route("GET", path, self.list)
        tool.route("POST", path, self.create)
        tool.route("GET", f"{path}/{{name}}", lambda call: Reply(200, _shown(self._held(call))))
        tool.route("PUT", f"{path}/{{name}}", self.update)
        tool.route("DELETE", f"{path}/{{name}}", self.delete)

    def list(self, call: Call) -> Reply:
        """Those of a project."""
        return _page(call, self.collection.listed(str(self.tool.project(call)["id"])), "", _shown)

    def create(self, call: Call) -> Reply:
        """Protect one; 409 when it is."""
        project, wanted = str(self.tool.project(call)["id"]), call.fields()
        name = wanted.get("name")
        if not name or not wanted.get("deploy_access_levels"):
            raise self.tool.refuse(400, "name and deploy_access_levels must be there")
        if self.collection.find("name", name, project):
            raise self.tool.refuse(409, f"Protected environment '{name}' has already been taken")
        item: Item = {"id": f"{project}/{name}", "name": name}
        item["required_approval_count"] = wanted.get("required_approval_count", 0)
        for field in ("deploy_access_levels", "approval_rules"):
            item[field] = [self._level(each) for each in parts(wanted, field)]
        return Reply(201, _shown(self.collection.add(item, project)))

    def update(self, call: Call) -> Reply:
        """Entries with an id are changed, or removed with `_destroy`; entries without are added."""
        old, wanted = self._held(call), call.fields()
        item = dict(old)
        for field in ("deploy_access_levels", "approval_rules"):
            entries: dict[int, Item] = {entry["id"]: entry for entry in old[field]}
            for each in parts(wanted, field):
                if "id" not in each:
                    made = self._level(each)
                    entries[made["id"]] = made
                elif each.get("_destroy"):
                    entries.pop(each["id"], None)
                else:
                    entries[each["id"]] = entries[each["id"]] | each
            item[field] = list(entries.values())
        if "required_approval_count" in wanted:
            item["required_approval_count"] = wanted["required_approval_count"]
        return Reply(200, _shown(self.collection.replace(old["id"], item)))

    def delete(self, call: Call) -> Reply:
        """Protect it no more."""
        self.collection.remove(self._held(call)["id"])
        return Reply(204)

    def _held(self, call: Call) -> Item:
        found = self.collection.find("name", call.params["name"], str(self.tool.project(call)["id"]))
        if found is None:
            raise self.tool.refuse(404, "")
        return found

    def _level(self, given: Item) -> Item:
        user, group, level = given.get("user_id"), given.get("group_id"), given.get("access_level")
        if (user and self.tool.users.get(str(user)) is None) or (group and self.tool.groups.get(str(group)) is None):
            raise self.tool.refuse(400, "deploy access levels user or group is not a member of the project")
        words = _LEVELS.get(level or 0, "") if not user and not group else "User" if user else "Group"
        self._levels += 1
        item: Item = {"id": self._levels, "access_level": level, "access_level_description": words}
        item |= {"user_id": user, "group_id": group, "group_inheritance_type": given.get("group_inheritance_type", 0)}
        return item | ({"required_approvals": given["required_approvals"]} if "required_approvals" in given else {})


def _whole(item: Item) -> Item:
    return item


def _shown(item: Item) -> Item:
    return {name: value for name, value in item.items() if name != "id"}


class MergeRequests:
    """Merge requests; the iid counts in the project."""

    def __init__(self, tool: GitLab) -> None:
        self.tool = tool
        self.collection = tool.collection(Shape(name="merge_requests", new_id=number(5_000), title="title"))
        path = f"{_BASE}/projects/{{project}}/merge_requests"
        tool.route("GET", path, self.list)
        tool.route("POST", path, self.create)
        tool.route("GET", f"{path}/{{iid}}", lambda call: Reply(200, self._held(call)))
        tool.route("PUT", f"{path}/{{iid}}", self.update)

    def list(self, call: Call) -> Reply:
        """By state and branches."""
        asked = {name: call.asked(name) for name in ("state", "source_branch", "target_branch")}
        asked["state"] = "" if asked["state"] == "all" else asked["state"]
        found = [
            item
            for item in reversed(self.collection.listed(str(self.tool.project(call)["id"])))
            if all(value in ("", item[name]) for name, value in asked.items())
        ]
        return _page(call, found, "", lambda item: item)

    def create(self, call: Call) -> Reply:
        """Open a request; 409 when there is one from the same branch."""
        project, wanted = self.tool.project(call), call.fields()
        needed = ("title", "source_branch", "target_branch")
        if lacking := [field for field in needed if not wanted.get(field)]:
            raise self.tool.refuse(400, *(f"{field} is missing" for field in lacking))
        source, target = wanted["source_branch"], wanted["target_branch"]
        held = self.collection.listed(str(project["id"]))
        for other in held:
            if (other["state"], other["source_branch"], other["target_branch"]) == ("opened", source, target):
                text = f"Another open merge request already exists for this source branch: !{other['iid']}"
                raise self.tool.refuse(409, text)
        now, iid = self.tool.time(), len(held) + 1
        item: Item = {"id": int(self.collection.new_id()), "iid": iid, "project_id": project["id"], "state": "opened"}
        item |= {"title": wanted["title"], "description": wanted.get("description"), "source_branch": source}
        item |= {"target_branch": target, "created_at": now, "updated_at": now, "author": self.tool.users.listed()[0]}
        item |= {"web_url": f"{project['web_url']}/-/merge_requests/{iid}", "merged_at": None, "closed_at": None}
        item |= {"draft": str(wanted["title"]).startswith("Draft:"), "labels": [], "reviewers": [], "assignees": []}
        return Reply(201, self.collection.add(self._written(item, wanted), str(project["id"])))

    def update(self, call: Call) -> Reply:
        """Text, labels, reviewers; close or open again."""
        old, wanted = self._held(call), call.fields()
        item = old | {name: wanted[name] for name in ("title", "description", "target_branch") if name in wanted}
        if event := wanted.get("state_event"):
            item["state"] = {"close": "closed", "reopen": "opened"}[event]
            item["closed_at"] = self.tool.time() if event == "close" else None
        item["updated_at"] = self.tool.time()
        return Reply(200, self.collection.replace(str(old["id"]), self._written(item, wanted)))

    def _written(self, item: Item, wanted: Item) -> Item:
        labels: Any = wanted.get("labels", item["labels"])
        names: list[str] = labels.split(",") if isinstance(labels, str) else labels
        ids: list[int] = wanted.get("reviewer_ids") or []
        found = [user for id in ids if (user := self.tool.users.get(str(id)))]
        kept: list[Item] = found if "reviewer_ids" in wanted else item["reviewers"]
        return item | {"labels": sorted(name.strip() for name in names if name.strip()), "reviewers": kept}

    def _held(self, call: Call) -> Item:
        held, iid = self.collection.listed(str(self.tool.project(call)["id"])), call.params["iid"]
        if not iid.isdecimal() or not 0 < int(iid) <= len(held):
            raise self.tool.refuse(404, "")
        return held[int(iid) - 1]
