"""How a stack is changed: a change set, looked at before it is executed, and what became of it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.cloudformation.account import is_missing

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient
    from types_aiobotocore_cloudformation.type_defs import ChangeTypeDef

PREFIX = "nthlayer-sync-"
PATIENCE = 300.0
"""Seconds that AWS may take to make a change set."""
CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")

_NO_CHANGE = ("didn't contain changes", "No updates are to be performed")
_ECHO = ("Resource creation cancelled", "Resource update cancelled", "The following resource(s) failed")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A change to make of one stack. `token` is the same for the same change, so that it is made once."""

    stack: str
    new: bool
    body: str
    token: str
    tags: Mapping[str, str]
    revert_drift: bool = False
    """Whether what people changed past the template is set back as well."""


class ChangeSet(msgspec.Struct, frozen=True):
    """One that AWS made. `loses` are logical ids that it would remove (`Remove`) or may replace (`Replace`)."""

    id: str
    stack_id: str
    empty: bool
    loses: dict[str, str]


async def prepare(client: CloudFormationClient, draft: Draft) -> ChangeSet:
    """Make the change set, or find the one that was made for the same token before; nothing is changed by it."""
    name = PREFIX + draft.token
    mode: dict[str, Any] = {"DeploymentMode": "REVERT_DRIFT"} if draft.revert_drift else {}
    known = await _describe(client, draft.stack, name)
    if known is not None and known["ExecutionStatus"] not in ("AVAILABLE", "UNAVAILABLE"):  # of an attempt that failed
        await client.delete_change_set(ChangeSetName=known["ChangeSetId"], StackName=known["StackId"])
        known = None
    if known is None:
        await client.create_change_set(
            StackName=draft.stack,
            ChangeSetName=name,
            ClientToken=draft.token,
            ChangeSetType="CREATE" if draft.new else "UPDATE",
            TemplateBody=draft.body,
            Capabilities=list(CAPABILITIES),
            Tags=[{"Key": key, "Value": value} for key, value in sorted(draft.tags.items())],
            **mode,
        )
    made = await _made(client, draft.stack, name)
    reason = made.get("StatusReason", "")
    empty = made["Status"] == "FAILED" and any(text in reason for text in _NO_CHANGE)
    if made["Status"] == "FAILED":
        await client.delete_change_set(StackName=draft.stack, ChangeSetName=made["ChangeSetId"])
    if made["Status"] != "CREATE_COMPLETE" and not empty:
        raise PermanentError(f"AWS made no change set for {draft.stack}: {reason or made['Status']}"[:2000])
    changes = [] if empty else await _changes(client, made)
    return ChangeSet(made["ChangeSetId"], made["StackId"], empty, _losses(changes))


async def discard(client: CloudFormationClient, made: ChangeSet) -> None:
    """Take a change set away that is not to be executed."""
    await client.delete_change_set(ChangeSetName=made.id, StackName=made.stack_id)


async def execute(client: CloudFormationClient, made: ChangeSet, token: str) -> None:
    """Begin to make the change; the same token begins it once."""
    await client.execute_change_set(
        ChangeSetName=made.id, StackName=made.stack_id, ClientRequestToken=token, RetainExceptOnCreate=True
    )


async def began(client: CloudFormationClient, made: ChangeSet) -> bool:
    """Whether the change set was executed."""
    found = await _describe(client, made.stack_id, made.id)
    return found is None or found["ExecutionStatus"] not in ("AVAILABLE", "UNAVAILABLE")


async def failures(client: CloudFormationClient, stack_id: str) -> dict[str, str]:
    """Why resources could not be made or changed when the stack was last changed, by logical id."""
    found: dict[str, str] = {}
    async for page in client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for event in page["StackEvents"]:  # the newest first
            status = event.get("ResourceStatus", "")
            if event.get("PhysicalResourceId") == stack_id and status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                return found
            reason = event.get("ResourceStatusReason", "")
            if status.endswith("_FAILED") and not reason.startswith(_ECHO):
                found[event.get("LogicalResourceId", "")] = reason[:1000]
    return found


async def has_foreign(client: CloudFormationClient, stack_id: str) -> bool:
    """Whether somebody else prepares a change of this stack."""
    async for page in client.get_paginator("list_change_sets").paginate(StackName=stack_id):
        for row in page["Summaries"]:
            if row.get("StackId") == stack_id and not row.get("ChangeSetName", "").startswith(PREFIX):
                return True
    return False


async def _made(client: CloudFormationClient, stack: str, name: str) -> Any:
    pause, waited = 0.2, 0.0
    while waited < PATIENCE:
        found = await _describe(client, stack, name)
        if found is not None and found["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            return found
        await asyncio.sleep(pause)
        waited += pause
        pause = min(pause * 2, 5.0)
    raise TemporaryError(f"AWS did not finish the change set for {stack} within {PATIENCE:.0f} s")


async def _describe(client: CloudFormationClient, stack: str, name: str) -> Any:
    """A change set by name or id, None when there is none."""
    try:
        return await client.describe_change_set(StackName=stack, ChangeSetName=name)
    except Exception as error:
        if is_missing(error):
            return None
        raise


async def _changes(client: CloudFormationClient, made: Any) -> list[ChangeTypeDef]:
    changes: list[ChangeTypeDef] = list(made.get("Changes", ()))
    token = made.get("NextToken")
    while token:
        page = await client.describe_change_set(
            StackName=made["StackId"], ChangeSetName=made["ChangeSetId"], NextToken=token
        )
        changes += page["Changes"]
        token = page.get("NextToken")
    return changes


def _losses(changes: list[ChangeTypeDef]) -> dict[str, str]:
    losses: dict[str, str] = {}
    for change in changes:
        resource = change.get("ResourceChange", {})
        id = resource.get("LogicalResourceId", "")
        if resource.get("Action") == "Remove":
            losses[id] = "Remove"
        elif resource.get("Action") == "Dynamic" or resource.get("Replacement") in ("True", "Conditional"):
            losses[id] = "Replace"
    return losses
