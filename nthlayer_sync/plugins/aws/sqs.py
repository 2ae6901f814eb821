"""aws/sqs: the queues of a service, each with a queue of dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws.settings import AwsSettings
from nthlayer_sync.plugins.aws.stack import account_of, camel, output, short_name, tag_list, tags_for
from nthlayer_sync.sdk.cloudformation import Part, StackKind, retained
from nthlayer_sync.sdk.kind import Category

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
MOST_NAME = 80
RETENTION = (60, 1_209_600)
"""Seconds that SQS keeps a message, at least and at most."""
MOST_VISIBILITY = 43_200


class QueueSpec(Spec, frozen=True):
    """A queue; times in seconds."""

    queue: str
    name: str
    retention: int
    visibility: int
    attempts: int
    dead_letters: int
    tags: dict[str, str]


def queue_name(service: Service, queue: str) -> str:
    """What SQS calls it; PermanentError when that is too long."""
    name = f"{short_name(service.ref)}-{queue}"
    if len(f"{name}-dead") > MOST_NAME:
        raise PermanentError(f"{service.ref}: SQS allows {MOST_NAME} characters, but {name}-dead has more")
    return name


def generate(service: Service, settings: AwsSettings | None = None) -> Iterator[QueueSpec]:
    """One for each queue that the blueprint names."""
    account = account_of(service, settings)
    if account is None:
        return
    for queue in sorted(set(service.blueprint.data.queues.names)):
        yield QueueSpec(
            queue=queue,
            name=queue_name(service, queue),
            tags=tags_for(service, settings),
            attempts=service.blueprint.data.queues.attempts,
            **_times(service.ref, service.blueprint),
        )


def _times(ref: str, blueprint: Blueprint) -> dict[str, int]:
    asked = blueprint.data.queues
    times = {
        "retention": round(asked.retention.seconds),
        "visibility": round(asked.visibility.seconds),
        "dead_letters": round(asked.dead_letters.seconds),
    }
    for name, (least, most) in (
        ("retention", RETENTION),
        ("visibility", (0, MOST_VISIBILITY)),
        ("dead_letters", RETENTION),
    ):
        if not least <= times[name] <= most:
            raise PermanentError(
                f"{ref}: SQS allows {least} to {most} seconds of data.queues.{name}, not {times[name]}"
            )
    return times


def part(spec: QueueSpec) -> Part:
    """Two resources; messages outlive the stack."""
    queue, dead = f"Queue{camel(spec.queue)}", f"Queue{camel(spec.queue)}Dead"
    shared: dict[str, Any] = {"SqsManagedSseEnabled": True, "Tags": tag_list(spec.tags)}
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": [dead, "Arn"]}, "maxReceiveCount": spec.attempts}
    main = {
        "QueueName": spec.name,
        "MessageRetentionPeriod": spec.retention,
        "VisibilityTimeout": spec.visibility,
        "RedrivePolicy": redrive,
        **shared,
    }
    rest = {"QueueName": f"{spec.name}-dead", "MessageRetentionPeriod": spec.dead_letters, **shared}
    resources = {
        queue: retained({"Type": "AWS::SQS::Queue", "Properties": main}),
        dead: retained({"Type": "AWS::SQS::Queue", "Properties": rest}),
    }
    return Part(resources, {f"{queue}Url": output({"Ref": queue}, f"URL of the queue {spec.queue}")})


SQS = StackKind(
    name="aws/sqs",
    version=1,
    summary="a service's queues and their dead letters",
    category=Category.DATA,
    subject=Service,
    spec=QueueSpec,
    generate=generate,
    name_of=lambda spec: spec.queue,
    part=part,
    logical_id=lambda spec: f"Queue{camel(spec.queue)}",
)
