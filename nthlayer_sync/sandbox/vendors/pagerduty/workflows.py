"""Incident workflows and what starts them."""

from __future__ import annotations

from typing import Any

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.ids import IdMaker, uuid
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.tool import Call, Reply, Tool
from nthlayer_sync.sandbox.vendors.pagerduty.shape import Shared, reference

_TYPES = {"manual": "Manual Trigger", "conditional": "Conditional Trigger", "incident_type": "Incident Type Trigger"}


class Workflows(Shared):
    """Steps that run in an incident; two may have the same name."""

    name = "incident_workflows"
    path = "/incident_workflows"
    one = "incident_workflow"
    many = "incident_workflows"
    required = ("name",)

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Every step has a name and an action."""
        steps: list[Item] = wanted.get("steps") or []
        for step in steps:
            if not step.get("name") or not step.get("action_configuration", {}).get("action_id"):
                raise self.tool.refuse(400, "Steps need a name and an action")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """Steps have ids."""
        item: Item = {"is_enabled": True, **self.made(wanted, old)}
        item["steps"] = [self._step(step) for step in item.get("steps") or ()]
        if item.get("team"):
            item["team"] = reference(self.target("teams", item["team"], "Team"))
        return item | {"created_at": old["created_at"] if old else self.tool.time()}

    def targets(self, item: Item) -> list[Where]:
        """The team."""
        return [("teams", item["team"]["id"])] if item.get("team") else []

    def summary(self, call: Call, item: Item) -> Item:
        """Without steps, unless they are asked for."""
        if "steps" in call.query.get("include[]", ()):
            return item
        return {name: value for name, value in item.items() if name != "steps"}

    def _step(self, step: Item) -> Item:
        action: Any = step["action_configuration"]
        return {
            "id": step.get("id") or self.collection.new_id(),
            "type": "step",
            "name": step["name"],
            "description": step.get("description") or "",
            "action_configuration": {"inputs": [], "outputs": [], **action},
        }

    def delete(self, call: Call) -> Reply:
        """With its triggers."""
        item = self.held(call)
        triggers = self.tool.references.owners((self.name, item["id"]), "triggers")
        reply = super().delete(call)
        for id in triggers:
            self.tool.collections["triggers"].remove(id)
            self.tool.references.set(("triggers", id), ())
        return reply


class Triggers(Shared):
    """What starts a workflow, and for which services."""

    name = "triggers"
    path = "/incident_workflows/triggers"
    one = "trigger"
    many = "triggers"
    title = "id"
    required = ("trigger_type", "workflow")

    def __init__(self, tool: Tool) -> None:
        super().__init__(tool)
        tool.route("POST", "/incident_workflows/triggers/{id}/services", self.attach)
        tool.route("DELETE", "/incident_workflows/triggers/{id}/services/{service}", self.detach)

    def ids(self) -> IdMaker:
        """UUIDs."""
        return uuid(f"{self.tool.seed}/triggers")

    def order(self) -> Any:
        """By creation."""
        return None

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """A known type; a condition where the type has one."""
        kind = wanted.get("trigger_type") or (old or {}).get("trigger_type")
        if kind not in _TYPES:
            raise self.tool.refuse(400, "Trigger type is invalid")
        if kind == "conditional" and not (wanted.get("condition") or (old or {}).get("condition")):
            raise self.tool.refuse(400, "Condition can't be blank")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """The workflow and the services are references."""
        item: Item = {"is_subscribed_to_all_services": False, "is_disabled": False, **self.made(wanted, old)}
        workflow = self.target("incident_workflows", item["workflow"], "Workflow")
        item["workflow"] = {name: workflow[name] for name in _OF_WORKFLOW} | {"type": "workflow_reference"}
        services: list[Item] = self.all_of("services", item.get("services"), "Service")
        item["services"] = [service | {"type": "service"} for service in services]
        del item["summary"], item["html_url"]
        item |= {"type": "workflow_trigger", "trigger_type_name": _TYPES[item["trigger_type"]]}
        return item | {"trigger_url": f"{item['self']}/start"} if item["trigger_type"] == "manual" else item

    def targets(self, item: Item) -> list[Where]:
        """The workflow and the services."""
        services = [("services", service["id"]) for service in item["services"]]
        return [("incident_workflows", item["workflow"]["id"]), *services]

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """Those of a workflow or of a service."""
        workflow, service = call.asked("workflow_id"), call.asked("service_id")
        if workflow:
            items = [item for item in items if item["workflow"]["id"] == workflow]
        if service:
            items = [item for item in items if service in {each["id"] for each in item["services"]}]
        return items

    def list(self, call: Call) -> Reply:
        """By cursor: the number of the next object."""
        items = self.matches(call, self.collection.listed())
        limit, start = min(call.number("limit", 25), 100), call.number("cursor", 0)
        body: Item = {"triggers": items[start : start + limit], "limit": limit, "more": start + limit < len(items)}
        return Reply(200, body | ({"next_cursor": str(start + limit)} if body["more"] else {}))

    def attach(self, call: Call) -> Reply:
        """Add a service."""
        old = self.held(call)
        service = reference(self.target("services", call.fields().get("service"), "Service")) | {"type": "service"}
        others = [each for each in old["services"] if each["id"] != service["id"]]
        return self._changed(old, [*others, service], 201)

    def detach(self, call: Call) -> Reply:
        """Remove a service."""
        old = self.held(call)
        left = [each for each in old["services"] if each["id"] != call.params["service"]]
        if len(left) == len(old["services"]):
            raise self.tool.refuse(404)
        self._changed(old, left, 204)
        return Reply(204)

    def _changed(self, old: Item, services: list[Item], status: int) -> Reply:
        item = self.collection.replace(old["id"], old | {"services": services})
        self.tool.references.set((self.name, item["id"]), self.targets(item))
        return Reply(status, self.wrapped(item))


_OF_WORKFLOW = ("id", "name", "self", "html_url")
