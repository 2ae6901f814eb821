"""Projects and their properties."""

from __future__ import annotations

import re
from typing import Any

from nthlayer_sync.sandbox.collection import Item, Shape, TakenError
from nthlayer_sync.sandbox.resource import Resource
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply, Tool
from nthlayer_sync.sandbox.vendors.jira.shape import BASE, held, page


class Projects(Resource):
    """Projects; key and name are unique."""

    name = "projects"
    path = f"{BASE}/project"
    unique = ("key", "name")
    required = ("key", "name")
    methods = ("POST", "GET", "PUT", "DELETE", "")
    page = staticmethod(page)

    def __init__(self, tool: Tool) -> None:
        super().__init__(tool)
        tool.route("GET", f"{BASE}/project/search", self.list)

    def held(self, call: Call) -> Item:
        """By id or key."""
        return held(self.tool, call.params["id"])

    def missing(self, fields: list[str]) -> RefusalError:
        """400, by field."""
        words = {
            "key": "projectKey: You must specify a valid project key.",
            "name": "projectName: You must specify it.",
        }
        return self.tool.refuse(400, *(words[field] for field in fields))

    def taken(self, error: TakenError) -> RefusalError:
        """400, by field."""
        word = "projectKey" if error.field == "key" else "projectName"
        return self.tool.refuse(400, f"{word}: A project with that {error.field} already exists.")

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """A key of capitals; a lead that is there."""
        if old is None and not re.fullmatch(r"[A-Z][A-Z0-9_]{1,9}", str(wanted["key"])):
            raise self.tool.refuse(400, "projectKey: Project keys are 2 to 10 capitals and digits.")
        lead = wanted.get("leadAccountId")
        if (old is None or lead) and self.tool.collections["users"].get(str(lead)) is None:
            raise self.tool.refuse(400, "projectLead: You must specify a valid project lead.")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With the lead as a user."""
        id = old["id"] if old else self.collection.new_id()
        item: Item = {"description": "", "assigneeType": "UNASSIGNED", "projectTypeKey": "software"}
        item |= {"style": "classic", "simplified": False, "isPrivate": False, **(old or {})}
        item |= {name: wanted[name] for name in _OF_PROJECT if name in wanted}
        if "leadAccountId" in wanted:
            item["lead"] = self.tool.collections["users"].get(wanted["leadAccountId"])
        return item | {"id": id, "self": f"{self.tool.url}{self.path}/{id}"}

    def shown(self, call: Call, item: Item) -> Item:
        """With its components."""
        components = self.tool.collections["components"].listed(item["id"])
        return item | {"components": components, "versions": [], "issueTypes": []}

    def summary(self, call: Call, item: Item) -> Item:
        """Without components."""
        return item

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """By key, or by a part of name or key."""
        keys, query = call.query.get("keys", []), call.asked("query").casefold()
        found = [item for item in items if not keys or item["key"] in keys]
        return [item for item in found if query in item["name"].casefold() or query in item["key"].casefold()]

    def order(self) -> Any:
        """By key."""
        return _key

    def create(self, call: Call) -> Reply:
        """Says id and key; the id is a number here, and text everywhere else."""
        item: Item = super().create(call).body
        return Reply(201, {"id": int(item["id"]), "key": item["key"], "self": item["self"]})


_OF_PROJECT = ("key", "name", "description", "assigneeType", "projectTypeKey", "url")


def _key(item: Item) -> str:
    return item["key"]


class Properties:
    """Values that programs keep with a project."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.collection = tool.collection(Shape(name="project_properties", new_id=str, title="key"))
        path = f"{BASE}/project/{{id}}/properties"
        tool.route("GET", path, self.list)
        tool.route("GET", f"{path}/{{key}}", self.read)
        tool.route("PUT", f"{path}/{{key}}", self.put)
        tool.route("DELETE", f"{path}/{{key}}", self.delete)

    def list(self, call: Call) -> Reply:
        """The keys."""
        project = held(self.tool, call.params["id"])
        address = f"{project['self']}/properties"
        keys = [item["key"] for item in self.collection.listed(project["id"])]
        return Reply(200, {"keys": [{"key": key, "self": f"{address}/{key}"} for key in keys]})

    def read(self, call: Call) -> Reply:
        """One value."""
        item = self._held(call)
        return Reply(200, {"key": item["key"], "value": item["value"]})

    def put(self, call: Call) -> Reply:
        """201 when it is new."""
        project, key = held(self.tool, call.params["id"]), call.params["key"]
        item: Item = {"id": f"{project['id']}/{key}", "key": key, "value": call.body}
        if self.collection.get(item["id"]):
            self.collection.replace(item["id"], item)
            return Reply(200, {})
        self.collection.add(item, project["id"])
        return Reply(201, {})

    def delete(self, call: Call) -> Reply:
        """Remove one."""
        self.collection.remove(self._held(call)["id"])
        return Reply(204)

    def _held(self, call: Call) -> Item:
        item = self.collection.get(f"{held(self.tool, call.params['id'])['id']}/{call.params['key']}")
        if item is None:
            raise self.tool.refuse(404, f"The property '{call.params['key']}' does not exist.")
        return item
