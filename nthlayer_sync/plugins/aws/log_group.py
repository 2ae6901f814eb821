"""aws/log_group: where a service's logs go, and how long they are kept, by tier."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws.settings import AwsSettings
from nthlayer_sync.plugins.aws.stack import account_of, safe, tag_list, tags_for
from nthlayer_sync.sdk.cloudformation import Part, StackKind, retained
from nthlayer_sync.sdk.kind import Category

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Days that CloudWatch knows; it refuses any other number."""
_NAME = r"[A-Za-z0-9._/#-]{1,512}"


class LogGroupSpec(Spec, frozen=True):
    """A log group; `days` is None when logs are kept for ever."""

    name: str
    days: int | None
    tags: dict[str, str]


def generate(service: Service, settings: AwsSettings | None = None) -> Iterator[LogGroupSpec]:
    """One for every service that runs in an account of ours."""
    account = account_of(service, settings)
    if account is None or not service.runs:
        return
    name = account.log_group.replace("{name}", service.name).replace("{namespace}", service.namespace)
    yield LogGroupSpec(
        name=safe(service, "the name of its log group", name, _NAME),
        days=days_for(service.blueprint.observability.retention.seconds),
        tags=tags_for(service, settings),
    )


def days_for(seconds: float) -> int | None:
    """The fewest days that CloudWatch knows which are no less; None when that is more than it knows."""
    wanted = math.ceil(seconds / 86_400)
    return next((days for days in RETENTIONS if days >= wanted), None)


def part(spec: LogGroupSpec) -> Part:
    """One resource; logs outlive the stack."""
    kept = {"RetentionInDays": spec.days} if spec.days else {}
    properties = {"LogGroupName": spec.name, **kept, "Tags": tag_list(spec.tags)}
    return Part({"LogGroup": retained({"Type": "AWS::Logs::LogGroup", "Properties": properties})})


LOG_GROUP = StackKind(
    name="aws/log_group",
    version=1,
    summary="a service's log group, kept as long as its tier says",
    category=Category.OBSERVABILITY,
    subject=Service,
    spec=LogGroupSpec,
    generate=generate,
    part=part,
    logical_id=lambda spec: "LogGroup",
)
