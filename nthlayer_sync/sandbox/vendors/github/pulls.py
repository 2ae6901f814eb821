"""Pull requests with labels and reviewers: one open request from a branch to another."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from nthlayer_sync.sandbox.collection import Item, Shape, parts
from nthlayer_sync.sandbox.paging import linked
from nthlayer_sync.sandbox.people import ORGANISATION, PEOPLE
from nthlayer_sync.sandbox.tool import Call, Handler, Reply, Tool
from nthlayer_sync.sandbox.vendors.github.rulesets import repository
from nthlayer_sync.sandbox.vendors.github.shape import links, node_id

_PATH = "/repos/{owner}/{repo}/pulls"


class Pulls:
    """Pull requests; the number counts in the repository."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.collection = tool.collection(Shape(name="pulls", new_id=tool.ids("pulls"), title="title"))
        issue = "/repos/{owner}/{repo}/issues/{number}/labels"
        routes: list[tuple[str, str, Handler]] = [
            ("GET", _PATH, self.list),
            ("POST", _PATH, self.create),
            ("GET", f"{_PATH}/{{number}}", lambda call: Reply(200, self._held(call))),
            ("PATCH", f"{_PATH}/{{number}}", self.update),
            ("PUT", f"{_PATH}/{{number}}/merge", self.merge),
            ("POST", f"{_PATH}/{{number}}/requested_reviewers", self.ask),
            ("GET", issue, lambda call: Reply(200, self._held(call)["labels"])),
            ("POST", issue, lambda call: self.label(call, keep=True)),
            ("PUT", issue, lambda call: self.label(call, keep=False)),
            ("GET", "/repos/{owner}/{repo}/branches/{branch}", self.branch),
        ]
        for method, path, handler in routes:
            tool.route(method, path, handler)

    def list(self, call: Call) -> Reply:
        """Open ones unless asked otherwise; `head` is `owner:branch`."""
        state, head, base = call.asked("state", "open"), call.asked("head"), call.asked("base")
        found = [
            item
            for item in reversed(self.collection.listed(repository(self.tool, call)["full_name"]))
            if state in ("all", item["state"])
            and head in ("", item["head"]["label"])
            and base in ("", item["base"]["ref"])
        ]
        return linked()(call, found, "", _short)

    def create(self, call: Call) -> Reply:
        """Open a request; 422 when there is one from the same branch."""
        place, wanted = repository(self.tool, call), call.fields()
        head, base = str(wanted.get("head", "")), str(wanted.get("base", ""))
        if not head or not base or not wanted.get("title"):
            raise self.tool.refuse(422, "title, head and base must be there")
        head = head.removeprefix(f"{ORGANISATION}:")
        for other in self.collection.listed(place["full_name"]):
            if other["state"] == "open" and (other["head"]["ref"], other["base"]["ref"]) == (head, base):
                raise self.tool.refuse(422, f"A pull request already exists for {ORGANISATION}:{head}.")
        item = self._made(place, wanted, head, base)
        return Reply(201, self.collection.add(item, place["full_name"]))

    def update(self, call: Call) -> Reply:
        """Title, body, base; open or closed."""
        old, wanted = self._held(call), call.fields()
        item = old | {name: wanted[name] for name in ("title", "body", "state") if name in wanted}
        if old["merged"] and wanted.get("state") == "open":
            raise self.tool.refuse(422, "A merged pull request cannot be opened")
        item["closed_at"] = None if item["state"] == "open" else old["closed_at"] or self.tool.time()
        if base := wanted.get("base"):
            item["base"] = old["base"] | {"ref": base, "label": f"{ORGANISATION}:{base}", "sha": _sha(base)}
        return Reply(200, self._kept(item))

    def merge(self, call: Call) -> Reply:
        """Merge an open request."""
        old = self._held(call)
        if old["state"] != "open":
            raise self.tool.refuse(405, "Pull Request is not mergeable")
        now, sha = self.tool.time(), _sha(f"merge {old['number']}")
        changed: Item = {"state": "closed", "merged": True, "merged_at": now, "closed_at": now, "merge_commit_sha": sha}
        self._kept(old | changed)
        return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})

    def ask(self, call: Call) -> Reply:
        """Ask people and teams to review."""
        old, wanted = self._held(call), call.fields()
        users = [self._known("users", "login", login) for login in parts(wanted, "reviewers")]
        teams = [self._known("teams", "slug", slug) for slug in parts(wanted, "team_reviewers")]
        if any(user["login"] == old["user"]["login"] for user in users):
            raise self.tool.refuse(422, "Review cannot be requested from pull request author.")
        asked: Item = {"requested_reviewers": users, "requested_teams": teams}
        for field, new in list(asked.items()):
            asked[field] = [*(each for each in old[field] if each not in new), *new]
        return Reply(201, _short(self._kept(old | asked)))

    def label(self, call: Call, *, keep: bool) -> Reply:
        """Add labels, or say all of them; a label that is not there is made."""
        old = self._held(call)
        body: Any = call.body
        names = cast(list[Any], body) if isinstance(body, list) else parts(call.fields(), "labels")
        wanted = dict.fromkeys([*(each["name"] for each in old["labels"] if keep), *map(str, names)])
        labels = [self._label(old, name) for name in wanted]
        return Reply(200, self._kept(old | {"labels": labels})["labels"])

    def branch(self, call: Call) -> Reply:
        """Any branch is taken to be there."""
        place, name = repository(self.tool, call), call.params["branch"]
        address, who = f"{place['url']}/branches/{name}", self._known("users", "login", PEOPLE[0].login)
        sha, when = _sha(name), {"name": PEOPLE[0].name, "email": PEOPLE[0].email, "date": self.tool.time()}
        commit: Item = {"url": f"{place['url']}/git/commits/{sha}", "author": when, "committer": when, "message": name}
        commit |= {"tree": {"sha": sha, "url": f"{place['url']}/git/trees/{sha}"}, "comment_count": 0}
        whole: Item = {"sha": sha, "node_id": node_id("Commit", 0), "commit": commit, "author": who, "committer": who}
        whole |= {"url": f"{place['url']}/commits/{sha}", "html_url": "", "comments_url": "", "parents": []}
        shown: Item = {"name": name, "commit": whole, "_links": {"html": address, "self": address}}
        return Reply(200, shown | {"protected": False, "protection": {}, "protection_url": f"{address}/protection"})

    def _made(self, place: Item, wanted: Item, head: str, base: str) -> Item:
        number = sum(1 for _ in self.collection.listed(place["full_name"])) + 1
        id, address = int(self.collection.new_id()), f"{place['url']}/pulls/{number}"
        author, now = self._known("users", "login", PEOPLE[0].login), self.tool.time()
        item: Item = {"id": id, "node_id": node_id("PullRequest", id), "number": number, "title": wanted["title"]}
        item |= {"url": address, "html_url": f"{place['html_url']}/pull/{number}", "state": "open", "locked": False}
        item |= {"diff_url": f"{place['html_url']}/pull/{number}.diff", "body": wanted.get("body"), "user": author}
        item |= {"patch_url": f"{place['html_url']}/pull/{number}.patch", "labels": [], "milestone": None}
        item |= {"issue_url": f"{place['url']}/issues/{number}", "assignee": None, "assignees": []}
        item |= links(address, "commits review_comments review_comment comments statuses")
        item |= {"created_at": now, "updated_at": now, "closed_at": None, "merged_at": None, "merge_commit_sha": None}
        item |= {"head": self._end(place, head), "base": self._end(place, base), "auto_merge": None}
        names = "self html issue comments review_comments review_comment commits statuses"
        item |= {"_links": {name: {"href": address} for name in names.split()}, "author_association": "MEMBER"}
        item |= {"requested_reviewers": [], "requested_teams": [], "draft": bool(wanted.get("draft")), "merged": False}
        item |= {"mergeable": True, "mergeable_state": "clean", "merged_by": None, "maintainer_can_modify": False}
        return item | dict.fromkeys(_COUNTS, 0)

    def _end(self, place: Item, branch: str) -> Item:
        label = f"{ORGANISATION}:{branch}"
        place = {name: value for name, value in place.items() if name not in ("network_count", "subscribers_count")}
        return {"label": label, "ref": branch, "sha": _sha(branch), "user": place["owner"], "repo": place}

    def _held(self, call: Call) -> Item:
        place, number = repository(self.tool, call)["full_name"], call.params["number"]
        held = self.collection.listed(place)
        if not number.isdecimal() or not 0 < int(number) <= len(held):
            raise self.tool.refuse(404)
        return held[int(number) - 1]

    def _kept(self, item: Item) -> Item:
        return self.collection.replace(str(item["id"]), item | {"updated_at": self.tool.time()})

    def _known(self, collection: str, field: str, value: str) -> Item:
        found = self.tool.collections[collection].find(field, value)
        if found is None:
            raise self.tool.refuse(422, "Reviews may only be requested from collaborators.")
        return found

    def _label(self, pull: Item, name: str) -> Item:
        id = int(_sha(name)[:7], 16)
        address = f"{pull['base']['repo']['url']}/labels/{name}"
        more: Item = {"description": None, "color": "ededed", "default": False}
        return {"id": id, "node_id": node_id("Label", id), "url": address, "name": name, **more}


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


_COUNTS = ("additions", "deletions", "changed_files", "comments", "commits", "review_comments")
_LONG = {*_COUNTS, "merged", "mergeable", "mergeable_state", "merged_by", "maintainer_can_modify"}
"""What lists do not show."""


def _short(item: Item) -> Item:
    teams = [team | {"parent": None} for team in item["requested_teams"]]
    return {name: value for name, value in item.items() if name not in _LONG} | {"requested_teams": teams}
