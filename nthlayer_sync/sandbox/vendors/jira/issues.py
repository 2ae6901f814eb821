"""Components and issues."""

from __future__ import annotations

from nthlayer_sync.sandbox.collection import Item, TakenError, part, parts
from nthlayer_sync.sandbox.resource import Resource
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply, Tool
from nthlayer_sync.sandbox.vendors.jira.shape import BASE, held, page, same


class Components(Resource):
    """Parts of a project; names are unique in it."""

    name = "components"
    path = f"{BASE}/component"
    unique = ("name",)
    required = ("name", "project")
    methods = ("POST", "GET", "PUT", "DELETE", "")

    def __init__(self, tool: Tool) -> None:
        super().__init__(tool)
        tool.route("GET", f"{BASE}/project/{{project}}/component", lambda call: page(call, self._of(call), "", same))
        tool.route("GET", f"{BASE}/project/{{project}}/components", lambda call: Reply(200, self._of(call)))

    def scope(self, call: Call) -> str:
        """The project, in the body of a create and in the object afterwards."""
        if call.method == "POST":
            return held(self.tool, str(call.fields().get("project", "")))["id"]
        return self.collection.scope(call.params["id"]) if self.collection.get(call.params["id"]) else ""

    def taken(self, error: TakenError) -> RefusalError:
        """400, by field."""
        return self.tool.refuse(400, "name: A component with this name already exists in this project.")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With the project's id."""
        id = old["id"] if old else self.collection.new_id()
        item: Item = {"assigneeType": "PROJECT_DEFAULT", "isAssigneeTypeValid": False, **(old or {})}
        item |= {name: wanted[name] for name in ("name", "description", "assigneeType") if name in wanted}
        if lead := self.tool.collections["users"].get(str(wanted.get("leadAccountId"))):
            item["lead"] = lead
        project = held(self.tool, old["project"] if old else str(wanted["project"]))
        item |= {"id": id, "project": project["key"], "projectId": int(project["id"])}
        return item | {"self": f"{self.tool.url}{self.path}/{id}"}

    def _of(self, call: Call) -> list[Item]:
        return self.collection.listed(held(self.tool, call.params["project"])["id"])


class Issues(Resource):
    """Issues, as far as labels and components go."""

    name = "issues"
    path = f"{BASE}/issue"
    title = "key"
    unique = ("key",)
    methods = ("POST", "GET", "PUT", "DELETE", "")

    def __init__(self, tool: Tool) -> None:
        super().__init__(tool)
        tool.route("GET", f"{BASE}/label", self.labels)

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Project, summary, type; labels without blanks."""
        fields = part(wanted, "fields")
        for field, word in (("project", "project"), ("summary", "summary"), ("issuetype", "issue type")):
            if old is None and not fields.get(field):
                raise self.tool.refuse(400, f"{field}: Specify a valid {word}.")
        if any(" " in label for label in parts(fields, "labels")):
            raise self.tool.refuse(400, "labels: The label can't contain spaces.")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With a key in its project."""
        fields: Item = {"labels": [], "components": [], **(old or {}).get("fields", {}), **wanted.get("fields", {})}
        if old:
            return old | {"fields": fields}
        project = held(self.tool, fields["project"].get("key") or fields["project"].get("id", ""))
        id = self.collection.new_id()
        key = f"{project['key']}-{int(id) - 9_999}"
        return {"id": id, "key": key, "self": f"{self.tool.url}{self.path}/{id}", "fields": fields}

    def held(self, call: Call) -> Item:
        """By id or key."""
        found = self.collection.get(call.params["id"]) or self.collection.find("key", call.params["id"])
        if found is None:
            raise self.tool.refuse(404, "Issue does not exist or you do not have permission to see it.")
        return found

    def create(self, call: Call) -> Reply:
        """Says id and key."""
        item: Item = super().create(call).body
        return Reply(201, {name: item[name] for name in ("id", "key", "self")})

    def update(self, call: Call) -> Reply:
        """Says nothing."""
        super().update(call)
        return Reply(204)

    def labels(self, call: Call) -> Reply:
        """Every label that an issue has."""
        labels = {label for issue in self.collection.listed() for label in issue["fields"]["labels"]}
        return page(call, sorted(labels), "", same)
