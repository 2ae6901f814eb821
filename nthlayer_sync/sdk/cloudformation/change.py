"""The change of one stack: the parts that are to change, in one change set that loses no data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.cloudformation import changeset
from nthlayer_sync.sdk.cloudformation import part as parts
from nthlayer_sync.sdk.cloudformation.account import Account, in_our_words
from nthlayer_sync.sdk.cloudformation.changeset import ChangeSet, Draft
from nthlayer_sync.sdk.cloudformation.part import Part, Template
from nthlayer_sync.sdk.cloudformation.stack import Stack, Stacks, revision_of

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient

PATIENCE = 900.0
"""Seconds to wait for a stack; AWS goes on without us, and the next plan sees what came of it."""


class Task(msgspec.Struct, frozen=True):
    """What is to become of one part: `after` is its content, None when it goes.

    `before` is the revision it must have now, None when that does not matter.
    """

    id: ConfigId
    stack: str
    name: str
    before: str | None
    after: str | None

    @property
    def part(self) -> Part | None:
        """The part as it is to be."""
        return None if self.after is None else msgspec.json.decode(self.after, type=Part)


Results = dict[Task, Result]


class StackChange:
    """Changes stacks of one account; calls with the same `key` make the same change once."""

    def __init__(self, client: CloudFormationClient, stacks: Stacks, account: Account, key: str) -> None:
        self._client = client
        self._stacks = stacks
        self._account = account
        self._key = key

    async def make(self, name: str, tasks: Sequence[Task]) -> Results:
        """Make all of `tasks` that can be made of the stack `name`; one result for each."""
        try:
            with in_our_words():
                return await self._make(name, tasks)
        except Failure as error:
            return {task: failed(task.id, error) for task in tasks}

    async def _make(self, name: str, tasks: Sequence[Task]) -> Results:
        stack = await self._present(name)
        results: Results = {}
        while True:
            template, todo = self._compose(name, stack, [task for task in tasks if task not in results], results)
            if not todo:
                return results
            if stack is not None and parts.is_empty(template):
                return results | await self._delete(stack, todo)
            draft = self._draft(name, stack, template, todo)
            made = await changeset.prepare(self._client, draft)
            refused = _refused(made, stack, todo)
            if not refused:
                break
            await changeset.discard(self._client, made)
            results |= refused
        if made.empty and stack is not None:
            return results | self._as_it_is(stack, draft, todo)
        return results | await self._execute(made, draft, stack, template, todo)

    async def _present(self, name: str) -> Stack | None:
        """The stack as it can be changed, None when there is none yet; raises when it is somebody else's."""
        stack = await self._stacks.wait(name, PATIENCE)
        if stack is None:
            return None
        waiting = stack.status == "REVIEW_IN_PROGRESS"
        if not stack.ours and (not waiting or await changeset.has_foreign(self._client, stack.id)):
            raise PermanentError(f"the stack {name} is there already and does not bear our mark")
        if not stack.unborn:
            return stack.settled()
        if not waiting:  # what is left of a creation that failed: AWS lets nothing be done to it but this
            await self._client.delete_stack(StackName=stack.id)
            await self._stacks.wait(stack.id, PATIENCE)
        return None

    def _compose(
        self, name: str, stack: Stack | None, tasks: Sequence[Task], results: Results
    ) -> tuple[Template, list[Task]]:
        """The template that is wanted, and the tasks it makes; the others get their results."""
        template: Template = stack.template if stack else _blank(name)
        todo: list[Task] = []
        for task in tasks:
            try:
                content = stack.content(task.name) if stack else None
                if content == task.after:
                    results |= self._done(stack.id if stack else "", [task], Outcome.UNCHANGED)
                    continue
                if task.before is not None and task.before != (stack.revision(task.name) if stack else ""):
                    raise TemporaryError(f"{task.stack}/{task.name} changed since the plan; plan again")
                part = task.part
                changed = parts.put(template, task.name, part) if part else parts.take_out(template, task.name)
                parts.body(changed)  # it must not be too long
                _keep_drift(stack, task, tasks)
                template = changed
                todo.append(task)
            except Failure as error:
                results[task] = failed(task.id, error)
        return template, todo

    def _draft(self, name: str, stack: Stack | None, template: Template, todo: Sequence[Task]) -> Draft:
        body = parts.body(template)
        since = f"{stack.id} {stack.changed}" if stack else ""
        token = blake2b(f"{self._key}\0{name}\0{since}\0{body}".encode(), digest_size=16).hexdigest()
        drifted = stack is not None and any(_drifted(stack, task) for task in todo)
        return Draft(
            stack=name, new=stack is None, body=body, token=token, tags=self._stacks.mark, revert_drift=drifted
        )

    async def _execute(
        self, made: ChangeSet, draft: Draft, stack: Stack | None, template: Template, todo: Sequence[Task]
    ) -> Results:
        if stack is not None:
            await self._protect(made.stack_id, parts.stateful(stack.template) - _given_up(stack, todo))
        try:
            await self._begin(made, draft.token)
            with in_our_words():
                live = await self._stacks.wait(made.stack_id, PATIENCE)
        except TemporaryError as error:
            return self._done(made.stack_id, todo, Outcome.UNKNOWN, str(error))
        if live is None or live.busy:
            return self._done(made.stack_id, todo, Outcome.UNKNOWN, f"AWS was not done within {PATIENCE:.0f} s")
        if live.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return await self._failures(live, todo)
        try:
            with in_our_words():
                await self._protect(live.id, parts.stateful(template))
        except Failure as error:
            return self._done(live.id, todo, Outcome.DONE, f"made, but the stack's policy could not be set: {error}")
        return self._done(live.id, todo, Outcome.DONE)

    async def _begin(self, made: ChangeSet, token: str) -> None:
        """Execute; where the answer got lost, find out whether it began, and raise only when that is open too."""
        try:
            with in_our_words():
                await changeset.execute(self._client, made, token)
        except TemporaryError:
            with in_our_words():
                if not await changeset.began(self._client, made):
                    await changeset.execute(self._client, made, token)

    async def _delete(self, stack: Stack, todo: Sequence[Task]) -> Results:
        """Delete the stack whose last parts go; it bears our mark. What holds data is left behind by its own policy."""
        try:
            with in_our_words():
                await self._client.delete_stack(StackName=stack.id, ClientRequestToken=f"delete-{self._key}")
                live = await self._stacks.wait(stack.id, PATIENCE)
        except TemporaryError as error:
            return self._done(stack.id, todo, Outcome.UNKNOWN, str(error))
        if live is not None and live.busy:
            return self._done(stack.id, todo, Outcome.UNKNOWN, f"AWS was not done within {PATIENCE:.0f} s")
        if live is not None and live.status != "DELETE_COMPLETE":
            return await self._failures(live, todo)
        return self._done(stack.id, todo, Outcome.DONE)

    async def _protect(self, stack_id: str, protected: Collection[str]) -> None:
        body = parts.policy(set(protected))
        await self._client.set_stack_policy(StackName=stack_id, StackPolicyBody=body)

    async def _failures(self, live: Stack, todo: Sequence[Task]) -> Results:
        """Each part's own reason; a part without one was rolled back because of the others."""
        reasons = await changeset.failures(self._client, live.id)
        first = "; ".join(f"{id}: {reason}" for id, reason in sorted(reasons.items())) or live.status
        results: Results = {}
        for task in todo:
            own = {id: reasons[id] for id in _ids(task, live) if id in reasons}
            why = "; ".join(f"{id}: {reason}" for id, reason in own.items())
            text = why or f"it was rolled back with the rest of the stack {live.name}: {first}"
            results[task] = failed(task.id, PermanentError(text[:2000]), self._account.url(live.id))
        return results

    def _as_it_is(self, stack: Stack, draft: Draft, todo: Sequence[Task]) -> Results:
        """AWS sees nothing to do: it does not count everything in a template as a change."""
        if draft.revert_drift:
            error = TemporaryError(f"AWS finds no drift in the stack {stack.name} any more; plan again")
            return {task: failed(task.id, error) for task in todo}
        return {
            task: msgspec.structs.replace(result, revision=stack.revision(task.name), content=stack.content(task.name))
            for task, result in self._done(stack.id, todo, Outcome.UNCHANGED).items()
        }

    def _done(self, stack_id: str, tasks: Sequence[Task], outcome: Outcome, reason: str = "") -> Results:
        url = self._account.url(stack_id) if stack_id else ""
        return {
            task: Result(
                id=task.id,
                outcome=outcome,
                revision=revision_of(task.after) if task.after is not None else "",
                reference=url,
                remote=stack_id if task.after is not None else "",
                reason=reason,
            )
            for task in tasks
        }


