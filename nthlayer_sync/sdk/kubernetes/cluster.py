"""One cluster: single objects of it, over the API server, with server-side apply.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Answer, Call, Conflict, NotThere, Tool, Unsure, at
from nthlayer_sync.sdk.kubernetes.form import MANAGED_BY, Form, Object, part
from nthlayer_sync.sdk.ownership import MARK

PAGE = 500
"""Objects of one answer, as kubectl asks for."""
_LISTS = 3
"""Tries to list a collection, when the server forgets what the pages are of."""
_NAMED = 5
"""Fields that the error about a conflict names."""

Open = Callable[[], Awaitable[Tool]]
"""Gives the way to the cluster; it may have to look up how to be let in first."""


class Moved(TemporaryError):
    """The object is no longer the one that was read."""


class Cluster:
    """Reads, applies and deletes objects."""

    def __init__(self, open: Open) -> None:
        self._open = open

    async def get(self, form: Form, namespace: str, name: str) -> Object | None:
        """One object, None when it is not there."""
        try:
            return _held(_object(await self._ask(Call(path=_path(form, namespace, name)))))
        except NotThere:
            return None

    async def marked(self, form: Form) -> list[Object]:
        """Every object in the cluster that bears our mark."""
        for _ in range(_LISTS):
            try:
                return [each async for page in self._pages(form) for each in page]
            except _Expired:
                continue  # the server forgot the state that the pages are of: from the start, in the present one
        raise TemporaryError(f"{form.plural}: the list changes faster than it can be read")

    async def apply(self, form: Form, wanted: Object, *, force: bool, rehearse: bool = False) -> Object:
        """Have the server merge `wanted` into what is there, as ours; `rehearse` changes nothing.

        Moved when `metadata.resourceVersion` of `wanted` is not the present one. PermanentError, naming field and
        manager, where somebody else manages a field and wants something else of it; `force` takes such fields over.
        """
        namespace, name = wanted["metadata"]["namespace"], wanted["metadata"]["name"]
        query = [("fieldManager", MARK), ("fieldValidation", "Strict"), ("force", str(force).lower())]
        call = Call(
            path=_path(form, namespace, name),
            method="PATCH",
            query=[*query, ("dryRun", "All")] if rehearse else query,
            data=msgspec.json.encode(wanted),  # JSON is YAML
            content_type="application/apply-patch+yaml",
            safe=True,
        )
        try:
            made = _object(await self._change(call))
        except NotThere as error:
            missing = f"the namespace {namespace} does not exist, and is not made here"
            raise PermanentError(missing if f'namespaces \\"{namespace}' in str(error) else str(error)) from None
        except Conflict as error:
            raise _conflict(error) from None
        return made if rehearse else _held(made)

    async def delete(self, form: Form, live: Object) -> None:
        """Delete exactly what was read; Moved when that is no longer what is there."""
        metadata = live["metadata"]
        options: Object = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
            "propagationPolicy": "Background",
        }
        try:
            answer = await self._change(
                Call(path=_path(form, metadata["namespace"], metadata["name"]), method="DELETE", json=options)
            )
        except NotThere:
            return
        except Conflict as error:
            raise Moved(str(error)) from None
        if finalizers := part(_object(answer), "metadata").get("finalizers"):
            raise Unsure(f"{form.kind} {metadata['name']} is going, but waits for {', '.join(finalizers)}", delay=60)

    async def _pages(self, form: Form) -> AsyncIterator[list[Object]]:
        after = ""
        while True:
            query = [("labelSelector", f"{MANAGED_BY}={MARK}"), ("limit", str(PAGE))]
            try:
                answer = await self._ask(
                    Call(path=at(*form.base, form.plural), query=[*query, ("continue", after)] if after else query)
                )
            except NotThere as error:
                if after:
                    raise _Expired from None
                raise PermanentError(f"the cluster knows no {form.kind} of {form.api}: {error}") from None
            body = _object(answer)
            items: Any = body.get("items") or []
            yield [_held(each) for each in items]
            after = part(body, "metadata").get("continue") or ""
            if not after:
                return

    async def _ask(self, call: Call) -> Answer:
        return await (await self._open()).ask(call)

    async def _change(self, call: Call) -> Answer:
        tool = await self._open()
        try:
            return await tool.ask(call)
        except TemporaryError as error:
            raise Unsure(str(error), delay=error.delay) from None


class _Expired(Exception):
    """410: the server no longer has the state that a list was begun in."""


def _path(form: Form, namespace: str, name: str) -> str:
    return at(*form.base, "namespaces", namespace, form.plural, name)


def _object(answer: Answer) -> Object:
    body = answer.json()
    if not isinstance(body, dict):
        raise PermanentError("the API server answers with something that is no object; is its address right?")
    return body  # pyright: ignore[reportUnknownVariableType]


def _held(given: Any) -> Object:
    """An object that says which one it is, as all do that the server keeps."""
    try:
        msgspec.convert(given, _Kept)
    except msgspec.ValidationError as error:
        raise PermanentError(f"the API server answers with something that is no object it keeps: {error}") from None
    return given


def _conflict(error: Conflict) -> PermanentError | Moved:
    """What a 409 means: a field that is somebody else's, or an object that moved."""
    try:
        status = msgspec.json.decode(error.body, type=_Status)
    except msgspec.DecodeError:
        return PermanentError(str(error))
    causes = [cause for cause in status.details.causes if cause.reason == "FieldManagerConflict"]
    if not causes:
        return Moved(f"{status.message or error}"[:500])
    fields = sorted({f"{cause.field.lstrip('.')} is {cause.manager}'s" for cause in causes})
    more = f" and {len(fields) - _NAMED} more" if len(fields) > _NAMED else ""
    return PermanentError(
        f"somebody else manages what we want to set: {', '.join(fields[:_NAMED])}{more};"
        " have them give it up, or set drift to enforce"
    )


class _Identity(msgspec.Struct, rename="camel"):
    name: str
    namespace: str
    uid: str
    resource_version: str


class _Kept(msgspec.Struct):
    metadata: _Identity


class _Cause(msgspec.Struct):
    """One reason of a refusal."""

    reason: str = ""
    message: str = ""
    field: str = ""

    @property
    def manager(self) -> str:
        """Who manages the field: the server says it in its message only, in quotes."""
        return (self.message.split('"')[1:2] or ["somebody"])[0][:100]


class _Details(msgspec.Struct):
    causes: list[_Cause] = []


class _Status(msgspec.Struct):
    """https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/"""

    message: str = ""
    details: _Details = msgspec.field(default_factory=_Details)
