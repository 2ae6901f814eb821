"""aws/ingress: that one service may connect to another that it depends on; whoever is not named may not.

A config of its own for each, so that neither of two services has to be there before the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws.security_group import export_name
from nthlayer_sync.plugins.aws.settings import AwsSettings
from nthlayer_sync.plugins.aws.stack import account_of, short_name, stack_name
from nthlayer_sync.sdk.cloudformation import Part, StackKind
from nthlayer_sync.sdk.kind import Category


class IngressSpec(Spec, frozen=True):
    """Who may connect, by the name of its stack and what is its own of that, and to which TCP ports."""

    source: str
    stack: str
    ports: tuple[int, ...]


def generate(service: Service, settings: AwsSettings | None = None) -> Iterator[IngressSpec]:
    """One for each service in the same account that depends on this one."""
    account = account_of(service, settings)
    if account is None or account.vpc is None or not service.runs:
        return
    for other in service.dependents:
        if other.kind == "component" and other.account == account.id and other.tier and other.ref != service.ref:
            yield IngressSpec(
                source=short_name(other.ref), stack=stack_name(other.ref), ports=tuple(sorted(set(account.ports)))
            )


def logical_id(spec: IngressSpec) -> str:
    """Letters and digits, one for each source."""
    return f"IngressFrom{blake2b(spec.source.encode(), digest_size=6).hexdigest()}"


def part(spec: IngressSpec) -> Part:
    """One rule for each port, from the group that the other stack exports."""
    rules = {
        f"{logical_id(spec)}Port{port}": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": {"Fn::GetAtt": ["SecurityGroup", "GroupId"]},
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "SourceSecurityGroupId": {"Fn::ImportValue": export_name(spec.stack)},
                "Description": f"{spec.stack} depends on it",
            },
        }
        for port in spec.ports
    }
    return Part(rules)


INGRESS = StackKind(
    name="aws/ingress",
    version=1,
    summary="that a service may connect to another that it depends on",
    category=Category.ACCESS,
    subject=Service,
    spec=IngressSpec,
    generate=generate,
    name_of=lambda spec: spec.source,
    part=part,
    logical_id=logical_id,
    requires=("aws/security_group",),
)
