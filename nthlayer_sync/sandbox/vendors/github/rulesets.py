"""Rulesets of a repository; names are unique in it."""

from __future__ import annotations

from typing import Any

from nthlayer_sync.sandbox.collection import Item, TakenError
from nthlayer_sync.sandbox.paging import linked
from nthlayer_sync.sandbox.resource import Resource
from nthlayer_sync.sandbox.tool import Call, RefusalError, Tool
from nthlayer_sync.sandbox.vendors.github.shape import node_id

_DEFAULTS: dict[str, Item] = {
    "pull_request": {
        "allowed_merge_methods": ["merge", "squash", "rebase"],
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_approving_review_count": 0,
        "required_review_thread_resolution": False,
    },
    "required_status_checks": {"do_not_enforce_on_create": False, "strict_required_status_checks_policy": False},
    "update": {"update_allows_fetch_and_merge": False},
}
"""What a rule's parameters are when nothing is said; the answer has all of them."""


class Rulesets(Resource):
    """What may be done to branches and tags."""

    name = "rulesets"
    path = "/repos/{owner}/{repo}/rulesets"
    unique = ("name",)
    required = ("name", "enforcement")
    page = staticmethod(linked())

    def scope(self, call: Call) -> str:
        """The repository."""
        return repository(self.tool, call)["full_name"]

    def missing(self, fields: list[str]) -> RefusalError:
        """422."""
        return self.tool.refuse(422, *(f"{field} can't be blank" for field in fields))

    def taken(self, error: TakenError) -> RefusalError:
        """422."""
        return self.tool.refuse(422, "Name must be unique")

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Known words, and conditions for branches."""
        if wanted.get("enforcement", "active") not in ("active", "disabled", "evaluate"):
            raise self.tool.refuse(422, "Enforcement is not included in the list")
        rules: list[Item] = wanted.get("rules") or []
        if any(not rule.get("type") for rule in rules):
            raise self.tool.refuse(422, "Invalid rule")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With all parameters of its rules, and times."""
        full_name = repository(self.tool, call)["full_name"]
        id = old["id"] if old else int(self.collection.new_id())
        item: Item = {"target": "branch", "bypass_actors": [], "conditions": {}, "rules": [], **(old or {}), **wanted}
        item["rules"] = [_rule(rule) for rule in item["rules"]]
        item["bypass_actors"] = [{"bypass_mode": "always", **actor} for actor in item["bypass_actors"]]
        address = f"{self.tool.url}/repos/{full_name}/rulesets/{id}"
        page = f"https://github.com/{full_name}/rules/{id}"
        item |= {"id": id, "node_id": node_id("RRS", id), "source": full_name, "source_type": "Repository"}
        item |= {"current_user_can_bypass": "never", "_links": {"self": {"href": address}, "html": {"href": page}}}
        return item | {"created_at": old["created_at"] if old else self.tool.time(), "updated_at": self.tool.time()}

    def summary(self, call: Call, item: Item) -> Item:
        """Without rules, conditions and bypasses."""
        hidden = ("rules", "conditions", "bypass_actors", "current_user_can_bypass")
        return {name: value for name, value in item.items() if name not in hidden}


def _rule(rule: Item) -> Item:
    defaults = _DEFAULTS.get(rule["type"])
    parameters: Any = rule.get("parameters") or {}
    if defaults is None and not parameters:
        return {"type": rule["type"]}
    return {"type": rule["type"], "parameters": {**(defaults or {}), **parameters}}


def repository(tool: Tool, call: Call) -> Item:
    """The repository that the path names; raises 404."""
    found = tool.collections["repositories"].find("full_name", f"{call.params['owner']}/{call.params['repo']}")
    if found is None:
        raise tool.refuse(404)
    return found
