"""Environments of a repository, with who must review and from which branches. A PUT says all of it anew."""

from __future__ import annotations

from typing import Any

from nthlayer_sync.sandbox.collection import Item, Shape, part
from nthlayer_sync.sandbox.ids import number
from nthlayer_sync.sandbox.paging import linked
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply, Tool
from nthlayer_sync.sandbox.vendors.github.rulesets import repository
from nthlayer_sync.sandbox.vendors.github.shape import node_id

_PATH = "/repos/{owner}/{repo}/environments"
_MOST = 6
"""Reviewers of one environment."""


class Environments:
    """Environments and their branch policies."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.collection = tool.collection(Shape(name="environments", new_id=tool.ids("environments"), unique=("name",)))
        self.policies = tool.collection(Shape(name="branch_policies", new_id=number(7_000_000), unique=("name",)))
        self._rule_id = number(8_000_000)
        self._rules = 0
        tool.route("GET", _PATH, self.list)
        tool.route("PUT", f"{_PATH}/{{name}}", self.put)
        tool.route("GET", f"{_PATH}/{{name}}", lambda call: Reply(200, self._held(call)))
        tool.route("DELETE", f"{_PATH}/{{name}}", self.delete)
        policies = f"{_PATH}/{{name}}/deployment-branch-policies"
        tool.route("GET", policies, self.list_policies)
        tool.route("POST", policies, self.add_policy)
        tool.route("DELETE", f"{policies}/{{id}}", self.delete_policy)

    def list(self, call: Call) -> Reply:
        """Those of a repository."""
        found = self.collection.listed(repository(self.tool, call)["full_name"])
        return linked()(call, found, "environments", lambda item: item)

    def put(self, call: Call) -> Reply:
        """Make or replace."""
        place, name, wanted = repository(self.tool, call)["full_name"], call.params["name"], call.fields()
        old = self.collection.find("name", name, place)
        id = old["id"] if old else int(self.collection.new_id())
        policy = part(wanted, "deployment_branch_policy")
        if policy and policy.get("protected_branches") == policy.get("custom_branch_policies"):
            raise _invalid("protected_branches and custom_branch_policies cannot be the same")
        item: Item = {"id": id, "node_id": node_id("Environment", id), "name": name, "updated_at": self.tool.time()}
        item |= {
            "created_at": old["created_at"] if old else self.tool.time(),
            "deployment_branch_policy": policy or None,
        }
        item |= {"url": f"{self.tool.url}/repos/{place}/environments/{name}"}
        item |= {"html_url": f"https://github.com/{place}/deployments/activity_log?environments_filter={name}"}
        item["protection_rules"] = self._protection(wanted)
        return Reply(200, self.collection.replace(str(id), item) if old else self.collection.add(item, place))

    def delete(self, call: Call) -> Reply:
        """With its policies."""
        held = self._held(call)
        for policy in self.policies.listed(str(held["id"])):
            self.policies.remove(str(policy["id"]))
        self.collection.remove(str(held["id"]))
        return Reply(204)

    def list_policies(self, call: Call) -> Reply:
        """The branches that may deploy."""
        found = self.policies.listed(str(self._held(call)["id"]))
        return linked()(call, found, "branch_policies", lambda item: item)

    def add_policy(self, call: Call) -> Reply:
        """A pattern of branches; 303 when it is there."""
        held, wanted = self._held(call), call.fields()
        if not part(held, "deployment_branch_policy").get("custom_branch_policies") or not wanted.get("name"):
            raise self.tool.refuse(404)
        if self.policies.find("name", wanted["name"], str(held["id"])):
            return Reply(303)
        id = int(self.policies.new_id())
        item: Item = {"id": id, "node_id": node_id("Policy", id), "name": wanted["name"]}
        return Reply(200, self.policies.add(item | {"type": wanted.get("type", "branch")}, str(held["id"])))

    def delete_policy(self, call: Call) -> Reply:
        """Remove one."""
        if self.policies.get(call.params["id"], str(self._held(call)["id"])) is None:
            raise self.tool.refuse(404)
        self.policies.remove(call.params["id"])
        return Reply(204)

    def _held(self, call: Call) -> Item:
        place = repository(self.tool, call)["full_name"]
        found = self.collection.find("name", call.params["name"], place)
        if found is None:
            raise self.tool.refuse(404)
        return found

    def _protection(self, wanted: Item) -> list[Item]:
        rules: list[Item] = []
        if wait := wanted.get("wait_timer"):
            if not 0 <= wait <= 43_200:
                raise _invalid("wait_timer must be between 0 and 43200")
            rules.append(self._rule("wait_timer", {"wait_timer": wait}))
        reviewers: list[Item] = wanted.get("reviewers") or []
        if len(reviewers) > _MOST:
            raise _invalid("There are too many reviewers")
        if reviewers:
            shown = [{"type": each["type"], "reviewer": self._reviewer(each)} for each in reviewers]
            more = {"prevent_self_review": bool(wanted.get("prevent_self_review")), "reviewers": shown}
            rules.append(self._rule("required_reviewers", more))
        if wanted.get("deployment_branch_policy"):
            rules.append(self._rule("branch_policy", {}))
        return rules

    def _reviewer(self, given: Item) -> Item:
        held = self.tool.collections["users" if given["type"] == "User" else "teams"].get(str(given["id"]))
        if held is None:
            raise _invalid(f"reviewers: no {given['type']} {given['id']}")
        return held if given["type"] == "User" else held | {"parent": None}

    def _rule(self, kind: str, more: dict[str, Any]) -> Item:
        id = int(self._rule_id(self._rules))
        self._rules += 1
        return {"id": id, "node_id": node_id("Gate", id), "type": kind, **more}


def _invalid(message: str) -> RefusalError:
    return RefusalError(Reply(422, {"message": message, "documentation_url": "https://docs.github.com/rest"}))
