"""Escalation policies, and `GET /oncalls`, which follows them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.references import Where
from nthlayer_sync.sandbox.tool import Call, Reply, Tool
from nthlayer_sync.sandbox.vendors.pagerduty.schedules import Schedules, wall
from nthlayer_sync.sandbox.vendors.pagerduty.shape import Shared, page, reference

_TARGETS = {"user": "users", "schedule": "schedules"}


class EscalationPolicies(Shared):
    """Who is told, and who when nobody answers; names are unique."""

    name = "escalation_policies"
    path = "/escalation_policies"
    one = "escalation_policy"
    many = "escalation_policies"
    unique = ("name",)
    required = ("name", "escalation_rules")

    def __init__(self, tool: Tool, schedules: Schedules) -> None:
        super().__init__(tool)
        self._schedules = schedules
        tool.route("GET", "/oncalls", self.on_calls)

    def check(self, call: Call, wanted: Item, old: Item | None) -> None:
        """Rules with a delay and known targets; at most nine loops."""
        if not 0 <= wanted.get("num_loops", 0) <= 9:
            raise self.tool.refuse(400, "Num loops must be between 0 and 9")
        rules: list[Item] = wanted.get("escalation_rules", [])
        for rule in rules:
            delay = rule.get("escalation_delay_in_minutes")
            if not isinstance(delay, int) or delay < 1:
                raise self.tool.refuse(400, "Escalation rules escalation delay in minutes must be at least 1")
            if not rule.get("targets"):
                raise self.tool.refuse(400, "Escalation rules targets can't be blank")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """Rules have ids; targets and teams are references."""
        item: Item = {"num_loops": 0, "on_call_handoff_notifications": "if_has_services", **self.made(wanted, old)}
        item["teams"] = self.all_of("teams", item.get("teams"), "Team")
        item["escalation_rules"] = [
            {
                "id": rule.get("id") or self.collection.new_id(),
                "escalation_delay_in_minutes": rule["escalation_delay_in_minutes"],
                "targets": [reference(self._target(each)) for each in rule["targets"]],
            }
            for rule in item["escalation_rules"]
        ]
        return item

    def targets(self, item: Item) -> list[Where]:
        """Whom it tells, and its teams."""
        told = [target for rule in item["escalation_rules"] for target in rule["targets"]]
        named = [(_TARGETS[target["type"].removesuffix("_reference")], target["id"]) for target in told]
        return [*named, *(("teams", team["id"]) for team in item["teams"])]

    def shown(self, call: Call, item: Item) -> Item:
        """With the services that use it."""
        return item | {"services": self.owners(item, "services")}

    def in_use(self, item: Item) -> str:
        """A policy that a service uses stays."""
        used = self.tool.references.owners((self.name, item["id"]), "services")
        return "Escalation policy can't be deleted if it's being used by services" if used else ""

    def on_calls(self, call: Call) -> Reply:
        """Who is on call now, by policy and level."""
        wanted_policies = call.query.get("escalation_policy_ids[]", [])
        wanted_schedules = call.query.get("schedule_ids[]", [])
        found: list[Item] = []
        for policy in self.collection.listed():
            if wanted_policies and policy["id"] not in wanted_policies:
                continue
            for level, rule in enumerate(policy["escalation_rules"], start=1):
                for target in rule["targets"]:
                    if wanted_schedules and target["id"] not in wanted_schedules:
                        continue
                    told = {"escalation_policy": reference(policy), "escalation_level": level}
                    found += [told | entry for entry in self._on_call(call, target)]
        return page(call, found, "oncalls", lambda entry: entry)

    def _on_call(self, call: Call, target: Item) -> list[Item]:
        if target["type"] == "user_reference":
            return [{"user": target, "schedule": None, "start": None, "end": None}]
        schedule = self.tool.collections["schedules"].get(target["id"])
        if schedule is None:
            return []
        now = self.tool.now().astimezone(ZoneInfo(schedule["time_zone"]))
        moment = Call(
            "GET", "", {}, {"since": [now.isoformat()], "until": [(now + timedelta(days=30)).isoformat()]}, {}
        )
        entries: list[Any] = self._schedules.shown(moment, schedule)["final_schedule"]["rendered_schedule_entries"]
        local = now.replace(tzinfo=None)
        return [
            entry | {"schedule": target}
            for entry in entries[:1]
            if wall(entry["start"], ZoneInfo(schedule["time_zone"])) <= local
        ]

    def _target(self, given: Any) -> Item:
        kind = str(given.get("type", "")).removesuffix("_reference")
        if kind not in _TARGETS:
            raise self.tool.refuse(400, "Escalation rules targets type is invalid")
        return self.target(_TARGETS[kind], given, kind.capitalize())
