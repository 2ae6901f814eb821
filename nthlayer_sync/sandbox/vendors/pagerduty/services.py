"""Services, their integrations, and which depends on which."""

from __future__ import annotations

from nthlayer_sync.sandbox.collection import Item, Shape
from nthlayer_sync.sandbox.ids import HEXADECIMAL, UPPER, token
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.tool import Call, Reply, Tool
from nthlayer_sync.sandbox.vendors.pagerduty.shape import Shared, reference

_DEFAULTS: Item = {
    "auto_resolve_timeout": 14400,
    "acknowledgement_timeout": 1800,
    "status": "active",
    "alert_creation": "create_alerts_and_incidents",
    "incident_urgency_rule": {"type": "constant", "urgency": "high"},
    "support_hours": None,
    "scheduled_actions": [],
    "addons": [],
}


class Services(Shared):
    """What incidents are about; names are unique."""

    name = "services"
    path = "/services"
    one = "service"
    many = "services"
    unique = ("name",)
    required = ("name", "escalation_policy")

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Limits on time-outs."""
        for field in ("auto_resolve_timeout", "acknowledgement_timeout"):
            value = wanted.get(field)
            if value is not None and (not isinstance(value, int) or value < 0):
                raise self.tool.refuse(400, f"{field.replace('_', ' ').capitalize()} must be a number of seconds")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With the defaults of a new service; the teams are those of the policy."""
        item = _DEFAULTS | self.made(wanted, old)
        for field in ("auto_resolve_timeout", "acknowledgement_timeout"):
            item[field] = item[field] or None
        item["created_at"] = old["created_at"] if old else self.tool.time()
        policy = self.target("escalation_policies", item["escalation_policy"], "Escalation policy")
        return item | {"escalation_policy": reference(policy)}

    def targets(self, item: Item) -> list[Where]:
        """The policy."""
        return [("escalation_policies", item["escalation_policy"]["id"])]

    def shown(self, call: Call, item: Item) -> Item:
        """With the policy's teams and the integrations."""
        policy = self.tool.collections["escalation_policies"].get(item["escalation_policy"]["id"])
        integrations = self.tool.collections["integrations"].listed(item["id"])
        shown: Item = item | {"teams": policy["teams"] if policy else []}
        return shown | {"integrations": [reference(each) for each in integrations]}


class Integrations(Shared):
    """How alerts come into a service. They cannot be deleted over the API."""

    name = "integrations"
    path = "/services/{parent}/integrations"
    parent = "services"
    one = "integration"
    methods = ("POST", "GET", "PUT", "", "")

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """The type says which kind it is."""
        if old is None and not str(wanted.get("type", "")).removesuffix("_reference").endswith("integration"):
            raise self.tool.refuse(400, "Type is invalid")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """A key to send events with, and the service."""
        service = self.tool.collections["services"].get(call.params["parent"])
        kind = old["type"] if old else wanted["type"].removesuffix("_reference")
        item = self.made({"name": kind.replace("_", " ").capitalize(), **wanted}, old)
        address = f"{self.tool.url}/services/{call.params['parent']}/integrations/{item['id']}"
        item |= {"type": kind, "self": address, "html_url": address, "service": reference(service or {})}
        if "email" not in kind:
            item["integration_key"] = token(HEXADECIMAL, 32, "", item["id"])(0)
        return item | {"created_at": old["created_at"] if old else self.tool.time()}


class ServiceDependencies:
    """Which service leans on which."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        new_id = token(UPPER, 15, "D", tool.seed)
        self.collection = tool.collection(Shape(name="service_dependencies", new_id=new_id, title="id"))
        tool.route("POST", "/service_dependencies/associate", self.associate)
        tool.route("POST", "/service_dependencies/disassociate", self.disassociate)
        tool.route("GET", "/service_dependencies/technical_services/{id}", self.of)
        self._by_pair: dict[tuple[str, str], str] = {}

    def associate(self, call: Call) -> Reply:
        """Add those that are not there yet."""
        pairs = [self._pair(each) for each in self._wanted(call)]
        return Reply(200, {"relationships": [self._kept(pair) for pair in pairs]})

    def disassociate(self, call: Call) -> Reply:
        """Remove those that are there."""
        found = [self._held(self._pair(each)) for each in self._wanted(call)]
        gone = [item for item in found if item]
        for item in gone:
            self.collection.remove(item["id"])
            self.tool.references.set((self.collection.shape.name, item["id"]), ())
        return Reply(200, {"relationships": gone})

    def of(self, call: Call) -> Reply:
        """Those of one service, in both directions."""
        id = call.params["id"]
        if self.tool.collections["services"].get(id) is None:
            raise self.tool.refuse(404)
        owners = self.tool.references.owners(("services", id), self.collection.shape.name)
        return Reply(200, {"relationships": [item for each in owners if (item := self.collection.get(each))]})

    def _wanted(self, call: Call) -> list[Item]:
        wanted: list[Item] = call.fields().get("relationships") or []
        if not wanted:
            raise self.tool.refuse(400, "Relationships can't be blank")
        return wanted

    def _pair(self, given: Item) -> tuple[str, str]:
        pair = (str(given["supporting_service"]["id"]), str(given["dependent_service"]["id"]))
        if any(self.tool.collections["services"].get(id) is None for id in pair):
            raise self.tool.refuse(400, "Service not found")
        if pair[0] == pair[1]:
            raise self.tool.refuse(400, "A service cannot depend on itself")
        return pair

    def _held(self, pair: tuple[str, str]) -> Item | None:
        id = self._by_pair.get(pair)
        return self.collection.get(id) if id else None

    def _kept(self, pair: tuple[str, str]) -> Item:
        held = self._held(pair)
        if held is None:
            names = ("supporting_service", "dependent_service")
            ends = {
                name: {"id": id, "type": "technical_service_reference"} for name, id in zip(names, pair, strict=True)
            }
            held = self.collection.add({**ends, "type": "service_dependency"})
            self._by_pair[pair] = held["id"]
            where = (self.collection.shape.name, held["id"])
            self.tool.references.set(where, [("services", id) for id in pair])
        return held
