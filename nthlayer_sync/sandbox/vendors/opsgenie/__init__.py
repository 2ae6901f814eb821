"""Opsgenie, REST API v2: users, teams, schedules with rotations and overrides, escalations, services.

Rules are those of https://docs.opsgenie.com/docs/api-overview: every answer has `took` and `requestId`; a create
answers with id and name only; objects are found by id or, with `identifierType=name`, by name; what is semantically
wrong is 422.
"""

from __future__ import annotations

from collections.abc import Mapping

from nthlayer_sync.sandbox.people import PEOPLE, TEAMS
from nthlayer_sync.sandbox.tool import Reply, Tool
from nthlayer_sync.sandbox.vendors.opsgenie.on_calls import OnCalls
from nthlayer_sync.sandbox.vendors.opsgenie.people import Teams, Users
from nthlayer_sync.sandbox.vendors.opsgenie.schedules import Overrides, Rotations, Schedules
from nthlayer_sync.sandbox.vendors.opsgenie.services import Escalations, Services
from nthlayer_sync.sandbox.vendors.opsgenie.shape import REQUEST


class Opsgenie(Tool):
    """The stand-in of https://api.opsgenie.com."""

    name = "opsgenie"
    host = "https://api.opsgenie.com"
    token = "sandbox-opsgenie"  # noqa: S105 - it opens nothing but the sandbox

    def serve(self) -> None:
        """Make the collections and routes."""
        self.users = Users(self)
        self.teams = Teams(self)
        Schedules(self)
        Rotations(self)
        Overrides(self)
        self.on_calls = OnCalls(self)
        Escalations(self)
        Services(self)

    def seed_people(self) -> None:
        """Every person and every team, with its members."""
        for person in PEOPLE:
            wanted = {"username": person.email, "fullName": person.name, "timeZone": person.time_zone}
            self.users.collection.add(self.users.made(wanted | {"role": {"name": "User"}}))
        for name, title in TEAMS.items():
            members = [{"user": {"username": person.email}, "role": "user"} for person in PEOPLE if person.team == name]
            self.teams.collection.add(self.teams.made({"name": title, "members": members}))

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """An API key; its own scheme."""
        return headers.get("Authorization") == f"GenieKey {self.token}"

    def refused(self, status: int, *messages: str) -> Reply:
        """A message."""
        return Reply(status, {"message": "; ".join(messages) or "Not found", **REQUEST})

    def limited(self, wait: int) -> Reply:
        """With the rate limit's own headers (https://docs.opsgenie.com/docs/api-rate-limiting)."""
        reply = super().limited(wait)
        reply.headers |= {"X-RateLimit-State": "THROTTLED", "X-RateLimit-Reason": "ACCOUNT"}
        reply.headers |= {"X-RateLimit-Period-In-Sec": str(wait)}
        return reply
