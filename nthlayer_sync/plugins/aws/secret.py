"""aws/secret: secrets whose values AWS makes itself, so that nobody handles them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws.settings import AwsSettings
from nthlayer_sync.plugins.aws.stack import account_of, camel, output, short_name, tag_list, tags_for
from nthlayer_sync.sdk.cloudformation import Part, StackKind, retained
from nthlayer_sync.sdk.kind import Category

LENGTH = 32
"""Characters of a value, out of 62: about 190 bits."""
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
MOST_DAYS = 1000


class SecretSpec(Spec, frozen=True):
    """A secret. `rotation` is the Lambda function that replaces its value every `days`, "" for none."""

    secret: str
    name: str
    rotation: str
    days: int
    tags: dict[str, str]


def secret_name(service: Service, secret: str) -> str:
    """What Secrets Manager calls it."""
    return f"{short_name(service.ref)}/{secret}"


def generate(service: Service, settings: AwsSettings | None = None) -> Iterator[SecretSpec]:
    """One for each that the blueprint names."""
    account = account_of(service, settings)
    if account is None:
        return
    asked = service.blueprint.access.secrets
    days = max(1, int(asked.rotation.seconds // 86_400))
    if days > MOST_DAYS:
        raise PermanentError(
            f"{service.ref}: Secrets Manager allows at most {MOST_DAYS} days of access.secrets.rotation"
        )
    for secret in sorted(set(asked.generated)):
        yield SecretSpec(
            secret=secret,
            name=secret_name(service, secret),
            rotation=account.rotation or "",
            days=days,
            tags=tags_for(service, settings),
        )


def part(spec: SecretSpec) -> Part:
    """The secret, which outlives the stack, and its rotation where there is a function for it."""
    id = f"Secret{camel(spec.secret)}"
    properties = {
        "Name": spec.name,
        "GenerateSecretString": {"PasswordLength": LENGTH, "ExcludePunctuation": True},
        "Tags": tag_list(spec.tags),
    }
    resources: dict[str, Any] = {id: retained({"Type": "AWS::SecretsManager::Secret", "Properties": properties})}
    if spec.rotation:
        rules = {
            "SecretId": {"Ref": id},
            "RotationLambdaARN": spec.rotation,
            "RotationRules": {"AutomaticallyAfterDays": spec.days},
        }
        resources[f"{id}Rotation"] = {"Type": "AWS::SecretsManager::RotationSchedule", "Properties": rules}
    return Part(resources, {f"{id}Arn": output({"Ref": id}, f"ARN of the secret {spec.secret}")})


SECRET = StackKind(
    name="aws/secret",
    version=1,
    summary="a service's secrets with values that AWS makes, and their rotation",
    category=Category.ACCESS,
    subject=Service,
    spec=SecretSpec,
    generate=generate,
    name_of=lambda spec: spec.secret,
    part=part,
    logical_id=lambda spec: f"Secret{camel(spec.secret)}",
)
