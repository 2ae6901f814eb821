"""Grafana: folders, dashboards, search, and the SLO plugin of Grafana Cloud.

Rules are those of https://grafana.com/docs/grafana/latest/developers/http_api: a dashboard is saved over another
version only with `overwrite` (412 otherwise), titles are unique in a folder, uids in all.
"""

from __future__ import annotations

import re

from nthlayer_sync.sandbox.collection import Item, Shape, TakenError, part, parts
from nthlayer_sync.sandbox.ids import LOWER, IdMaker, token
from nthlayer_sync.sandbox.paging import numbered
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.resource import Resource
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply, Tool

_CHANGED = {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
_NAMED = {"message": "A dashboard with the same name in the folder already exists", "status": "name-exists"}
_SLO = "/api/plugins/grafana-slo-app/resources/v1/slo"


class Grafana(Tool):
    """The stand-in of a Grafana."""

    name = "grafana"
    host = "https://example.grafana.net"
    token = "sandbox-grafana"  # noqa: S105 - it opens nothing but the sandbox

    def serve(self) -> None:
        """Make the collections and routes."""
        self.folders = Folders(self)
        self.dashboards = Dashboards(self)
        Slos(self)
        self.route("GET", "/api/search", self._search)
        self.route("GET", "/api/health", lambda call: Reply(200, {"database": "ok", "version": "11.6.0", "commit": ""}))

    def ids(self, name: str) -> IdMaker:
        """14 small letters and digits."""
        return token(LOWER, 14, "", f"{self.seed}{name}")

    def _search(self, call: Call) -> Reply:
        kind, query = call.asked("type"), call.asked("query").casefold()
        tags, inside = set(call.query.get("tag", [])), call.query.get("folderUIDs", [])
        uids = call.query.get("dashboardUIDs", [])
        found: list[Item] = []
        if kind in ("", "dash-folder") and not tags:
            folders = self.folders.collection.listed()
            found += [_hit("dash-folder", each, None) for each in folders if not inside]
        if kind in ("", "dash-db"):
            for held in self.dashboards.collection.listed():
                if tags <= set(held["dashboard"].get("tags") or []) and (not inside or held["folderUid"] in inside):
                    found.append(_hit("dash-db", held, self.folders.collection.get(held["folderUid"])))
        found = [hit for hit in found if query in hit["title"].casefold() and (not uids or hit["uid"] in uids)]
        found.sort(key=lambda hit: (hit["type"] == "dash-db", hit["title"].casefold(), hit["uid"]))
        return numbered(1000, 5000, ("page", "limit"))(call, found, "", lambda hit: hit)


def _hit(kind: str, item: Item, folder: Item | None) -> Item:
    title = item["title"]
    tags = parts(part(item, "dashboard"), "tags")
    where = {"folderId": folder["id"], "folderUid": folder["uid"]} if folder else {}
    if folder:
        where |= {"folderTitle": folder["title"], "folderUrl": folder["url"]}
    shown: Item = {"id": item["id"], "uid": item["uid"], "title": title, "uri": f"db/{_slug(title)}", "slug": ""}
    return {**shown, "url": item["url"], "type": kind, "tags": tags, "isStarred": False, "sortMeta": 0, **where}


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "_"


class Folders(Resource):
    """Folders, one level or nested."""

    name = "folders"
    path = "/api/folders"
    key = "uid"
    title = "title"
    required = ("title",)
    created = 200
    deleted = 200
    page = staticmethod(numbered(1000, 1000, ("page", "limit")))

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Unique among its neighbours; changed only from the version that is there."""
        parent = (old or wanted).get("parentUid", "")
        if parent and self.collection.get(parent) is None:
            raise self.tool.refuse(400, "parent folder not found")
        title = str(wanted.get("title", "")).casefold()
        for other in self.collection.listed():
            same = other["title"].casefold() == title and other.get("parentUid", "") == parent
            if same and (old is None or other["uid"] != old["uid"]):
                raise self.tool.refuse(409, "a folder with the same name already exists in the current location")
        if old and not wanted.get("overwrite") and wanted.get("version") != old["version"]:
            raise self.tool.refuse(412, "the folder has been changed by someone else")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With who may do what, and when."""
        uid = old["uid"] if old else wanted.get("uid") or self.collection.new_id()
        now, title = self.tool.time(), wanted["title"]
        rights: Item = {"hasAcl": False, "canSave": True, "canEdit": True, "canAdmin": True, "canDelete": True}
        own: Item = {"id": old["id"] if old else len(self.collection) + 1, "orgId": 1, "uid": uid, "title": title}
        own |= {"url": f"/dashboards/f/{uid}/{_slug(title)}", "version": old["version"] + 1 if old else 1}
        own |= {
            "created": old["created"] if old else now,
            "updated": now,
            "createdBy": "sandbox",
            "updatedBy": "sandbox",
        }
        parent = (old or wanted).get("parentUid")
        return rights | own | ({"parentUid": parent} if parent else {})

    def taken(self, error: TakenError) -> RefusalError:
        """409."""
        return self.tool.refuse(409, "a folder with the same uid already exists")

    def summary(self, call: Call, item: Item) -> Item:
        """Four fields."""
        return {name: item[name] for name in ("id", "uid", "title", "parentUid") if name in item}

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """Those in a folder; those in none when none is named."""
        return [item for item in items if item.get("parentUid", "") == call.asked("parentUid")]

    def delete(self, call: Call) -> Reply:
        """With everything in it."""
        item = self.held(call)
        super().delete(call)
        dashboards = self.tool.collections["dashboards"]
        for held in [each for each in dashboards.everything() if each["folderUid"] == item["uid"]]:
            dashboards.remove(held["uid"])
        return Reply(200, {"id": item["id"], "title": item["title"], "message": f"Folder {item['title']} deleted"})


class Dashboards:
    """Dashboards: one address to save, another to read."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.collection = tool.collection(
            Shape(name="dashboards", new_id=tool.ids("dashboards"), key="uid", title="title")
        )
        self._by_title: dict[tuple[str, str], str] = {}
        self._made = 0
        tool.route("POST", "/api/dashboards/db", self.save)
        tool.route("GET", "/api/dashboards/uid/{id}", self.read)
        tool.route("DELETE", "/api/dashboards/uid/{id}", self.delete)

    def save(self, call: Call) -> Reply:
        """Make or change."""
        body = call.fields()
        given: Item = dict(body.get("dashboard") or {})
        title, folder = str(given.get("title") or "").strip(), body.get("folderUid") or ""
        if not title:
            raise self.tool.refuse(400, "Dashboard title cannot be empty")
        uid = given.get("uid") or ""
        if len(uid) > 40 or not re.fullmatch(r"[a-zA-Z0-9_-]*", uid):
            raise self.tool.refuse(400, "uid contains illegal characters or is longer than 40 characters")
        if folder and self.tool.collections["folders"].get(folder) is None:
            raise self.tool.refuse(404, "folder not found")
        old, overwrite = self.collection.get(uid), bool(body.get("overwrite"))
        if given.get("id") and (old is None or old["id"] != given["id"]):
            raise self.tool.refuse(404, "Dashboard not found")
        if old and not overwrite and given.get("version") != old["version"]:
            raise RefusalError(Reply(412, _CHANGED))
        other = self.collection.get(self._by_title.get((folder, title.casefold()), ""))
        if (
            other
            and other["uid"] != uid
            and other["folderUid"] == folder
            and other["title"].casefold() == title.casefold()
        ):
            raise RefusalError(Reply(412, _NAMED))
        item = self._stored(given | {"title": title}, folder, old)
        self._by_title[(folder, title.casefold())] = item["uid"]
        said = {name: item[name] for name in ("id", "uid", "url", "version", "folderUid")}
        return Reply(200, {**said, "status": "success", "title": title, "slug": _slug(title)})

    def read(self, call: Call) -> Reply:
        """The dashboard and what is known of it."""
        held = self._held(call)
        folder = self.tool.collections["folders"].get(held["folderUid"])
        meta: Item = {"type": "db", "canSave": True, "canEdit": True, "canAdmin": True, "canStar": True}
        meta |= {"canDelete": True, "slug": _slug(held["title"]), "url": held["url"], "version": held["version"]}
        meta |= {"created": held["created"], "updated": held["updated"], "createdBy": "sandbox", "updatedBy": "sandbox"}
        meta |= {"hasAcl": False, "isFolder": False, "folderId": folder["id"] if folder else 0, "provisioned": False}
        meta |= {"folderUid": held["folderUid"], "folderTitle": folder["title"] if folder else "General"}
        meta |= {"folderUrl": folder["url"] if folder else "", "provisionedExternalId": ""}
        return Reply(200, {"dashboard": held["dashboard"], "meta": meta})

    def delete(self, call: Call) -> Reply:
        """Remove one."""
        held = self.collection.remove(self._held(call)["uid"])
        return Reply(200, {"id": held["id"], "title": held["title"], "message": f"Dashboard {held['title']} deleted"})

    def _held(self, call: Call) -> Item:
        held = self.collection.get(call.params["id"])
        if held is None:
            raise self.tool.refuse(404, "Dashboard not found")
        return held

    def _stored(self, given: Item, folder: str, old: Item | None) -> Item:
        uid = given.get("uid") or self.collection.new_id()
        if old is None:
            self._made += 1
        id, version, now = old["id"] if old else self._made, old["version"] + 1 if old else 1, self.tool.time()
        item: Item = {"uid": uid, "id": id, "version": version, "title": given["title"], "folderUid": folder}
        item |= {"url": f"/d/{uid}/{_slug(given['title'])}", "created": old["created"] if old else now, "updated": now}
        item["dashboard"] = given | {"uid": uid, "id": id, "version": version}
        return self.collection.replace(uid, item) if old else self.collection.add(item)


class Slos(Resource):
    """SLOs of the plugin. A create and an update are accepted (202) and carried out afterwards."""

    name = "slos"
    path = _SLO
    many = "slos"
    key = "uuid"
    required = ("name", "description", "query", "objectives")
    created = 202

    def missing(self, fields: list[str]) -> RefusalError:
        """In the plugin's shape."""
        return RefusalError(Reply(400, {"code": 400, "error": f"{', '.join(fields)} required"}))

    def absent(self, id: str) -> RefusalError:
        """In the plugin's shape."""
        return RefusalError(Reply(404, {"code": 404, "error": "slo not found"}))

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Objectives between 0 and 1, over a window in days."""
        objectives: list[Item] = wanted.get("objectives", [])
        for objective in objectives:
            if not 0 < objective.get("value", 0) < 1 or not re.fullmatch(r"\d+[dw]", str(objective.get("window"))):
                raise RefusalError(Reply(400, {"code": 400, "error": "invalid objective"}))

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """With a uuid and what the server knows of it."""
        given = {name: value for name, value in wanted.items() if name != "readOnly"}
        created = old["readOnly"]["creationTimestamp"] if old else int(self.tool.now().timestamp() * 1000)
        uuid = old["uuid"] if old else wanted.get("uuid") or self.collection.new_id()
        status: Item = {"type": "created", "message": ""}
        read_only: Item = {"creationTimestamp": created, "status": status, "allowedActions": ["write", "delete"]}
        read_only["drillDownDashboardRef"] = {"UID": f"grafana_slo_app-{uuid}"}
        nothing: Item = {"labels": [], "alerting": {}}
        return {**nothing, **given, "uuid": uuid, "readOnly": read_only}

    def create(self, call: Call) -> Reply:
        """Says the uuid only."""
        reply = super().create(call)
        return Reply(202, {"uuid": reply.body["uuid"], "message": "SLO created"})

    def update(self, call: Call) -> Reply:
        """Says nothing."""
        super().update(call)
        return Reply(202)

    def targets(self, item: Item) -> list[Where]:
        """The folder."""
        uid = part(item, "folder").get("uid")
        return [("folders", uid)] if uid else []
