"""The target of all kinds that land in CloudFormation stacks.

A root is `aws:<account>/<region>`, a path `<stack>/<part>`. The configs of one batch that share a stack are one change
set: they are made together or not at all, so that one that cannot be made is left out and the rest tried without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.model.diff import Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.cloudformation import drift
from nthlayer_sync.sdk.cloudformation import part as parts
from nthlayer_sync.sdk.cloudformation.account import Account, in_our_words
from nthlayer_sync.sdk.cloudformation.change import Results, StackChange, Task, failed
from nthlayer_sync.sdk.cloudformation.stack import INSTANCE, MANAGED_BY, Stack, Stacks
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.target import Movement

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient

AT_ONCE = 8
"""Stacks read or changed at the same time: CloudFormation throttles an account at a few requests a second."""

T = TypeVar("T")
S = TypeVar("S")


class StackTarget:
    """Reads and writes parts of stacks. `accounts` stand by root; `instance` names this installation in the mark.

    `read_only` refuses every write.
    """

    name = "aws"
    settles = 0.0
    """DescribeStacks and GetTemplate answer with what was written as soon as it is there."""

    def __init__(self, accounts: Mapping[str, Account], instance: str, *, read_only: bool = False) -> None:
        self._accounts = accounts
        self._read_only = read_only
        self._mark = {MANAGED_BY: MARK, INSTANCE: instance}

    async def moved(self, root: str, since: str) -> Movement:
        """AWS cannot tell what moved, so everything is listed."""
        return Movement("", None)

    async def revisions(self, root: str, paths: Collection[str] | None) -> Mapping[str, str]:
        """The revision of each part; of everything, after AWS looked for drift where that is due."""
        async with self._open(root) as (client, stacks):
            if paths is not None:
                live = await _load(stacks, (_split(path)[0] for path in paths))
                split = {path: _split(path) for path in paths}
                found = {path: live[stack].revision(part) for path, (stack, part) in split.items() if stack in live}
                return {path: revision for path, revision in found.items() if revision}
            rows = await stacks.own()
            due = [row for row in rows if drift.is_due(row, self._accounts[root].drift_seconds)]
            if due:
                await _each(due, lambda row: drift.detect(client, row))
                rows = await stacks.own()
            everything = await _each(rows, stacks.load)
            return {f"{stack.name}/{name}": stack.revision(name) for stack in everything for name in stack.names}

    async def confirm(self, root: str, remotes: Mapping[str, str]) -> Mapping[str, str]:
        """The revisions of these paths: a stack is found by its name."""
        return await self.revisions(root, list(remotes))

    async def read(self, root: str, paths: Mapping[ConfigId, str]) -> Mapping[ConfigId, Observed]:
        """Each part as it stands in its template, with what drifted."""
        async with self._open(root) as (_, stacks):
            live = await _load(stacks, (_split(path)[0] for path in paths.values()))
        observed: dict[ConfigId, Observed] = {}
        for id, path in paths.items():
            stack, part = live.get(_split(path)[0]), _split(path)[1]
            if stack is not None and (revision := stack.revision(part)):
                content = stack.content(part)
                marked = stack.ours and content is not None
                place = Place(root, path)
                observed[id] = Observed(id, place, revision, content, marked, stack.trouble, stack.id)
        return observed

    async def write(self, batch: Sequence[Diff], idempotency_key: str) -> list[Result]:
        """One change set for each stack, in an order in which nothing is missed: exports are made first and go last."""
        if self._read_only:
            raise PermanentError(f"{self.name}: only reading is allowed here")
        tasks = [task for diff in batch for task in _tasks(diff)]
        root = _place(batch[0]).root
        results: Results = {}
        async with self._open(root) as (client, stacks):
            change = StackChange(client, stacks, self._accounts[root], idempotency_key)
            for wanted in await _rounds(client, stacks, tasks):
                ready = await _ready(client, wanted, results)
                by_stack: dict[str, list[Task]] = {}
                for task in ready:
                    by_stack.setdefault(task.stack, []).append(task)
                for made in await _each(by_stack.items(), lambda item: change.make(*item)):
                    results |= made
        return [_together([results[task] for task in _tasks(diff)]) for diff in batch]

    @asynccontextmanager
    async def _open(self, root: str) -> AsyncGenerator[tuple[CloudFormationClient, Stacks]]:
        if root not in self._accounts:
            raise PermanentError(f"the settings of the plugin aws name no account and region {root}")
        async with self._accounts[root].open() as client:
            yield client, Stacks(client, self._mark)


async def _load(stacks: Stacks, names: Iterable[str]) -> dict[str, Stack]:
    loaded = await _each(sorted(set(names)), stacks.get)
    return {stack.name: stack for stack in loaded if stack is not None}


async def _rounds(client: CloudFormationClient, stacks: Stacks, tasks: Sequence[Task]) -> list[list[Task]]:
    """What is made first, what needs the exports of that, and what takes exports away."""
    if len({task.stack for task in tasks}) == 1:
        return [list(tasks)]
    there = await _exports(client, tasks)
    live = await _load(stacks, (task.stack for task in tasks if task.after is None))
    rounds: tuple[list[Task], list[Task], list[Task]] = ([], [], [])
    for task in tasks:
        stack = live.get(task.stack)
        old = parts.read(stack.template, task.name) if stack else None
        if task.after is None:
            rounds[2 if old and parts.exports(old) else 0].append(task)
        else:
            rounds[1 if task.part and parts.imports(task.part) - there else 0].append(task)
    return [made for made in rounds if made]


async def _ready(client: CloudFormationClient, tasks: Sequence[Task], results: Results) -> list[Task]:
    """Those whose imports exist; one without would make AWS refuse the rest of its stack as well."""
    try:
        with in_our_words():
            there = await _exports(client, tasks)
    except Failure as error:  # of a later round, when others were made already
        results |= {task: failed(task.id, error) for task in tasks}
        return []
    for task in tasks:
        if task.part and (missing := sorted(parts.imports(task.part) - there)):
            error = TemporaryError(f"no stack of this account and region exports {', '.join(missing)} yet")
            results[task] = failed(task.id, error)
    return [task for task in tasks if task not in results]


async def _exports(client: CloudFormationClient, tasks: Sequence[Task]) -> set[str]:
    """The names of all exports; nobody is asked where nothing is imported."""
    if not any(task.part and parts.imports(task.part) for task in tasks):
        return set()
    pages = client.get_paginator("list_exports").paginate()
    return {row.get("Name", "") async for page in pages for row in page["Exports"]}


async def _each(items: Iterable[S], work: Callable[[S], Awaitable[T]]) -> list[T]:
    """`work` for each of `items`, a few at a time; the first failure ends all of it."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: S) -> T:
        async with gate:
            with in_our_words():
                return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
    return [task.result() for task in tasks]


def _tasks(diff: Diff) -> list[Task]:
    """What a change asks for: the part where it goes and, where it moves, no part where it was."""
    place = _place(diff)
    before = diff.actual.revision if diff.actual else ""
    after = diff.after if diff.desired is not None else None
    if diff.desired is not None and after is None:
        raise PermanentError(f"{diff.id}: there is no content to write")
    tasks = [Task(diff.id, *_split(place.path), before, after)]
    if diff.was is not None and diff.was.root == place.root and diff.was != place:
        tasks.append(Task(diff.id, *_split(diff.was.path), None, None))
    return tasks


def _together(results: Sequence[Result]) -> Result:
    """The result where a part goes, unless it could not be taken from where it was."""
    bad = [result for result in results if result.outcome in (Outcome.FAILED, Outcome.UNKNOWN)]
    return (bad or results)[0]


def _place(diff: Diff) -> Place:
    place = diff.desired.place if diff.desired else diff.actual.place if diff.actual else None
    assert place is not None
    return place


def _split(path: str) -> tuple[str, str]:
    stack, _, name = path.partition("/")
    return stack, name
