"""What people changed past the template, as CloudFormation's own drift detection finds it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient
    from types_aiobotocore_cloudformation.type_defs import StackResourceDriftTypeDef, StackTypeDef

PATIENCE = 120.0
"""Seconds to wait for one detection; its answer is found at the next look otherwise."""
LONGEST_VALUE = 1000
"""Characters kept of a value that was changed."""

_LOOKED_AT = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
"""Statuses in which AWS looks for drift."""

Drifts = dict[str, dict[str, str] | None]
"""By logical id: the live value of each property that is not as the template says; None for one that is gone."""


def is_due(row: StackTypeDef, seconds: float | None) -> bool:
    """Whether AWS looked for drift in this stack longer ago than `seconds`, or never since it was last changed."""
    if seconds is None or row["StackStatus"] not in _LOOKED_AT:
        return False
    looked: datetime | None = row.get("DriftInformation", {}).get("LastCheckTimestamp")
    return looked is None or looked < _changed(row) or (datetime.now(UTC) - looked).total_seconds() >= seconds


async def detect(client: CloudFormationClient, row: StackTypeDef) -> None:
    """Have AWS look for drift, and wait until it has."""
    started = await client.detect_stack_drift(StackName=row.get("StackId", row["StackName"]))
    pause, waited = 0.5, 0.0
    while waited < PATIENCE:
        status = await client.describe_stack_drift_detection_status(
            StackDriftDetectionId=started["StackDriftDetectionId"]
        )
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":  # a failed one still tells what it could look at
            return
        await asyncio.sleep(pause)
        waited += pause
        pause = min(pause * 2, 8.0)


async def drifts_of(client: CloudFormationClient, row: StackTypeDef) -> Drifts:
    """What AWS found when it last looked, if that is newer than the last change of the stack."""
    if row.get("DriftInformation", {}).get("StackDriftStatus") != "DRIFTED":
        return {}
    found: Drifts = {}
    token = ""
    while True:
        more: dict[str, Any] = {"NextToken": token} if token else {}
        answer = await client.describe_stack_resource_drifts(
            StackName=row.get("StackId", row["StackName"]),
            StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
            **more,
        )
        for drift in answer["StackResourceDrifts"]:
            if drift["Timestamp"] >= _changed(row):
                found[drift["LogicalResourceId"]] = _differences(drift)
        token = answer.get("NextToken", "")
        if not token:
            return found


def _differences(drift: StackResourceDriftTypeDef) -> dict[str, str] | None:
    if drift["StackResourceDriftStatus"] == "DELETED":
        return None
    secret = drift["ResourceType"].startswith("AWS::SecretsManager::")
    return {
        row["PropertyPath"]: "changed" if secret else row["ActualValue"][:LONGEST_VALUE]
        for row in drift.get("PropertyDifferences", ())
    }


def _changed(row: StackTypeDef) -> datetime:
    return row.get("LastUpdatedTime") or row["CreationTime"]
