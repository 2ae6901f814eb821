"""What is live: one stack as AWS knows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.cloudformation import part as parts
from nthlayer_sync.sdk.cloudformation.account import in_our_words, is_missing
from nthlayer_sync.sdk.cloudformation.drift import Drifts, drifts_of
from nthlayer_sync.sdk.cloudformation.part import Part, Template

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient
    from types_aiobotocore_cloudformation.type_defs import StackTypeDef

# Statuses: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
_UNBORN = frozenset({"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_COMPLETE"})
"""Of a stack that was never made: it holds a template, but no resources of it."""
_STUCK = frozenset({"ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "IMPORT_ROLLBACK_FAILED"})

MANAGED_BY = "managed-by"
INSTANCE = "nthlayer-sync/instance"

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """A stack with the template that is in force. `ours` says whether it bears our mark."""

    name: str
    id: str
    status: str
    ours: bool
    changed: str = ""
    """When it was last changed."""
    template: Template
    drifts: Drifts = {}

    @property
    def unborn(self) -> bool:
        """Whether nothing of it exists yet."""
        return self.status in _UNBORN

    @property
    def busy(self) -> bool:
        """Whether something is being done to it."""
        return self.status.endswith("_IN_PROGRESS") and not self.unborn

    @property
    def trouble(self) -> str:
        """Why it can be neither trusted nor changed now, "" when it can."""
        if self.busy:
            return f"the stack {self.name} is being changed ({self.status})"
        if self.status in _STUCK:
            return f"the stack {self.name} is stuck ({self.status}); a person has to continue or delete it in AWS"
        return ""

    @property
    def names(self) -> list[str]:
        """The parts in it."""
        return sorted(parts.parts(self.template)) if not self.unborn else []

    def content(self, name: str) -> str | None:
        """A part as it is live, canonical JSON; what drifted shows in it. None when there is none."""
        found = parts.read(self.template, name) if not self.unborn else None
        if found is None:
            return None
        resources = {
            id: {**resource, "Drift": self.drifts[id]} if id in self.drifts else resource
            for id, resource in found.resources.items()
            if self.drifts.get(id, {}) is not None
        }
        return parts.encode(Part(resources, found.outputs)).decode()

    def revision(self, name: str) -> str:
        """What changes whenever the part does, "" when there is nothing of that name."""
        content = self.content(name)
        if content is None:
            return "foreign" if self.has(name) else ""
        return revision_of(content, self.trouble)

    def has(self, name: str) -> bool:
        """Whether something of somebody else's stands where the part of that name would be."""
        return not self.unborn and (not self.ours or parts.has(self.template, name))

    def settled(self) -> Stack:
        """Itself; raises when it can be neither trusted nor changed."""
        if self.busy:
            raise TemporaryError(f"{self.trouble}; plan again when it is done")
        if self.trouble:
            raise PermanentError(self.trouble)
        return self


def revision_of(content: str, trouble: str = "") -> str:
    """The revision of a part with this content."""
    return blake2b(f"{trouble}\n{content}".encode(), digest_size=16).hexdigest()


class Stacks:
    """Reads the stacks of one account. `mark` are the tags that make a stack ours."""

    def __init__(self, client: CloudFormationClient, mark: Mapping[str, str]) -> None:
        self._client = client
        self.mark = mark

    async def own(self) -> list[StackTypeDef]:
        """What AWS lists of every stack of ours."""
        found: list[StackTypeDef] = []
        async for page in self._client.get_paginator("describe_stacks").paginate():
            found += [row for row in page["Stacks"] if self._ours(row)]
        return found

    async def find(self, name: str) -> StackTypeDef | None:
        """What AWS says of a stack by name or id, None when there is none."""
        try:
            return (await self._client.describe_stacks(StackName=name))["Stacks"][0]
        except Exception as error:
            if is_missing(error):
                return None
            raise

    async def load(self, row: StackTypeDef) -> Stack:
        """A stack with its template and what drifted."""
        stack = Stack(
            name=row["StackName"],
            id=row.get("StackId", ""),
            status=row["StackStatus"],
            ours=self._ours(row),
            template={},
        )
        if stack.unborn or not stack.ours:
            return stack
        with in_our_words():
            answer = await self._client.get_template(StackName=stack.id, TemplateStage="Original")
            template = _template(stack.name, answer["TemplateBody"])
            return msgspec.structs.replace(stack, template=template, drifts=await drifts_of(self._client, row))

    async def get(self, name: str) -> Stack | None:
        """A stack by name or id."""
        row = await self.find(name)
        return await self.load(row) if row is not None else None

    async def wait(self, name: str, seconds: float) -> Stack | None:
        """A stack when nothing is being done to it any more, or after so many seconds at the latest."""
        pause, over = FIRST_PAUSE, asyncio.get_running_loop().time() + seconds
        while True:
            row = await self.find(name)
            busy = row is not None and Stack(name=name, id="", status=row["StackStatus"], ours=False, template={}).busy
            left = over - asyncio.get_running_loop().time()
            if row is None or not busy or left <= 0:
                return await self.load(row) if row is not None else None
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)

    def _ours(self, row: StackTypeDef) -> bool:
        tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}
        return all(tags.get(key) == value for key, value in self.mark.items())


def _template(name: str, body: Any) -> Template:
    """The template as data; botocore reads JSON itself and leaves YAML as text."""
    if isinstance(body, str):
        raise PermanentError(f"the template of the stack {name} is not JSON: somebody replaced it")
    template: Template = json.loads(json.dumps(body))  # plain maps in place of botocore's ordered ones
    try:
        parts.parts(template)
    except PermanentError as error:
        raise PermanentError(f"the stack {name}: {error}") from error
    return template
