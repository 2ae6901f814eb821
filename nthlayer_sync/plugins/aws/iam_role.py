"""aws/iam_role: what a service may do in AWS: use what it depends on and what is its own, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws.permissions import GRANTS, own, service_of, statements
from nthlayer_sync.plugins.aws.secret import secret_name
from nthlayer_sync.plugins.aws.settings import AwsSettings
from nthlayer_sync.plugins.aws.sqs import queue_name
from nthlayer_sync.plugins.aws.stack import account_of, output, safe, tag_list, tags_for
from nthlayer_sync.sdk.cloudformation import Part, StackKind
from nthlayer_sync.sdk.kind import Category

_VERSION = "2012-10-17"
# Annotations of the Kubernetes plugin of Backstage: https://backstage.io/docs/features/kubernetes/configuration
_KUBERNETES_ID = "backstage.io/kubernetes-id"
_KUBERNETES_NAMESPACE = "backstage.io/kubernetes-namespace"
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


class RoleSpec(Spec, frozen=True):
    """A role. `account` is the Kubernetes service account that takes it on, "" where an AWS service does."""

    workloads: str
    account: str
    boundary: str
    arns: tuple[str, ...]
    """What of its dependencies it may use."""
    queues: tuple[str, ...]
    secrets: tuple[str, ...]
    """Its own, by name."""
    tags: dict[str, str]


def generate(service: Service, settings: AwsSettings | None = None) -> Iterator[RoleSpec]:
    """One for every service that runs in an account whose settings say who takes on roles."""
    account = account_of(service, settings)
    if account is None or account.workloads is None or not service.runs:
        return
    cluster = account.workloads.startswith("arn:")
    blueprint = service.blueprint
    yield RoleSpec(
        workloads=account.workloads,
        account=_service_account(service) if cluster else "",
        boundary=account.boundary or "",
        arns=tuple(sorted({other.arn for other in service.depends_on if service_of(other.arn) in GRANTS})),
        queues=tuple(sorted({queue_name(service, queue) for queue in blueprint.data.queues.names})),
        secrets=tuple(sorted({secret_name(service, secret) for secret in blueprint.access.secrets.generated})),
        tags=tags_for(service, settings),
    )


def _service_account(service: Service) -> str:
    """The Kubernetes service account: it bears the name of the workload."""
    namespace = service.annotations.get(_KUBERNETES_NAMESPACE) or service.namespace
    name = service.annotations.get(_KUBERNETES_ID) or service.name
    parts = [safe(service, "a Kubernetes service account", text.lower(), _DNS_LABEL) for text in (namespace, name)]
    return f"system:serviceaccount:{parts[0]}:{parts[1]}"


def part(spec: RoleSpec) -> Part:
    """The role with one policy; without a policy where there is nothing to allow."""
    allowed = statements(spec.arns)
    for kind, prefix, names, end in (
        ("sqs", "", spec.queues, ""),
        ("secretsmanager", "secret:", spec.secrets, "-??????"),
    ):
        if names:  # Secrets Manager ends every ARN with six characters of its own
            actions = list(GRANTS[kind][0].actions)
            allowed.append(
                {
                    "Effect": "Allow",
                    "Action": actions,
                    "Resource": [own(kind, f"{prefix}{name}{end}") for name in names],
                }
            )
    policy = {"PolicyName": "uses", "PolicyDocument": {"Version": _VERSION, "Statement": allowed}}
    properties: dict[str, Any] = {
        "AssumeRolePolicyDocument": {"Version": _VERSION, "Statement": [_trust(spec)]},
        **({"PermissionsBoundary": spec.boundary} if spec.boundary else {}),
        **({"Policies": [policy]} if allowed else {}),
        "Tags": tag_list(spec.tags),
    }
    role = {"Type": "AWS::IAM::Role", "Properties": properties}
    return Part({"Role": role}, {"RoleArn": output({"Fn::GetAtt": ["Role", "Arn"]}, "ARN of the service's role")})


def _trust(spec: RoleSpec) -> dict[str, Any]:
    """Who takes on the role. https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html"""
    if not spec.account:
        return {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": spec.workloads}}
    issuer = re.sub(r".*:oidc-provider/", "", spec.workloads)
    asked = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": spec.account}
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": spec.workloads},
        "Condition": {"StringEquals": asked},
    }


IAM_ROLE = StackKind(
    name="aws/iam_role",
    version=1,
    summary="what a service may do in AWS",
    category=Category.ACCESS,
    subject=Service,
    spec=RoleSpec,
    generate=generate,
    part=part,
    logical_id=lambda spec: "Role",
)
