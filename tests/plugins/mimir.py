"""A stand-in for Mimir: its rulers and its Alertmanager, one tenant, with what it makes of what it is given.

https://grafana.com/docs/mimir/latest/references/http-api/; durations as `model.Duration` prints them.
"""

import re
from typing import Any

import yaml
from aiohttp import web

TENANT = "acme"
TOKEN = "canary-mimir-token"
UNITS = (("y", 31_536_000), ("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
EXACT = ("y", "w", "d")


def printed(text: str) -> str:
    """A duration as Go's `model.Duration` prints it: years, weeks and days only where nothing else is left."""
    left = sum(int(count) * dict(UNITS)[unit] for count, unit in re.findall(r"(\d+)([ywdhms])", text))
    out = ""
    for unit, seconds in UNITS:
        if unit in EXACT and left % seconds:
            continue
        if left >= seconds:
            out += f"{left // seconds}{unit}"
            left %= seconds
    return out or "0s"


class MimirStandIn:
    """What it holds, and every write that was sent to it."""

    def __init__(self) -> None:
        self.rules: dict[str, dict[str, Any]] = {}
        self.alerts: dict[str, Any] = {}
        self.writes: list[str] = []
        self.most_groups = 1_000
        self.lost: list[int] = []
        """Statuses that come instead of the next answers to writes, which are carried out all the same."""
        self.app = web.Application(middlewares=[self._let_in])
        rules = "/prometheus/config/v1/rules"
        self.app.router.add_get(rules, self.list_all)
        self.app.router.add_get(rules + "/{namespace}", self.list_one)
        self.app.router.add_post(rules + "/{namespace}", self.set_group)
        self.app.router.add_delete(rules + "/{namespace}", self.drop)
        self.app.router.add_delete(rules + "/{namespace}/{group}", self.drop)
        self.app.router.add_get("/api/v1/alerts", self.get_alerts)
        self.app.router.add_post("/api/v1/alerts", self.set_alerts)
        self.app.router.add_delete("/api/v1/alerts", self.drop_alerts)

    @web.middleware
    async def _let_in(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401, text="unauthorized")
        if request.headers.get("X-Scope-OrgID") != TENANT:
            return web.Response(status=401, text="no org id")
        if request.method != "GET":
            self.writes.append(f"{request.method} {request.path}")
        answer = await handler(request)
        if request.method != "GET" and self.lost:
            return web.Response(status=self.lost.pop(0), text="lost")
        return answer

    async def list_all(self, request: web.Request) -> web.Response:
        if not self.rules:
            return web.Response(status=404, text="no rule groups found")
        return self._yaml({name: list(groups.values()) for name, groups in self.rules.items()})

    async def list_one(self, request: web.Request) -> web.Response:
        name = request.match_info["namespace"]
        if name not in self.rules:
            return web.Response(status=404, text="no rule groups found")
        return self._yaml({name: list(self.rules[name].values())})

    async def set_group(self, request: web.Request) -> web.Response:
        group = yaml.safe_load(await request.text())
        if unknown := group.keys() - {"name", "interval", "rules", "query_offset", "limit", "source_tenants"}:
            return web.Response(status=400, text=f"field {sorted(unknown)} not found in type rulefmt.RuleGroup")
        for rule in group["rules"]:
            if rule["expr"].count("(") != rule["expr"].count(")"):
                return web.Response(status=400, text=f"could not parse expression: {rule['expr'][:40]}")
        count = sum(map(len, self.rules.values())) + (group["name"] not in self.rules.get(_namespace(request), {}))
        if count > self.most_groups:
            return web.Response(status=400, text=f"per-user rule groups limit (limit: {self.most_groups}) exceeded")
        self.rules.setdefault(_namespace(request), {})[group["name"]] = {
            "name": group["name"],
            **({"interval": printed(group["interval"])} if "interval" in group else {}),
            "rules": [self._kept(rule) for rule in group["rules"]],
        }
        return web.json_response({"status": "success"}, status=202)

    @staticmethod
    def _kept(rule: dict[str, Any]) -> dict[str, Any]:
        kept = {key: rule[key] for key in ("record", "alert", "expr") if key in rule}
        if "for" in rule and printed(rule["for"]) != "0s":
            kept["for"] = printed(rule["for"])
        for key in ("labels", "annotations"):
            if rule.get(key):
                kept[key] = dict(sorted(rule[key].items()))
        return kept

    async def drop(self, request: web.Request) -> web.Response:
        name, group = _namespace(request), request.match_info.get("group")
        if name not in self.rules or (group is not None and group not in self.rules[name]):
            return web.Response(status=404, text="group does not exist")
        if group is not None:
            del self.rules[name][group]
        if group is None or not self.rules[name]:
            del self.rules[name]
        return web.json_response({"status": "success"}, status=202)

    async def get_alerts(self, request: web.Request) -> web.Response:
        if not self.alerts:
            return web.Response(status=404, text="the Alertmanager is not configured")
        return self._yaml(self.alerts)

    async def set_alerts(self, request: web.Request) -> web.Response:
        given = yaml.safe_load(await request.text())
        config = yaml.safe_load(given["alertmanager_config"])
        if found := re.findall(r"[a-z_]+_file", yaml.safe_dump(config)):
            return web.Response(status=400, text=f"error validating Alertmanager config: {found[0]} is not allowed")
        names = {receiver["name"] for receiver in config["receivers"]}
        if config["route"]["receiver"] not in names:
            return web.Response(status=400, text="error validating Alertmanager config: undefined receiver")
        self.alerts = given
        return web.Response(status=201)

    async def drop_alerts(self, request: web.Request) -> web.Response:
        self.alerts = {}
        return web.Response(status=200)

    @staticmethod
    def _yaml(value: Any) -> web.Response:
        return web.Response(text=yaml.safe_dump(value, allow_unicode=True), content_type="application/yaml")


def _namespace(request: web.Request) -> str:
    return request.match_info["namespace"]