def failed(id: ConfigId, error: Failure, reference: str = "") -> Result:
    """The result of what could not be made."""
    temporary = isinstance(error, TemporaryError)
    return Result(id=id, outcome=Outcome.FAILED, reason=str(error), temporary=temporary, reference=reference)


def _blank(name: str) -> Template:
    return {"AWSTemplateFormatVersion": "2010-09-09", "Description": f"Operational configs of {name}, by nthlayer-sync"}


def _ids(task: Task, stack: Stack | None) -> set[str]:
    """The logical ids of a part, as it is and as it is to be."""
    live = parts.parts(stack.template).get(task.name, []) if stack else []
    return {*live, *(task.part.ids if task.part else ())}


def _drifted(stack: Stack, task: Task) -> bool:
    return task.after is not None and any(id in stack.drifts for id in _ids(task, stack))


def _keep_drift(stack: Stack | None, task: Task, tasks: Sequence[Task]) -> None:
    """AWS sets all drift of a stack back or none, so it is only asked to when none is to be kept."""
    if stack is None or not _drifted(stack, task):
        return
    wanted = {id for other in tasks for id in _ids(other, stack)}
    if kept := sorted(set(stack.drifts) - wanted):
        raise PermanentError(
            f"{', '.join(kept)} of the stack {stack.name} drifted too and would be set back with it; decide on both"
        )


def _given_up(stack: Stack, tasks: Sequence[Task]) -> set[str]:
    """What people asked to have deleted."""
    return {id for task in tasks if task.after is None for id in _ids(task, stack)}


def _refused(made: ChangeSet, stack: Stack | None, todo: Sequence[Task]) -> Mapping[Task, Result]:
    """The tasks that would cost data, with the reason; all of them where it cannot be told which."""
    if stack is None:
        return {}
    precious = parts.stateful(stack.template)
    given_up = _given_up(stack, todo)
    lost = {id: how for id, how in made.loses.items() if id in precious and not (how == "Remove" and id in given_up)}
    guilty = {task: sorted(lost.keys() & _ids(task, stack)) for task in todo}
    refused: Results = {}
    for task, ids in guilty.items():
        if ids or (lost and not any(guilty.values())):
            named = ", ".join(ids or sorted(lost))
            error = PermanentError(f"AWS would replace or remove {named}, which holds data; move the data first")
            refused[task] = failed(task.id, error)
    return refused
