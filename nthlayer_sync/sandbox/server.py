"""One tool on its port: what happens to a request before and after its handler."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from typing import Any
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from nthlayer_sync.sandbox.faults import Fault, rewritten
from nthlayer_sync.sandbox.ledger import Entry, Ledger, mark_in
from nthlayer_sync.sandbox.tool import Call, Exchange, RefusalError, Reply, Tool

_log = logging.getLogger(__name__)
_NOTHING: dict[str, list[str]] = {}
_LARGEST_BODY = 16 * 1024 * 1024


class Server:
    """Listens for one tool."""

    def __init__(self, tool: Tool, ledger: Ledger) -> None:
        self.tool = tool
        self._ledger = ledger
        self._buckets = _Buckets(tool)
        self._runner: web.ServerRunner | None = None

    async def start(self, port: int) -> None:
        """Listen on loopback; port 0 takes a free one."""
        server = web.Server(self._handle, access_log=None, request_factory=_request)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        try:
            await site.start()
        except OSError:
            await self.stop()
            raise
        self.tool.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        method, path = request.method, request.rel_url.raw_path
        write = self.tool.is_write(method, path)
        self._ledger.count(self.tool.name, self.tool.clock(), write=write)
        body = await request.read()
        met = self.tool.faults.met(method, path)
        answering = next((fault for fault in met if fault.answers), None)
        for fault in met:
            if fault.wipe:
                self.tool.wipe(fault.wipe)
            if fault.delay and not fault.commit:
                await asyncio.sleep(fault.delay)
        # From here to the entry in the ledger nothing waits: requests take effect one after the other.
        reply = _answer(answering) if answering else Reply()
        self.tool.touched.clear()
        if answering is None or answering.commit:
            own = self._replied(request, method, path, body, met)
            reply = reply if answering else own
        _encode(reply)
        if self.tool.watch and not answering:
            headers = request.headers
            self.tool.watch(Exchange(self.tool, method, path, request.rel_url.raw_query_string, headers, body, reply))
        if write:
            self._note(method, path, body, 0 if answering and answering.reset else reply.status)
        for fault in met:
            if fault.delay and fault.commit:
                await asyncio.sleep(fault.delay)
        if answering and answering.reset:
            return _broken(request)
        response = web.Response(body=reply.body, status=reply.status, headers=reply.headers)
        return await _cut(request, response) if any(fault.cut for fault in met) else response

    def _replied(self, request: web.BaseRequest, method: str, path: str, body: bytes, met: list[Fault]) -> Reply:
        tool = self.tool
        wait = self._buckets.wait(path)
        if wait:
            self._ledger.of(tool.name).limited += 1
            return tool.limited(wait)
        if not tool.authorised(request.headers):
            return tool.unauthorised()
        found = tool.matched(method, path)
        if found is None:
            return tool.refused(404, "Not Found")
        handler, params = found
        query = request.rel_url.raw_query_string
        call = Call(
            method, path, params, parse_qs(query, keep_blank_values=True) if query else _NOTHING, request.headers
        )
        try:
            call.body = self._decoded(request, body)
            for fault in met:
                call.body = rewritten(call.body, fault)
            reply = handler(call)
        except RefusalError as refusal:
            return refusal.reply
        except msgspec.DecodeError:
            return tool.refused(400, "The body is no JSON")
        except Exception:
            # A bug of the sandbox; the client gets what a broken server says, the person at the sandbox the reason.
            _log.exception("%s: %s %s", tool.name, method, path)
            return tool.refused(500, "Internal Server Error")
        return self._conditional(request, reply) if tool.etags and method == "GET" else reply

    def _decoded(self, request: web.BaseRequest, body: bytes) -> Any:
        if not body:
            return None
        if self.tool.forms and request.content_type == "application/x-www-form-urlencoded":
            return {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        return msgspec.json.decode(body)

    def _conditional(self, request: web.BaseRequest, reply: Reply) -> Reply:
        if reply.status == 200:
            reply.body = msgspec.json.encode(reply.body)
            etag = f'W/"{hashlib.sha256(reply.body).hexdigest()}"'
            if request.headers.get("If-None-Match") == etag:
                reply = Reply(304)
            reply.headers["ETag"] = etag
        return reply

    def _note(self, method: str, path: str, body: bytes, status: int) -> None:
        touched = self.tool.touched[0] if self.tool.touched else None
        entry = Entry(
            time=time.time(),
            tool=self.tool.name,
            method=method,
            path=path,
            collection=touched.collection if touched else "",
            id=touched.id if touched else "",
            name=touched.name if touched else "",
            status=status,
            committed=touched is not None,
            mark=mark_in(body),
        )
        self._ledger.entries.append(entry)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    return web.BaseRequest(message, payload, protocol, writer, task, task.get_loop(), client_max_size=_LARGEST_BODY)


class _Buckets:
    """A token bucket for each limit of a tool."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._held: dict[str, tuple[float, float]] = {}

    def wait(self, path: str) -> int:
        """Whole seconds until a request is welcome; 0 takes a token."""
        limit = self._tool.limit(path)
        if not limit.rate:
            return 0
        now = self._tool.clock()
        tokens, at = self._held.get(limit.key, (limit.burst, now))
        tokens = min(limit.burst, tokens + (now - at) * limit.rate)
        enough = tokens >= 1
        self._held[limit.key] = (tokens - 1 if enough else tokens, now)
        return 0 if enough else max(math.ceil((1 - tokens) / limit.rate), 1)


def _answer(fault: Fault) -> Reply:
    body = fault.body.encode() if isinstance(fault.body, str) else fault.body
    headers = {"Content-Type": "text/html; charset=utf-8"} if isinstance(body, bytes) else {}
    if fault.retry_after:
        headers["Retry-After"] = fault.retry_after
    return Reply(fault.status, body, headers)


def _encode(reply: Reply) -> None:
    if reply.body is None:
        return
    if not isinstance(reply.body, bytes):
        reply.body = msgspec.json.encode(reply.body)
    reply.headers.setdefault("Content-Type", "application/json")


def _broken(request: web.BaseRequest) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _cut(request: web.BaseRequest, response: web.Response) -> web.StreamResponse:
    body = response.body
    assert isinstance(body, bytes | None)
    half = web.StreamResponse(status=response.status, headers=response.headers)
    half.content_length = len(body or b"") or 2
    await half.prepare(request)
    await half.write((body or b"{}")[: max(half.content_length // 2, 1)])
    if request.transport:
        request.transport.close()
    return half
