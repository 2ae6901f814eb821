"""Rules in a ruler: each rule file is a namespace of its own, with our name and that of this installation in front.

https://grafana.com/docs/mimir/latest/references/http-api/#ruler-api
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from nthlayer_sync.blueprint.layer import as_map
from nthlayer_sync.errors import Failure, PermanentError
from nthlayer_sync.sdk.http import Unsure, at
from nthlayer_sync.sdk.mimir import Mimir
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.texts import Change
from nthlayer_sync.signals.promql import span
from nthlayer_sync.yaml.emit import dump
from nthlayer_sync.yaml.read import read_documents

COLLECTION = "rules"
_FEW = 20
"""Namespaces that are asked for one by one; for more, the list of all is the smaller question."""
# https://pkg.go.dev/github.com/prometheus/common/model#ParseDuration
_UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_DURATION = re.compile(r"(\d+)(ms|[ywdhms])")
_SPANS = frozenset({"interval", "query_offset", "evaluation_delay", "for", "keep_firing_for"})
_ORDER = ("name", "interval", "record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations", "rules")

Groups = Mapping[str, Any]
"""Groups of rules by name, in the one form that everything is compared in."""


class Ruler:
    """The rules of one tenant, a text for each of our namespaces."""

    def __init__(self, mimir: Mimir, instance: str) -> None:
        self._mimir = mimir
        self._ours = f"{MARK}:{instance}:"

    async def everything(self) -> Mapping[str, str]:
        """All that are ours; those of others are none of our business."""
        found = await self._mimir.get(at("config", "v1", "rules"))
        keys = {name.removeprefix(self._ours): name for name in found if name.startswith(self._ours)}
        ours = {key: found[name] for key, name in keys.items() if ":" not in key}  # else of an instance called so
        return await asyncio.to_thread(
            lambda: {f"{COLLECTION}/{key}": written(_by_name(groups)) for key, groups in ours.items()}
        )

    async def read(self, paths: Collection[str]) -> Mapping[str, str]:
        """Those of `paths` that exist."""
        if len(paths) > _FEW:
            return {path: text for path, text in (await self.everything()).items() if path in set(paths)}
        found = {path: await self._groups(path) for path in paths}
        return {path: written(groups) for path, groups in found.items() if groups}

    def ours(self, path: str, text: str) -> bool:
        """Always: the namespace says so."""
        return True

    async def change(self, changes: Sequence[Change]) -> list[Failure | None]:
        """Each by itself; a namespace of which a group is refused gets back the groups that it had."""

        async def one(change: Change) -> Failure | None:
            try:
                for path, text in change.items():
                    await self._set(path, parsed(text) if text is not None else {})
            except Failure as error:
                return error
            return None

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(change)) for change in changes]
        return [task.result() for task in tasks]

    async def _set(self, path: str, wanted: Groups) -> None:
        before = await self._groups(path)
        if not wanted:
            await self._mimir.delete(self._address(path))
            return
        try:
            await self._bring_about(path, before, wanted)
        except PermanentError as error:
            try:
                await self._bring_about(path, await self._groups(path), before)
            except Failure as second:
                raise Unsure(f"{error}; putting back what was there: {second}") from None
            raise

    async def _bring_about(self, path: str, before: Groups, wanted: Groups) -> None:
        for name, group in wanted.items():
            if before.get(name) != group:
                await self._mimir.post(self._address(path), dump(group))
        for name in before.keys() - wanted.keys():
            await self._mimir.delete(self._address(path, name))

    async def _groups(self, path: str) -> Groups:
        namespace = self._namespace(path)
        return _by_name((await self._mimir.get(self._address(path))).get(namespace, []))

    def _namespace(self, path: str) -> str:
        return self._ours + path.removeprefix(f"{COLLECTION}/")

    def _address(self, path: str, *group: str) -> str:
        return at("config", "v1", "rules", self._namespace(path), *group)


def canonical(text: str) -> str:
    """A rule file in the form that a ruler's answer is brought into as well: without comments, in one order."""
    return written(parsed(text))


def parsed(text: str) -> Groups:
    """The groups of a rule file."""
    documents, diagnoses = read_documents(text.encode(), file="rules")
    value = as_map(documents[0].value) if len(documents) == 1 else None
    if diagnoses or value is None:
        raise PermanentError(f"this is no rule file: {'; '.join(map(str, diagnoses)) or 'it holds no map'}")
    return _by_name(value.get("groups", []))


def written(groups: Groups) -> str:
    """A rule file of these groups."""
    return dump({"groups": list(groups.values())})


def _by_name(groups: object) -> Groups:
    if not isinstance(groups, list):
        raise PermanentError("these are no groups of rules: a list is expected")
    normal = [_normal(group) for group in cast("list[object]", groups)]
    if not all(isinstance(group.get("name"), str) for group in normal):
        raise PermanentError("these are no groups of rules: one has no name")
    return {group["name"]: group for group in sorted(normal, key=lambda group: group["name"])}


def _normal(part: object) -> dict[str, Any]:
    """A group or rule without what says nothing, durations as we write them, keys in one order."""
    values = as_map(part)
    if values is None:
        raise PermanentError("these are no rules: a map is expected")
    kept: dict[str, Any] = {}
    for key, value in values.items():
        if key == "rules":
            kept[key] = [_normal(rule) for rule in cast("list[object]", value or [])]
        elif key in _SPANS:
            kept[key] = _span(str(value))
        elif (texts := as_map(value)) is not None:
            kept[key] = {name: str(texts[name]) for name in sorted(texts)}
        else:
            kept[key] = str(value) if key == "expr" else value
    order = {key: place for place, key in enumerate(_ORDER)}
    said = [key for key in kept if kept[key] not in ({}, [], "", None, 0)]
    return {key: kept[key] for key in sorted(said, key=lambda key: (order.get(key, len(order)), key))}


def _span(text: str) -> str:
    found = _DURATION.findall(text)
    total = sum(int(count) * _UNITS[unit] for count, unit in found)
    return span(total) if total else "" if found else text
