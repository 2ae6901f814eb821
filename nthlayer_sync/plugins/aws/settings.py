"""What an organisation says of its AWS accounts."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nthlayer_sync.model.blueprint.section import Span, Template
from nthlayer_sync.sdk.plugin import LiveSettings

Port = Annotated[int, Field(ge=1, le=65_535)]
Arn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12}|aws)?:[A-Za-z0-9_+=,.@:/-]+$")]


def _network(text: str) -> str:
    return str(IPv4Network(text))


class AccountSettings(BaseModel):
    """One account and region, in which services have a stack each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9]{12}$", description="Number of the account, as amazonaws.com/account-id names it.")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$", description="Region of the stacks, such as eu-west-1.")
    role: Arn | None = Field(
        default=None, description="Role to assume there; left out, the program's own credentials are used."
    )
    workloads: str | None = Field(
        default=None,
        pattern=r"^(arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/[A-Za-z0-9./_-]+|[a-z0-9.-]+\.amazonaws\.com)$",
        description="Who takes on the role of a service: the ARN of a cluster's OIDC provider (EKS), or a service"
        " such as ecs-tasks.amazonaws.com. Left out, no roles are made.",
    )
    boundary: Arn | None = Field(default=None, description="Policy that bounds what any of these roles may ever do.")
    vpc: str | None = Field(
        default=None, pattern=r"^vpc-[0-9a-f]{8,17}$", description="VPC of security groups; left out, none are made."
    )
    ports: tuple[Port, ...] = Field(default=(8080,), description="TCP ports on which services take requests.")
    network: Annotated[str, AfterValidator(_network)] = Field(
        default="10.0.0.0/8", description="Addresses of what services depend on inside the organisation."
    )
    log_group: Template = Field(default="/services/{name}", description="Name of a service's log group.")
    rotation: Arn | None = Field(
        default=None, description="Lambda function that rotates secrets; left out, AWS does not rotate them."
    )
    backup_vault: str = Field(
        default="Default", pattern=r"^[a-zA-Z0-9_-]{2,50}$", description="Vault that backups go to; it exists already."
    )
    backup_role: str = Field(
        default="service-role/AWSBackupDefaultServiceRole",
        pattern=r"^[A-Za-z0-9_+=,.@/-]{1,200}$",
        description="Path and name of the role with which AWS Backup works.",
    )
    drift_check: Span | None = Field(
        default=None,
        description="How old AWS's own look for drift may be before it is asked to look again, such as 1h. Left out, it"
        " is never asked, and only changes of the template show as drift.",
    )
    endpoint: str | None = Field(default=None, description="Address that stands in for AWS's own, for tests.")

    @property
    def root(self) -> str:
        """What places in it begin with."""
        return f"aws:{self.id}/{self.region}"


class AwsSettings(LiveSettings):
    """Settings of the plugin."""

    environment: str = Field(default="production", description="Value of the tag `environment`.")
    accounts: tuple[AccountSettings, ...] = Field(
        default=(), description="Accounts in which services have stacks; left out, nothing is written to AWS."
    )
