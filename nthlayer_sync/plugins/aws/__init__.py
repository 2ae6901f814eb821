"""AWS: what its resources bear, and what each service has there."""

from __future__ import annotations

from typing import Any

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.service import Service, Subject
from nthlayer_sync.plugins.aws.backup_plan import BACKUP_PLAN
from nthlayer_sync.plugins.aws.budget import BUDGET
from nthlayer_sync.plugins.aws.iam_role import IAM_ROLE
from nthlayer_sync.plugins.aws.ingress import INGRESS
from nthlayer_sync.plugins.aws.log_group import LOG_GROUP
from nthlayer_sync.plugins.aws.secret import SECRET
from nthlayer_sync.plugins.aws.security_group import SECURITY_GROUP
from nthlayer_sync.plugins.aws.settings import AwsSettings
from nthlayer_sync.plugins.aws.sqs import SQS
from nthlayer_sync.plugins.aws.stack import account_of, stack_name
from nthlayer_sync.plugins.aws.tags import TAGS
from nthlayer_sync.sdk.cloudformation import Account, StackKind, StackTarget
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.target import Target


class Plugin(OperationalPlugin):
    """Tags as a file, and one CloudFormation stack a service in the accounts that the settings name."""

    name = "aws"
    version = "2"
    category = Category.COST
    summary = "tags of AWS resources, and a stack for each service"
    kinds = (TAGS, LOG_GROUP, SQS, SECRET, IAM_ROLE, SECURITY_GROUP, INGRESS, BACKUP_PLAN, BUDGET)
    settings_type = AwsSettings
    settings: AwsSettings

    def __init__(self, settings: AwsSettings, runtime: Runtime | None = None) -> None:
        """The settings say which accounts there are, and what all services in one have in common."""
        super().__init__(settings, runtime)
        self.bind(TAGS, environment=settings.environment)
        for kind in self.kinds:
            if isinstance(kind, StackKind):
                self.bind(kind, settings=settings)

    def connect(self, runtime: Runtime) -> Target | None:
        """The accounts that the settings name."""
        accounts = {
            account.root: Account(
                id=account.id,
                region=account.region,
                role=account.role or "",
                drift_seconds=account.drift_check.seconds if account.drift_check else None,
                endpoint=account.endpoint,
            )
            for account in self.settings.accounts
        }
        if not accounts:
            return None
        return StackTarget(accounts, runtime.instance, read_only=self.settings.read_only)

    def place(self, kind: Kind[Any, Any], subject: Subject, spec: Any) -> Place:
        """In the service's stack, or in a file."""
        if isinstance(kind, StackKind) and isinstance(subject, Service):
            account = account_of(subject, self.settings)
            assert account is not None
            return Place(account.root, f"{stack_name(subject.ref)}/{kind.logical_id(spec)}")
        return super().place(kind, subject, spec)
