"""Statuspage, API v1: one page with components, groups, incident templates, subscribers, access groups.

Rules are those of https://developer.statuspage.io: bodies are wrapped (`{"component": {...}}`), answers are not; a
list ends when a page of it is short; incident templates can be made and listed, not changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nthlayer_sync.sandbox.collection import Item, Shape, TakenError
from nthlayer_sync.sandbox.ids import LOWER, IdMaker, token
from nthlayer_sync.sandbox.paging import numbered
from nthlayer_sync.sandbox.people import ORGANISATION
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.resource import Resource
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply, Tool

PAGE = "sandboxpage1"
"""The id of the page that is there from the start."""
_STATUSES = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage", "")


class Statuspage(Tool):
    """The stand-in of https://api.statuspage.io."""

    name = "statuspage"
    host = "https://api.statuspage.io"
    base = "/v1"
    token = "sandbox-statuspage"  # noqa: S105 - it opens nothing but the sandbox

    def serve(self) -> None:
        """Make the collections and routes."""
        self.pages = self.collection(Shape(name="pages", new_id=self.ids("pages")))
        self.route("GET", "/v1/pages", lambda call: Reply(200, self.pages.listed()))
        self.route("GET", "/v1/pages/{id}", self._page)
        Components(self)
        Groups(self)
        Templates(self)
        Subscribers(self)
        AccessGroups(self)

    def seed_people(self) -> None:
        """The page; people have no account."""
        self.pages.add(
            {"id": PAGE, "name": ORGANISATION, "subdomain": ORGANISATION, "url": "", "time_zone": "UTC"}
            | {"created_at": self.time(), "updated_at": self.time()}
        )

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """An API key; its own scheme."""
        return headers.get("Authorization") == f"OAuth {self.token}"

    def refused(self, status: int, *messages: str) -> Reply:
        """One word for most, a list for what is invalid."""
        return Reply(status, {"error": list(messages) if status == 422 else "; ".join(messages)})

    def ids(self, name: str) -> IdMaker:
        """Twelve small letters and digits."""
        return token(LOWER, 12, "", f"{self.seed}{name}")

    def settings(self) -> dict[str, Any]:
        """With the page."""
        return {**super().settings(), "page": PAGE}

    def _page(self, call: Call) -> Reply:
        page = self.pages.get(call.params["id"])
        if page is None:
            raise self.refuse(404, "Not Found")
        return Reply(200, page)


class _Kind(Resource):
    """A collection of a page."""

    parent = "pages"
    methods = ("POST", "GET", "PATCH PUT", "DELETE", "GET")
    deleted = 200
    page = staticmethod(numbered(100, 100))

    def missing(self, fields: list[str]) -> RefusalError:
        """422."""
        return self.tool.refuse(422, *(f"{field.capitalize()} can't be blank" for field in fields))

    def taken(self, error: TakenError) -> RefusalError:
        """422."""
        return self.tool.refuse(422, f"{error.field.capitalize()} has already been taken")

    def wrapped(self, item: Any) -> Any:
        """Answers are not wrapped."""
        return item

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With times and the page."""
        id = old["id"] if old else self.collection.new_id()
        created = old["created_at"] if old else self.tool.time()
        own = {"id": id, "page_id": call.params["parent"], "created_at": created, "updated_at": self.tool.time()}
        return {**(old or {}), **wanted, **own}

    def known(self, ids: list[str]) -> list[str]:
        """Component ids that must be there."""
        components = self.tool.collections["components"]
        if unknown := [id for id in ids if components.get(id) is None]:
            raise self.tool.refuse(422, f"Components not found: {', '.join(unknown)}")
        return ids

    def delete(self, call: Call) -> Reply:
        """Answers with the object, where there is an answer."""
        item = self.held(call)
        reply = super().delete(call)
        return Reply(200, item) if reply.status == 200 else reply


class Components(_Kind):
    """What the page shows; two may have the same name."""

    name = "components"
    path = "/v1/pages/{parent}/components"
    one = "component"
    required = ("name",)
    deleted = 204

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """A known status and group."""
        if wanted.get("status", "") not in _STATUSES:
            raise self.tool.refuse(422, "Status is not included in the list")
        group = wanted.get("group_id")
        if group and self.tool.collections["component_groups"].get(group) is None:
            raise self.tool.refuse(422, "Group not found")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With the defaults of a new component, last on the page."""
        item = super().stored(call, wanted, old)
        defaults = {"description": None, "group_id": None, "showcase": True, "only_show_if_degraded": False}
        defaults |= {"status": "operational", "start_date": None, "group": False}
        defaults |= {"position": len(self.collection) + 1, "automation_email": f"component+{item['id']}@example.com"}
        item = defaults | item
        return item | {"name": str(item["name"]).strip(), "group_id": item["group_id"] or None}

    def targets(self, item: Item) -> list[Where]:
        """The group."""
        return [("component_groups", item["group_id"])] if item["group_id"] else []

    def order(self) -> Any:
        """By position."""
        return _position


