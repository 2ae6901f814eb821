"""aws/budget: what a service may cost a month, and who is told when it costs more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws.settings import AwsSettings
from nthlayer_sync.plugins.aws.stack import account_of, stack_name, tags_for
from nthlayer_sync.sdk.cloudformation import Part, StackKind
from nthlayer_sync.taxonomy import SERVICE

# https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html
MOST_ALERTS = 5
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
UNITS = {"day": "DAILY", "month": "MONTHLY", "quarter": "QUARTERLY", "year": "ANNUALLY"}


class BudgetSpec(Spec, frozen=True):
    """A budget of `amount` for a period, over what bears the tag `service` with this value."""

    name: str
    service: str
    amount: str
    currency: str
    unit: str
    alerts: tuple[int, ...]
    email: str


def generate(service: Service, settings: AwsSettings | None = None) -> Iterator[BudgetSpec]:
    """One where the blueprint says what the service may cost."""
    account, budget = account_of(service, settings), service.blueprint.cost.budget
    if account is None or budget is None:
        return
    alerts = sorted({round(alert.value) for alert in service.blueprint.cost.alerts})
    if len(alerts) > MOST_ALERTS:
        raise PermanentError(f"{service.ref}: AWS allows {MOST_ALERTS} alerts of a budget, but cost.alerts has more")
    email = service.owner.email if service.owner else ""
    if email and not _EMAIL.fullmatch(email):
        raise PermanentError(f"{service.ref}: AWS cannot send to its owner's address {email[:200]!r}")
    yield BudgetSpec(
        name=stack_name(service.ref),
        service=tags_for(service, settings)[SERVICE],
        amount=f"{budget.amount:f}",
        currency=budget.currency,
        unit=UNITS[budget.period],
        alerts=tuple(alerts),
        email=email,
    )


def part(spec: BudgetSpec) -> Part:
    """One resource. Without an address of the owner there is a budget to look at, and nobody is told."""
    amount = Decimal(spec.amount)
    budget = {
        "BudgetName": spec.name,
        "BudgetType": "COST",
        "TimeUnit": spec.unit,
        "BudgetLimit": {"Amount": int(amount) if amount == int(amount) else float(amount), "Unit": spec.currency},
        "CostFilters": {"TagKeyValue": [f"user:{SERVICE}${spec.service}"]},
    }
    notifications = [
        {
            "Notification": {
                "NotificationType": "ACTUAL",
                "ComparisonOperator": "GREATER_THAN",
                "Threshold": alert,
                "ThresholdType": "PERCENTAGE",
            },
            "Subscribers": [{"SubscriptionType": "EMAIL", "Address": spec.email}],
        }
        for alert in (spec.alerts if spec.email else ())
    ]
    told = {"NotificationsWithSubscribers": notifications} if notifications else {}
    return Part({"Budget": {"Type": "AWS::Budgets::Budget", "Properties": {"Budget": budget, **told}}})


BUDGET = StackKind(
    name="aws/budget",
    version=1,
    summary="what a service may cost, and at which shares of that its owner is told",
    subject=Service,
    spec=BudgetSpec,
    generate=generate,
    part=part,
    logical_id=lambda spec: "Budget",
)
