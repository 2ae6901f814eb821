"""Opsgenie's stand-in with a clock that tests set."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nthlayer_sync.model.config import Config
from nthlayer_sync.model.service import Team
from nthlayer_sync.plugins import opsgenie
from nthlayer_sync.sandbox.tool import Call
from nthlayer_sync.sdk.http import Manners
from tests.plugins.live import Trial, trial
from tests.plugins.on_call import Clock


class Plugin(opsgenie.Plugin):
    """As fast as it goes."""

    manners = Manners(rate=math.inf)


class Duties:
    """A trial, its clock, and who the stand-in says is on call."""

    def __init__(self, held: Trial, clock: Clock) -> None:
        self.trial = held
        self.clock = clock

    def schedule(self, which: str) -> dict[str, Any]:
        held = self.trial.tool.collections["schedules"].everything()
        return next(each for each in held if each["name"] == f"payments-team {which}")

    def configs(self, team: Team) -> list[Config]:
        wanted = ("opsgenie/team", "opsgenie/schedule")
        return [config for config in self.trial.configs(team) if config.id.kind in wanted]

    def on_call(self, which: str) -> set[str]:
        """Everybody whom Opsgenie would call now."""
        query = {"date": [self.clock.now.isoformat()], "flat": ["true"]}
        reply = self.trial.tool.on_calls.now(Call("GET", "", {"id": self.schedule(which)["id"]}, query, {}))  # type: ignore[attr-defined]
        return set(reply.body["data"]["onCallRecipients"])

    def gaps(self, which: str, start: datetime, days: int) -> list[str]:
        """When nobody is on call."""
        query = {"date": [start.isoformat()], "interval": [str(days)], "intervalUnit": ["days"]}
        reply = self.trial.tool.on_calls.timeline(Call("GET", "", {"id": self.schedule(which)["id"]}, query, {}))  # type: ignore[attr-defined]
        data = reply.body["data"]
        rows = [row for rotation in data["finalTimeline"]["rotations"] for row in rotation["periods"]]
        edges = [(row["startDate"], row["endDate"]) for row in rows]
        periods = sorted((datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in edges)
        found, seen = list[str](), datetime.fromisoformat(data["startDate"])
        for begin, end in periods:
            if begin > seen:
                found.append(f"{seen} to {begin}")
            seen = max(seen, end)
        if seen < datetime.fromisoformat(data["endDate"]) - timedelta(hours=2):
            found.append(f"from {seen}")
        return found

    def overrides(self, which: str) -> set[str]:
        return {each["alias"] for each in self.trial.tool.collections["overrides"].listed(self.schedule(which)["id"])}

    def arrange(self, which: str, email: str, start: str, end: str) -> str:
        users = self.trial.tool.collections["users"]
        id = next(user["id"] for user in users.everything() if user["username"] == email)
        user = {"type": "user", "id": id, "username": email}
        arranged = {"alias": "by-hand", "startDate": start, "endDate": end, "user": user}
        return self.trial.tool.collections["overrides"].add(arranged, self.schedule(which)["id"])["alias"]


@asynccontextmanager
async def duties(shared: Path, clock: Clock) -> AsyncIterator[Duties]:
    """The plugin and the stand-in by one clock."""
    async with trial(shared, Plugin) as held:
        held.target.now = clock
        held.tool.now = clock  # type: ignore[method-assign]
        yield Duties(held, clock)
