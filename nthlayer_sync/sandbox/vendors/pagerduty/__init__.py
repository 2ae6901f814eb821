"""PagerDuty, REST API v2: people, schedules, escalation policies, services, incident workflows.

Rules are those of https://developer.pagerduty.com/api-reference: errors are `{"error": {message, code, errors}}`, lists
are cut by `offset` and `limit` (100 at most) and come in the order of names, references are stored by id and shown with
what they stand for.
"""

from __future__ import annotations

from collections.abc import Mapping

from nthlayer_sync.sandbox.ids import UPPER, IdMaker, token
from nthlayer_sync.sandbox.people import PEOPLE, TEAMS
from nthlayer_sync.sandbox.tool import Reply, Tool
from nthlayer_sync.sandbox.vendors.pagerduty.people import Members, Teams, Users
from nthlayer_sync.sandbox.vendors.pagerduty.policies import EscalationPolicies
from nthlayer_sync.sandbox.vendors.pagerduty.schedules import Overrides, Schedules
from nthlayer_sync.sandbox.vendors.pagerduty.services import Integrations, ServiceDependencies, Services
from nthlayer_sync.sandbox.vendors.pagerduty.workflows import Triggers, Workflows

_CODES = {400: (2001, "Invalid Input Provided"), 401: (2006, "Unauthorized"), 404: (2100, "Not Found")}
_CODES[429] = (2020, "Rate Limit Exceeded")


class PagerDuty(Tool):
    """The stand-in of https://api.pagerduty.com."""

    name = "pagerduty"
    host = "https://api.pagerduty.com"
    token = "sandbox-pagerduty"  # noqa: S105 - it opens nothing but the sandbox

    def serve(self) -> None:
        """Make the collections and routes."""
        self.users = Users(self)
        self.teams = Teams(self)
        self.members = Members(self)
        self.schedules = Schedules(self)
        Overrides(self, self.schedules)
        EscalationPolicies(self, self.schedules)
        Services(self)
        Integrations(self)
        ServiceDependencies(self)
        Workflows(self)
        Triggers(self)

    def seed_people(self) -> None:
        """Every person and every team, with its members."""
        teams = {
            name: self.teams.collection.add(self.teams.made({"type": "team", "name": title}))
            for name, title in TEAMS.items()
        }
        for person in PEOPLE:
            wanted = {"type": "user", "name": person.name, "email": person.email, "time_zone": person.time_zone}
            user = self.users.collection.add(self.users.made(wanted))
            self.members.join(teams[person.team]["id"], user["id"], "responder")

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """A REST API key; its own scheme."""
        return headers.get("Authorization") == f"Token token={self.token}"

    def ids(self, name: str) -> IdMaker:
        """P and six capitals and digits."""
        return token(UPPER, 6, "P", f"{self.seed}{name}")

    def refused(self, status: int, *messages: str) -> Reply:
        """A code of PagerDuty's own, its message, and what is wrong in `errors`."""
        code, message = _CODES.get(status, (2000, messages[0] if messages else "Internal Server Error"))
        error: dict[str, object] = {"message": message, "code": code}
        if status == 400:
            error["errors"] = list(messages)
        return Reply(status, {"error": error})

    def limited(self, wait: int) -> Reply:
        """With the rate limit's own headers, in seconds (https://developer.pagerduty.com/docs/rest-api-rate-limits)."""
        reply = super().limited(wait)
        reply.headers |= {
            "ratelimit-limit": str(int(self.rate * 60)),
            "ratelimit-remaining": "0",
            "ratelimit-reset": str(wait),
        }
        return reply
