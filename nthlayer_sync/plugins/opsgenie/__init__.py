"""Opsgenie: who is called, for what, and in which order."""

from __future__ import annotations

from nthlayer_sync.plugins.opsgenie.escalation import ESCALATION
from nthlayer_sync.plugins.opsgenie.schedule import SCHEDULE
from nthlayer_sync.plugins.opsgenie.service import SERVICE
from nthlayer_sync.plugins.opsgenie.team import TEAM
from nthlayer_sync.plugins.opsgenie.tool import MANNERS
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestPlugin


class Plugin(RestPlugin):
    """Teams, their schedules and escalations, and the services that they own."""

    name = "opsgenie"
    version = "1"
    category = Category.INCIDENT
    summary = "teams, their schedules, escalations and services"
    kinds = (TEAM, SCHEDULE, ESCALATION, SERVICE)
    url = "https://api.opsgenie.com"
    manners = MANNERS
    scheme = "GenieKey {}"
