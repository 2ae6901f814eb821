"""aws/security_group: what a service may open connections to. Who may connect to it stands in `aws/ingress`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws.settings import AwsSettings
from nthlayer_sync.plugins.aws.stack import account_of, output, stack_name, tag_list, tags_for
from nthlayer_sync.sdk.cloudformation import Part, StackKind
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.signals.packs import PACKS

HTTPS = 443


class SecurityGroupSpec(Spec, frozen=True):
    """A group that may reach `ports` inside `network`, and HTTPS anywhere."""

    name: str
    vpc: str
    network: str
    ports: tuple[int, ...]
    tags: dict[str, str]


def generate(service: Service, settings: AwsSettings | None = None) -> Iterator[SecurityGroupSpec]:
    """One for every service that runs in an account whose settings name a VPC."""
    account = account_of(service, settings)
    if account is None or account.vpc is None or not service.runs:
        return
    inside = [other for other in service.depends_on if not other.external]
    ports = {port for other in inside if other.technology in PACKS for port in PACKS[other.technology].ports}
    if any(other.kind in ("component", "api") for other in inside):
        ports.update(account.ports)
    yield SecurityGroupSpec(
        name=stack_name(service.ref),
        vpc=account.vpc,
        network=account.network,
        ports=tuple(sorted(ports - {HTTPS})),
        tags=tags_for(service, settings),
    )


def export_name(stack: str) -> str:
    """The name under which a stack exports its group."""
    return f"{stack}-security-group"


def part(spec: SecurityGroupSpec) -> Part:
    """The group without ingress, and its id for the stacks of those that it may connect to."""
    egress = [_rule(HTTPS, "0.0.0.0/0"), *(_rule(port, spec.network) for port in spec.ports)]
    properties = {
        "GroupDescription": f"Operational configs of {spec.name}, by nthlayer-sync",
        "VpcId": spec.vpc,
        "SecurityGroupEgress": egress,
        "Tags": tag_list(spec.tags),
    }
    group = {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}
    id = {"Fn::GetAtt": ["SecurityGroup", "GroupId"]}
    outputs = {"SecurityGroupId": output(id, "id of the security group", export_name(spec.name))}
    return Part({"SecurityGroup": group}, outputs)


def _rule(port: int, network: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": network}


SECURITY_GROUP = StackKind(
    name="aws/security_group",
    version=1,
    summary="what a service may open connections to",
    category=Category.ACCESS,
    subject=Service,
    spec=SecurityGroupSpec,
    generate=generate,
    part=part,
    logical_id=lambda spec: "SecurityGroup",
)