def _position(item: Item) -> int:
    return item["position"]


class Groups(_Kind):
    """Components shown together. A group has one component at least."""

    name = "component_groups"
    path = "/v1/pages/{parent}/component-groups"
    one = "component_group"
    required = ("name", "components")

    def opened(self, call: Call) -> Item:
        """The description stands beside the group."""
        group = super().opened(call)
        return group | {"description": call.fields()["description"]} if "description" in call.fields() else group

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Known components."""
        self.known(wanted.get("components", []))

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """The components know their group."""
        item: Item = {"description": None, "position": len(self.collection) + 1, **super().stored(call, wanted, old)}
        components = self.tool.collections["components"]
        for component in list(components.listed(call.params["parent"])):
            inside = component["id"] in item["components"]
            if inside or component["group_id"] == item["id"]:
                components.replace(component["id"], component | {"group_id": item["id"] if inside else None})
        return item

    def delete(self, call: Call) -> Reply:
        """Its components stay."""
        reply = super().delete(call)
        components = self.tool.collections["components"]
        for id in reply.body["components"]:
            if component := components.get(id):
                components.replace(id, component | {"group_id": None})
        return reply


class Templates(_Kind):
    """Texts for incidents. The API makes and lists them, and no more."""

    name = "incident_templates"
    path = "/v1/pages/{parent}/incident_templates"
    one = "template"
    methods = ("POST", "", "", "", "GET")
    required = ("name", "title", "body")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With whole components."""
        ids = self.known(wanted.pop("component_ids", []))
        components = [self.tool.collections["components"].get(id) for id in ids]
        item: Item = {"group_id": None, "update_status": "investigating", "should_tweet": False}
        item |= {"should_send_notifications": False, **super().stored(call, wanted, old), "components": components}
        return {name: value for name, value in item.items() if name not in ("page_id", "created_at", "updated_at")}


class Subscribers(_Kind):
    """Who is told: by e-mail, text message or web hook."""

    name = "subscribers"
    path = "/v1/pages/{parent}/subscribers"
    one = "subscriber"
    title = "email"
    unique = ("email", "endpoint", "phone_number")
    methods = ("POST", "GET", "PATCH", "DELETE", "GET")

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """One address, and known components."""
        if old is None and not any(wanted.get(field) for field in self.unique):
            raise self.tool.refuse(422, "Email can't be blank")
        self.known(wanted.get("component_ids", []))

    def opened(self, call: Call) -> Item:
        """An update is not wrapped."""
        return super().opened(call) if call.method == "POST" else call.fields()

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """The mode follows from the address."""
        item = super().stored(call, wanted, old)
        mode = "email" if item.get("email") else "webhook" if item.get("endpoint") else "sms"
        components = item.pop("component_ids", None)
        for field in ("page_id", "updated_at"):
            del item[field]
        item["components"] = components if components is not None else item.get("components", [])
        return item | {"mode": mode, "quarantined_at": None, "purge_at": None}


class AccessGroups(_Kind):
    """Who sees which components of a page that is not public."""

    name = "page_access_groups"
    path = "/v1/pages/{parent}/page_access_groups"
    one = "page_access_group"
    unique = ("name",)
    required = ("name",)

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Known components."""
        self.known(wanted.get("component_ids", []))

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With empty lists."""
        nothing: Item = {"component_ids": [], "metric_ids": [], "page_access_user_ids": [], "external_identifier": None}
        return nothing | super().stored(call, wanted, old)
