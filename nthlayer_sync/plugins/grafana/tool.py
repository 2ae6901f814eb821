"""Grafana: dashboards, and the SLOs of Grafana Cloud (grafana.com/docs/grafana/latest/developers/http_api)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.sdk.http import Call, Conflict, Manners, Tool, at
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.rest import Collection, InText, Json, Numbered
from nthlayer_sync.sdk.rest.mark import WORD
from nthlayer_sync.sdk.rest.paging import dig

MANNERS = Manners(rate=10.0, burst=2, at_once=4)
"""Grafana names no limit; one process on one database bears this without notice."""

_BESIDE = ("folderUid", "url")
"""What an object here has beside the dashboard's own fields."""


@dataclass(frozen=True)
class InstanceTag:
    """As a tag that names the installation; the 50 letters of a tag have no room for the key, which the uid is."""

    def put(self, body: dict[str, Any], mark: str) -> None:
        """The last tag."""
        body["tags"] = [*body.get("tags", ()), mark.rpartition(":")[0]]

    def take(self, body: dict[str, Any]) -> str:
        """The first tag of an installation, with the uid."""
        tags: list[Any] = body.get("tags") or []
        marks = [tag for tag in tags if isinstance(tag, str) and tag.startswith(f"{WORD}:")]
        body["tags"] = [tag for tag in tags if tag not in marks]
        return f"{marks[0]}:{body['uid']}" if marks else ""


@dataclass(frozen=True)
class Dashboards(Collection):
    """Dashboards: found by a tag, read and removed by uid, saved only over the version that was read.

    An object is the dashboard with its folder and address beside its own fields. `folder` is where new ones go.
    """

    folder: str = ""

    async def get(self, tool: Tool, id: str) -> Json | None:
        """The dashboard, and where it is."""
        answer = await super().get(tool, id)
        if answer is None:
            return None
        return answer["dashboard"] | {name: dig(answer, f"meta.{name}") or "" for name in _BESIDE}

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """A new one in the folder; a dashboard that has the uid already is left as it is."""
        return await self._save(tool, {"dashboard": body, "folderUid": self.folder})

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Over the version that was read, in the folder where it is; TemporaryError when there is a newer one."""
        kept = {name: value for name, value in live.items() if name not in _BESIDE}
        try:
            return await self._save(tool, {"dashboard": kept | body, "folderUid": live["folderUid"]})
        except Conflict as error:
            raise TemporaryError(f"it changed since the plan; plan again: {error}") from None

    async def _save(self, tool: Tool, asked: Json) -> Json:
        call = Call(method="POST", path="/api/dashboards/db", json=asked | {"overwrite": False})
        answer: Json = (await tool.ask(call)).json()
        return {"uid": answer["uid"]}

    def item(self, id: str) -> str:
        """Where one is."""
        return "/api/dashboards/uid" + at(id)


class Slos(Collection):
    """SLOs: a write is accepted and carried out afterwards, so it answers with nothing but an id."""

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """All of it, with what others set."""
        sent = {"uuid": self.id_of(live)} | self.kept(live) | body
        await tool.ask(Call(method="PUT", path=self.item(self.id_of(live)), json=sent))
        return {"uuid": self.id_of(live)}


DASHBOARDS = Dashboards(
    "dashboards",
    "/api/search",
    id="uid",
    key="uid",
    mark=InstanceTag(),
    paging=Numbered(1000, "page", "limit"),
    query=(("type", "dash-db"), ("tag", MARK)),
    whole=False,
    echoes=False,
    url="url",
)
SLOS = Slos(
    "slos",
    "/api/plugins/grafana-slo-app/resources/v1/slo",
    many="slos",
    id="uuid",
    mark=InText(),
    keeps=("alerting", "folder", "labels", "searchExpression"),
    echoes=False,
    url="",
)
