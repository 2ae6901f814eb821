"""PagerDuty's stand-in with a clock that tests set."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nthlayer_sync.model.config import Config
from nthlayer_sync.model.service import Team
from nthlayer_sync.plugins.pagerduty import Plugin
from nthlayer_sync.plugins.pagerduty.schedule import SCHEDULE, SCHEDULES
from nthlayer_sync.sandbox.tool import Call
from nthlayer_sync.sandbox.vendors.pagerduty.shape import reference
from nthlayer_sync.sdk.http import Manners
from tests.plugins.live import Trial, trial
from tests.plugins.on_call import Clock


class Duties:
    """A trial, its clock, and who the stand-in says is on call."""

    def __init__(self, held: Trial, clock: Clock) -> None:
        self.trial = held
        self.clock = clock

    def schedule(self, which: str) -> dict[str, Any]:
        held = self.trial.tool.collections["schedules"].everything()
        return next(each for each in held if each["name"] == f"payments-team {which}")

    def entries(self, which: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """The final schedule as PagerDuty renders it."""
        item = self.schedule(which)
        call = Call("GET", "", {"id": item["id"]}, {"since": [start.isoformat()], "until": [end.isoformat()]}, {})
        shown: Any = self.trial.tool.schedules.shown(call, item)  # type: ignore[attr-defined]
        return shown["final_schedule"]["rendered_schedule_entries"]

    def configs(self, team: Team) -> list[Config]:
        return [config for config in self.trial.configs(team) if config.id.kind == "pagerduty/schedule"]

    def on_call(self, which: str) -> set[str]:
        now = self.clock.now
        found = [
            entry
            for entry in self.entries(which, now, now + timedelta(minutes=1))
            if datetime.fromisoformat(entry["start"]) <= now
        ]
        users = self.trial.tool.collections["users"]
        return {(users.get(entry["user"]["id"]) or {})["email"] for entry in found[:1]}

    def gaps(self, which: str, start: datetime, days: int) -> list[str]:
        """When nobody is on call."""
        zone = ZoneInfo(self.schedule(which)["time_zone"])
        start, until = start.astimezone(zone), (start + timedelta(days=days)).astimezone(zone)
        entries = self.entries(which, start, until)
        edges = [start.isoformat(), *(edge for e in entries for edge in (e["start"], e["end"])), until.isoformat()]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return [a for a, b in pairs if datetime.fromisoformat(a) < datetime.fromisoformat(b)]

    def overrides(self, which: str) -> set[str]:
        return {each["id"] for each in self.trial.tool.collections["overrides"].listed(self.schedule(which)["id"])}

    def arrange(self, which: str, email: str, start: str, end: str) -> str:
        users = self.trial.tool.collections["users"]
        user = next(reference(user) for user in users.everything() if user["email"] == email)
        arranged = {"start": start, "end": end, "user": user}
        return self.trial.tool.collections["overrides"].add(arranged, self.schedule(which)["id"])["id"]


@asynccontextmanager
async def duties(shared: Path, clock: Clock) -> AsyncIterator[Duties]:
    """The plugin and the stand-in by one clock."""
    kind = replace(SCHEDULE, collection=replace(SCHEDULES, now=clock))

    class Clocked(Plugin):
        manners = Manners(rate=math.inf)
        kinds = tuple(kind if each is SCHEDULE else each for each in Plugin.kinds)

    async with trial(shared, Clocked) as held:
        held.target.now = clock
        held.tool.now = clock  # type: ignore[method-assign]
        yield Duties(held, clock)
