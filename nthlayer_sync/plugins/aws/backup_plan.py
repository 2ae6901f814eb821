"""aws/backup_plan: backups of everything that bears the service's tag, as often as its RPO says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws.permissions import service_of
from nthlayer_sync.plugins.aws.settings import AwsSettings
from nthlayer_sync.plugins.aws.stack import account_of, stack_name, tags_for
from nthlayer_sync.sdk.cloudformation import Part, StackKind
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.taxonomy import SERVICE

HOURS = (1, 2, 3, 4, 6, 8, 12, 24)
"""Hours between backups; an hour is the least that AWS Backup knows, and all divide a day.
https://docs.aws.amazon.com/aws-backup/latest/devguide/creating-a-backup-plan.html"""
MOST_CONTINUOUS_DAYS = 35
"""How long a continuous backup is kept at most.
https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html"""
_DATABASES = frozenset({"postgresql", "mysql", "mongodb"})
_BACKED_UP = frozenset({"dynamodb", "ec2", "elasticfilesystem", "fsx", "rds", "redshift", "s3"})


class BackupSpec(Spec, frozen=True):
    """Backups every `hours`, kept for `days`, of what bears the tag `service`; `continuous` also in between."""

    name: str
    service: str
    hours: int
    days: int
    continuous: bool
    vault: str
    role: str
    tags: dict[str, str]


def generate(service: Service, settings: AwsSettings | None = None) -> Iterator[BackupSpec]:
    """One for every service that depends on something of its own organisation that keeps data."""
    account = account_of(service, settings)
    if account is None or not any(
        other.kind == "resource"
        and not other.external
        and (other.technology in _DATABASES or service_of(other.arn) in _BACKED_UP)
        for other in service.depends_on
    ):
        return
    tags = tags_for(service, settings)
    hours, days, continuous = often(service.blueprint)
    yield BackupSpec(
        name=stack_name(service.ref),
        service=tags[SERVICE],
        hours=hours,
        days=days,
        continuous=continuous,
        vault=account.backup_vault,
        role=account.backup_role,
        tags=tags,
    )


def often(blueprint: Blueprint) -> tuple[int, int, bool]:
    """Hours between backups, days they are kept, and whether that is not often enough for the RPO."""
    asked = blueprint.compliance.backup
    hours = max((hours for hours in HOURS if hours * 3600 <= asked.rpo.seconds), default=HOURS[0])
    return hours, max(1, math.ceil(asked.retention.seconds / 86_400)), asked.rpo.seconds < HOURS[0] * 3600


def part(spec: BackupSpec) -> Part:
    """The plan and what it is for. Deleting them stops backups; those that were made stay in the vault."""
    minute = blake2b(spec.name.encode(), digest_size=2).digest()[0] % 60  # not all services at the same time
    every = f"cron({minute} {'3' if spec.hours == 24 else f'0/{spec.hours}'} * * ? *)"
    rule: dict[str, Any] = {
        "RuleName": "scheduled",
        "TargetBackupVault": spec.vault,
        "ScheduleExpression": every,
        "Lifecycle": {"DeleteAfterDays": spec.days},
    }
    rules = [rule]
    if spec.continuous:
        kept = {"DeleteAfterDays": min(spec.days, MOST_CONTINUOUS_DAYS)}
        nightly = f"cron({minute} 3 * * ? *)"
        rules.append(
            {
                "RuleName": "continuous",
                "TargetBackupVault": spec.vault,
                "ScheduleExpression": nightly,
                "EnableContinuousBackup": True,
                "Lifecycle": kept,
            }
        )
    plan = {
        "Type": "AWS::Backup::BackupPlan",
        "Properties": {
            "BackupPlan": {"BackupPlanName": spec.name, "BackupPlanRule": rules},
            "BackupPlanTags": dict(sorted(spec.tags.items())),
        },
    }
    chosen = {
        "SelectionName": "tagged",
        "IamRoleArn": {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{spec.role}"},
        "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": SERVICE, "ConditionValue": spec.service}],
    }
    selection = {
        "Type": "AWS::Backup::BackupSelection",
        "Properties": {"BackupPlanId": {"Ref": "BackupPlan"}, "BackupSelection": chosen},
    }
    return Part({"BackupPlan": plan, "BackupSelection": selection})


BACKUP_PLAN = StackKind(
    name="aws/backup_plan",
    version=1,
    summary="backups of what a service keeps its data in, as often as its tier says",
    category=Category.COMPLIANCE,
    subject=Service,
    spec=BackupSpec,
    generate=generate,
    part=part,
    logical_id=lambda spec: "BackupPlan",
)
