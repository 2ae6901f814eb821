"""What a service may do with something that it depends on: the least that lets it use it, by the ARN's service.

Databases that are reached by password (RDS, ElastiCache) need no permission of AWS. What is not in the table gets none.
Actions: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):([0-9]{12})?:([A-Za-z0-9_+=,.@:/-]{1,1000})")


class Grant(msgspec.Struct, frozen=True):
    """Actions, and what they are allowed on: the ARN with each of these ends."""

    actions: tuple[str, ...]
    ends: tuple[str, ...] = ("",)


GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "dynamodb": (
        Grant(
            (
                "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem",
                "dynamodb:Query", "dynamodb:UpdateItem",
            ),
            ("", "/index/*"),
        ),
    ),
    "kinesis": (
        Grant(
            (
                "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards",
                "kinesis:PutRecord", "kinesis:PutRecords",
            )
        ),
    ),
    "s3": (
        Grant(("s3:GetBucketLocation", "s3:ListBucket")),
        Grant(("s3:DeleteObject", "s3:GetObject", "s3:PutObject"), ("/*",)),
    ),
    "secretsmanager": (Grant(("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")),),
    "sns": (Grant(("sns:Publish",)),),
    "sqs": (
        Grant(
            (
                "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
                "sqs:ReceiveMessage", "sqs:SendMessage",
            )
        ),
    ),
}  # fmt: skip


def service_of(arn: str) -> str:
    """The AWS service of an ARN that names one thing and nothing more, "" for any other text."""
    match = _ARN.fullmatch(arn)
    return match[2] if match else ""


def statements(arns: Iterable[str]) -> list[dict[str, Any]]:
    """Statements of a policy, one for each set of actions."""
    allowed: dict[tuple[str, ...], list[str]] = {}
    for arn in sorted(set(arns)):
        for grant in GRANTS.get(service_of(arn), ()):
            allowed.setdefault(grant.actions, []).extend(arn + end for end in grant.ends)
    return [
        {"Effect": "Allow", "Action": list(actions), "Resource": resources}
        for actions, resources in sorted(allowed.items())
    ]


def own(kind: str, name: str) -> dict[str, str]:
    """The ARN of something in the same account and region, as the stack fills it in."""
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{kind}:${{AWS::Region}}:${{AWS::AccountId}}:{name}"}
