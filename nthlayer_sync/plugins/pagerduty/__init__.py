"""PagerDuty: who is called, for what, and in which order."""

from __future__ import annotations

from nthlayer_sync.plugins.pagerduty.escalation_policy import ESCALATION_POLICY
from nthlayer_sync.plugins.pagerduty.incident_workflow import INCIDENT_WORKFLOW
from nthlayer_sync.plugins.pagerduty.schedule import SCHEDULE
from nthlayer_sync.plugins.pagerduty.service import SERVICE
from nthlayer_sync.plugins.pagerduty.team import TEAM
from nthlayer_sync.plugins.pagerduty.tool import MANNERS
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestPlugin


class Plugin(RestPlugin):
    """Services and what calls people for them."""

    name = "pagerduty"
    version = "1"
    category = Category.INCIDENT
    summary = "services, and who is called for them"
    kinds = (TEAM, SCHEDULE, ESCALATION_POLICY, SERVICE, INCIDENT_WORKFLOW)
    url = "https://api.pagerduty.com"
    manners = MANNERS
    scheme = "Token token={}"
