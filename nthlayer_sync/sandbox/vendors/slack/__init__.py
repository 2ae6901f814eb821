"""Slack, Web API: channels, user groups, users.

Rules are those of https://docs.slack.dev/reference/methods: every answer is 200 with `ok`, a refusal has `ok: false`
and a word in `error`; lists go on with `response_metadata.next_cursor`; text is stored with `&`, `<`, `>` escaped;
channels are archived, never deleted, and an archived channel keeps its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from nthlayer_sync.sandbox.collection import Item, Shape
from nthlayer_sync.sandbox.ids import UPPER, IdMaker, token
from nthlayer_sync.sandbox.people import ORGANISATION, PEOPLE, TEAMS
from nthlayer_sync.sandbox.tool import Call, Limit, RefusalError, Reply, Tool
from nthlayer_sync.sandbox.vendors.slack.conversations import Conversations
from nthlayer_sync.sandbox.vendors.slack.shape import BOT, TEAM, argument
from nthlayer_sync.sandbox.vendors.slack.usergroups import UserGroups

_PER_MINUTE = {
    "auth.test": 600,
    "conversations.info": 50,
    "conversations.invite": 50,
    "conversations.join": 50,
    "conversations.members": 100,
    "users.info": 100,
    "users.lookupByEmail": 50,
}
"""By method; tier 2, which is 20, for the others."""


_READS = ("list", "info", "members", "lookupByEmail", "test", "history")


Answer: TypeAlias = Callable[[Call], Item]
"""What a method says beside `ok: true`."""


class Slack(Tool):
    """The stand-in of https://slack.com/api.

    Attributes:
        tiers: Whether each method has the limit of its tier (https://docs.slack.dev/apis/web-api/rate-limits).
    """

    name = "slack"
    host = "https://slack.com"
    base = "/api"
    token = "xoxb-sandbox-slack"  # noqa: S105 - it opens nothing but the sandbox
    forms = True
    tiers = False

    def serve(self) -> None:
        """Make the collections and routes."""
        self.users = self.collection(Shape(name="users", new_id=self._ids("U"), unique=("email",)))
        self.conversations = Conversations(self)
        self.groups = UserGroups(self)
        methods: dict[str, Answer] = {
            "auth.test": lambda call: (
                {"url": "https://acme.slack.com/", "team": ORGANISATION, "team_id": TEAM}
                | {"user": "nthlayer", "user_id": BOT}
            ),
            "users.list": self._list_users,
            "users.info": lambda call: {"user": self.user(argument(call, "user"))},
            "users.lookupByEmail": self._look_up,
        }
        for method, handler in methods.items():
            self.method(method, handler)

    def seed_people(self) -> None:
        """Every person, and a channel for each team."""
        for person in PEOPLE:
            profile = {"real_name": person.name, "display_name": person.login, "email": person.email}
            profile |= {"real_name_normalized": person.name, "display_name_normalized": person.login}
            profile |= {"avatar_hash": "000000000000", "team": TEAM}
            item: Item = {"team_id": TEAM, "name": person.login, "real_name": person.name, "deleted": False}
            item |= {"tz": person.time_zone, "is_bot": False, "profile": profile, "updated": self.seconds()}
            item |= {"is_app_user": False, "email": person.email}
            self.users.add(item)
        for title in TEAMS.values():
            # By a person, not by the app whose token we have.
            self.conversations.made(title.lower(), private=False)["creator"] = self.users.listed()[0]["id"]

    def method(self, name: str, handler: Answer) -> None:
        """Answer a method, whether it comes as GET or POST; what `handler` gives is said with `ok: true`."""

        def answer(call: Call) -> Reply:
            return Reply(200, {"ok": True, **handler(call)})

        for verb in ("GET", "POST"):
            self.route(verb, f"/api/{name}", answer)

    def limit(self, path: str) -> Limit:
        """A tier's limit is for each method, and a minute's worth may come at once."""
        method = path.rsplit("/", 1)[-1]
        if not self.tiers:
            return super().limit(path)
        per_minute = _PER_MINUTE.get(method, 20)
        return Limit(method, per_minute / 60, per_minute)

    def is_write(self, method: str, path: str) -> bool:
        """The last word of the method says it."""
        return not path.endswith(_READS)

    def refused(self, status: int, *messages: str) -> Reply:
        """200 and a word."""
        return Reply(200, {"ok": False, "error": messages[0] if status == 200 else "unknown_method"})

    def unauthorised(self) -> Reply:
        """200 and a word."""
        return Reply(200, {"ok": False, "error": "invalid_auth"})

    def limited(self, wait: int) -> Reply:
        """429 indeed."""
        return Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(wait)})

    def ids(self, name: str) -> IdMaker:
        """A letter for the kind, 0 and nine more."""
        return self._ids({"conversations": "C", "usergroups": "S"}.get(name, "X"))

    def seconds(self) -> int:
        """The time now, since the epoch."""
        return int(self.now().timestamp())

    def user(self, id: str) -> Item:
        """A user as it is shown; raises the refusal when there is none."""
        found = self.users.get(id)
        if found is None:
            raise self.no("user_not_found")
        return {name: value for name, value in found.items() if name != "email"}

    def no(self, word: str) -> RefusalError:
        """A refusal."""
        return self.refuse(200, word)

    def paged(self, call: Call, items: list[Item], many: str) -> Item:
        """A page by cursor."""
        start, limit = argument(call, "cursor") or "0", argument(call, "limit") or "100"
        if not start.isdecimal():
            raise self.no("invalid_cursor")
        at, size = int(start), min(int(limit), 1000) if limit.isdecimal() and limit != "0" else 100
        after = str(at + size) if at + size < len(items) else ""
        return {many: items[at : at + size], "response_metadata": {"next_cursor": after}}

    def _ids(self, letter: str) -> IdMaker:
        return token(UPPER, 9, f"{letter}0", self.seed)

    def _list_users(self, call: Call) -> Item:
        shown = [self.user(each["id"]) for each in self.users.listed()]
        return {**self.paged(call, shown, "members"), "cache_ts": self.seconds()}

    def _look_up(self, call: Call) -> Item:
        found = self.users.find("email", argument(call, "email"))
        if found is None:
            raise self.no("users_not_found")
        return {"user": self.user(found["id"])}
