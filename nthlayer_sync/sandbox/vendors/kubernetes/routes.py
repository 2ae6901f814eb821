"""The requests about one sort of object."""

from __future__ import annotations

import base64
import binascii
import copy
import re
from typing import TYPE_CHECKING, NoReturn

from nthlayer_sync.sandbox.collection import Item, part
from nthlayer_sync.sandbox.tool import Call, RefusalError, Reply
from nthlayer_sync.sandbox.vendors.kubernetes.fields import Manager, applied, conflicts, merged, updated
from nthlayer_sync.sandbox.vendors.kubernetes.objects import Held, Key
from nthlayer_sync.sandbox.vendors.kubernetes.sorts import Sort
from nthlayer_sync.sandbox.vendors.kubernetes.status import refusal, taken

if TYPE_CHECKING:
    from nthlayer_sync.sandbox.vendors.kubernetes import Kubernetes

_USER = "system:serviceaccount:operations:nthlayer-sync"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"


class Routes:
    """The requests about one sort of object."""

    def __init__(self, tool: Kubernetes, sort: Sort) -> None:
        self.tool = tool
        self.sort = sort
        base = f"/{'apis' if sort.group else 'api'}/{sort.api}"
        inside = f"{base}/namespaces/{{namespace}}/{sort.plural}"
        tool.route("GET", f"{base}/{sort.plural}", self.list)
        tool.route("GET", inside, self.list)
        tool.route("GET", f"{inside}/{{name}}", self.read)
        tool.route("POST", inside, self.create)
        tool.route("PATCH", f"{inside}/{{name}}", self.patch)
        tool.route("DELETE", f"{inside}/{{name}}", self.delete)

    def list(self, call: Call) -> Reply:
        """A page of those with the labels that are asked for."""
        self._allowed("list", call)
        objects, token = self.tool.objects, call.asked("continue")
        version, last = _decoded(token) if token else (objects.version, "")
        if version is None:
            raise self.tool.refuse(400, "continue key is not valid")
        if token and self.tool.expired(version):
            raise self.tool.refuse(
                410, "The provided continue parameter is too old to display a consistent list result."
            )
        found = [
            (key, held.shown())
            for key, held in objects.listed(self.sort.plural, call.params.get("namespace", ""))
            if f"{key[1]}/{key[2]}" > last and _chosen(held.item, call.asked("labelSelector"))
        ]
        size = call.number("limit", 0) or len(found)
        page, left = found[:size], len(found) - size
        metadata: Item = {"resourceVersion": str(version)}
        if left > 0:
            key = page[-1][0]
            metadata |= {"continue": _encoded(version, f"{key[1]}/{key[2]}"), "remainingItemCount": left}
        items = [item for _, item in page]
        return Reply(
            200, {"kind": f"{self.sort.kind}List", "apiVersion": self.sort.api, "metadata": metadata, "items": items}
        )

    def read(self, call: Call) -> Reply:
        """One object."""
        self._allowed("get", call)
        return Reply(200, self._held(call).shown())

    def create(self, call: Call) -> Reply:
        """A new object, as whoever posts it wants it."""
        self._allowed("create", call)
        item = call.fields()
        key = self._key(call, str(part(item, "metadata").get("name", "")))
        if self.tool.objects.get(key):
            raise RefusalError(refusal(409, f'{self.sort.full} "{key[2]}" already exists', "AlreadyExists"))
        manager = Manager(call.asked("fieldManager", "kubectl-create"), "Update", self.sort.api, self.tool.time())
        updated([], manager, {}, item)
        return Reply(201, self._keep(call, key, Held(item, [manager])).shown())

    def patch(self, call: Call) -> Reply:
        """Apply, or merge."""
        self._allowed("patch", call)
        kind = call.headers.get("Content-Type", "").partition(";")[0]
        if kind == _APPLY:
            return self._apply(call)
        if kind != _MERGE:
            raise self.tool.refuse(415, f"the body of the request was in an unknown format: {kind}")
        before = self._held(call)
        self._check_version(call.fields(), before)
        after = Held(merged(before.item, call.fields()), copy.deepcopy(before.managers))
        name = call.asked("fieldManager", "unknown")
        updated(after.managers, self._manager(after, name, "Update"), before.item, after.item)
        return Reply(200, self._keep(call, self._key(call, call.params["name"]), after).shown())

    def delete(self, call: Call) -> Reply:
        """Exactly the object that the preconditions name."""
        self._allowed("delete", call)
        held, wanted = self._held(call), part(call.fields(), "preconditions")
        metadata = held.item["metadata"]
        for field, name in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            if wanted.get(field, metadata[field]) != metadata[field]:
                there = f"{name} in precondition: {wanted[field]}, {name} in object meta: {metadata[field]}"
                self._conflict(call.params["name"], f"Precondition failed: {there}")
        self.tool.objects.drop((self.sort.plural, call.params["namespace"], call.params["name"]))
        if self.sort.shown_when_deleted:
            return Reply(200, held.shown())
        details = {"name": metadata["name"], "group": self.sort.group, "kind": self.sort.plural, "uid": metadata["uid"]}
        return Reply(
            200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        )

    def _apply(self, call: Call) -> Reply:
        wanted, name, force = call.fields(), call.asked("fieldManager"), call.asked("force") == "true"
        if not name:
            raise self.tool.refuse(422, "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value")
        key = self._key(call, call.params["name"])
        before = self.tool.objects.get(key)
        if (wanted.get("apiVersion"), wanted.get("kind")) != (self.sort.api, self.sort.kind):
            raise self.tool.refuse(400, "the object's kind does not match its address")
        if before is None and part(wanted, "metadata").get("uid"):
            self._conflict(
                key[2], "uid mismatch: the provided object specified a uid, and no existing object was found"
            )
        if before is not None:
            self._check_version(wanted, before)
        old = before or Held({"apiVersion": self.sort.api, "kind": self.sort.kind, "metadata": {}}, [])
        after = Held(old.item, copy.deepcopy(old.managers))
        own = self._manager(after, name, "Apply")
        found = conflicts(after.managers, own, old.item, wanted)
        if found and not force:
            raise RefusalError(taken(found, self.sort.api))
        after.item = applied(after.managers, own, old.item, wanted)
        kept = self._keep(call, key, after)
        return Reply(200 if before else 201, kept.shown())

    def _keep(self, call: Call, key: Key, held: Held) -> Held:
        """Complete, check and store an object; nothing is stored where nothing changed, or in a dry run."""
        self.sort.complete(held.item)
        if problems := list(self.sort.problems(held.item)):
            text = ", ".join(f"{problem.field}: {problem.reason}" for problem in problems)
            raise self.tool.refuse(422, f'{self.sort.kind}.{self.sort.group} "{key[2]}" is invalid: {text}')
        before = self.tool.objects.get(key)
        same = before is not None and before.item == held.item
        same = same and before is not None and _owned(before) == _owned(held)
        if call.asked("dryRun") == "All":
            held.item["metadata"].setdefault("uid", "00000000-0000-0000-0000-000000000000")
            held.item["metadata"] |= {"name": key[2], "namespace": key[1]}
        elif not same:
            self.tool.objects.keep(self.sort, key, held, self.tool.time())
        return held

    def _key(self, call: Call, name: str) -> Key:
        namespace = call.params["namespace"]
        if namespace not in self.tool.namespaces:
            raise self.tool.refuse(404, f'namespaces "{namespace}" not found')
        if not _NAME.fullmatch(name):
            raise self.tool.refuse(422, f'{self.sort.kind} "{name}" is invalid: metadata.name: Invalid value')
        return self.sort.plural, namespace, name

    def _held(self, call: Call) -> Held:
        name = call.params["name"]
        held = self.tool.objects.get((self.sort.plural, call.params["namespace"], name))
        if held is None:
            raise self.tool.refuse(404, f'{self.sort.full} "{name}" not found')
        return held

    def _manager(self, held: Held, name: str, operation: str) -> Manager:
        for manager in held.managers:
            if (manager.name, manager.operation) == (name, operation):
                return manager
        made = Manager(name, operation, self.sort.api, self.tool.time())
        held.managers.append(made)
        return made

    def _check_version(self, wanted: Item, before: Held) -> None:
        asked, metadata = part(wanted, "metadata"), before.item["metadata"]
        for field in ("uid", "resourceVersion"):
            if asked.get(field, metadata[field]) != metadata[field]:
                self._conflict(
                    metadata["name"], "the object has been modified; please apply your changes to the latest"
                )

    def _conflict(self, name: str, why: str) -> NoReturn:
        raise self.tool.refuse(409, f'Operation cannot be fulfilled on {self.sort.full} "{name}": {why}')

    def _allowed(self, verb: str, call: Call) -> None:
        if (verb, self.sort.plural) in self.tool.forbidden:
            named = f' "{call.params["name"]}"' if "name" in call.params else ""
            where = (
                f'in the namespace "{call.params["namespace"]}"'
                if "namespace" in call.params
                else "at the cluster scope"
            )
            raise self.tool.refuse(
                403,
                f'{self.sort.full}{named} is forbidden: User "{_USER}" cannot {verb} resource "{self.sort.plural}"'
                f' in API group "{self.sort.group}" {where}',
            )


def _owned(held: Held) -> list[tuple[str, str, frozenset[tuple[str, ...]]]]:
    return [(each.name, each.operation, frozenset(each.owned)) for each in held.managers if each.owned]


def _chosen(item: Item, selector: str) -> bool:
    labels = part(part(item, "metadata"), "labels")
    return all(
        labels.get(key) == value for key, _, value in (term.partition("=") for term in selector.split(",") if term)
    )


def _encoded(version: int, last: str) -> str:
    return base64.urlsafe_b64encode(f"{version} {last}".encode()).decode()


def _decoded(token: str) -> tuple[int | None, str]:
    try:
        version, _, last = base64.urlsafe_b64decode(token).decode().partition(" ")
        return int(version), last
    except (ValueError, binascii.Error):
        return None, ""
