"""The sandbox's own HTTP API, under `/_admin`: for a person with curl, or a test in another process.

GET    /_admin                            every tool: address, secret, settings, traffic
GET    /_admin/ledger                     {"entries": [...], "traffic": {tool: ...}}
DELETE /_admin/ledger                     forget what was written so far
POST   /_admin/reset                      everything as at the start
PATCH  /_admin/{tool}                     {"rate": requests a second, "lag": seconds}
GET    /_admin/{tool}/objects             every object, by collection
POST   /_admin/{tool}/objects/{name}      keep the objects of the body, as they are; ?scope= for their parent
DELETE /_admin/{tool}/objects[/{name}]    wipe all collections, or one
GET    /_admin/{tool}/faults              the rules
POST   /_admin/{tool}/faults              add one rule or a list of them
DELETE /_admin/{tool}/faults              remove every rule
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from nthlayer_sync.sandbox.collection import TakenError
from nthlayer_sync.sandbox.faults import Fault
from nthlayer_sync.sandbox.tool import Tool

if TYPE_CHECKING:
    from nthlayer_sync.sandbox.sandbox import Sandbox


class _Limits(msgspec.Struct, forbid_unknown_fields=True):
    rate: float | None = None
    lag: float | None = None


class Admin:
    """The admin API of one sandbox, on its own port."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the sandbox is not started")
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/_admin"

    async def start(self, port: int) -> None:
        """Listen on loopback."""
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[_explained])
        app.router.add_get("/_admin", self._overview)
        app.router.add_get("/_admin/ledger", self._ledger)
        app.router.add_delete("/_admin/ledger", self._forget)
        app.router.add_post("/_admin/reset", self._reset)
        app.router.add_patch("/_admin/{tool}", self._limit)
        app.router.add_get("/_admin/{tool}/objects", self._objects)
        app.router.add_post("/_admin/{tool}/objects/{name}", self._keep)
        app.router.add_delete("/_admin/{tool}/objects", self._wipe)
        app.router.add_delete("/_admin/{tool}/objects/{name}", self._wipe)
        app.router.add_get("/_admin/{tool}/faults", self._faults)
        app.router.add_post("/_admin/{tool}/faults", self._add_faults)
        app.router.add_delete("/_admin/{tool}/faults", self._clear_faults)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close the port."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _overview(self, request: web.Request) -> web.Response:
        return _json(
            {
                name: {
                    "stands_for": tool.host,
                    "settings": tool.settings(),
                    "rate": tool.rate,
                    "lag": tool.lag,
                    "objects": _sizes(tool),
                }
                for name, tool in self._sandbox.tools.items()
            }
        )

    async def _ledger(self, request: web.Request) -> web.Response:
        ledger = self._sandbox.ledger
        return _json({"entries": ledger.entries, "traffic": ledger.traffic})

    async def _forget(self, request: web.Request) -> web.Response:
        self._sandbox.ledger.clear()
        return web.Response(status=204)

    async def _reset(self, request: web.Request) -> web.Response:
        self._sandbox.reset()
        return web.Response(status=204)

    async def _limit(self, request: web.Request) -> web.Response:
        tool = self._tool(request)
        limits = msgspec.json.decode(await request.read(), type=_Limits)
        tool.rate = tool.rate if limits.rate is None else limits.rate
        tool.lag = tool.lag if limits.lag is None else limits.lag
        return _json({"rate": tool.rate, "lag": tool.lag})

    async def _objects(self, request: web.Request) -> web.Response:
        return _json(self._tool(request).snapshot())

    async def _keep(self, request: web.Request) -> web.Response:
        collection = self._tool(request).collections.get(request.match_info["name"])
        if collection is None:
            raise web.HTTPNotFound(text="no such collection")
        items = msgspec.json.decode(await request.read(), type=list[dict[str, Any]])
        return _json([collection.add(item, request.query.get("scope", "")) for item in items], 201)

    async def _wipe(self, request: web.Request) -> web.Response:
        tool, name = self._tool(request), request.match_info.get("name", "")
        if name and name not in tool.collections:
            raise web.HTTPNotFound(text="no such collection")
        tool.wipe(name)
        return web.Response(status=204)

    async def _faults(self, request: web.Request) -> web.Response:
        return _json(self._tool(request).faults.all())

    async def _add_faults(self, request: web.Request) -> web.Response:
        faults = msgspec.json.decode(await request.read(), type=Fault | list[Fault])
        self._tool(request).faults.add(*([faults] if isinstance(faults, Fault) else faults))
        return web.Response(status=204)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._tool(request).faults.clear()
        return web.Response(status=204)

    def _tool(self, request: web.Request) -> Tool:
        tool = self._sandbox.tools.get(request.match_info["tool"])
        if tool is None:
            raise web.HTTPNotFound(text=f"tools are: {', '.join(self._sandbox.tools)}")
        return tool


@web.middleware
async def _explained(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except (msgspec.DecodeError, TakenError) as error:
        raise web.HTTPBadRequest(text=str(error)) from error


def _sizes(tool: Tool) -> dict[str, int]:
    return {name: len(collection) for name, collection in tool.collections.items()}


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
