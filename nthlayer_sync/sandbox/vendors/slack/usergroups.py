"""User groups."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from nthlayer_sync.sandbox.collection import Item, Shape, TakenError
from nthlayer_sync.sandbox.tool import Call, RefusalError
from nthlayer_sync.sandbox.vendors.slack.shape import BOT, TEAM, argument, listed

if TYPE_CHECKING:
    from nthlayer_sync.sandbox.vendors.slack import Slack


class UserGroups:
    """Groups of users; disabled, never deleted."""

    def __init__(self, tool: Slack) -> None:
        self.tool = tool
        shape = Shape(name="usergroups", new_id=tool.ids("usergroups"), unique=("name", "handle"))
        self.collection = tool.collection(shape)
        methods: dict[str, Callable[[Call], Item]] = {
            "create": self._create,
            "list": self._list,
            "update": self._update,
            "disable": lambda call: self._enabled(call, enabled=False),
            "enable": lambda call: self._enabled(call, enabled=True),
            "users.list": lambda call: {"users": self._held(call)["users"]},
            "users.update": self._set_users,
        }
        for name, handler in methods.items():
            tool.method(f"usergroups.{name}", handler)

    def _create(self, call: Call) -> Item:
        if not argument(call, "name"):
            raise self.tool.no("invalid_arguments")
        now = self.tool.seconds()
        item: Item = {"team_id": TEAM, "is_usergroup": True, "is_external": False, "auto_type": None}
        item |= {"is_subteam": True, "auto_provision": False, "enterprise_subteam_id": ""}
        item |= {"date_create": now, "date_update": now, "date_delete": 0, "created_by": BOT, "updated_by": BOT}
        item |= {"deleted_by": None, "users": [], "user_count": 0, **self._written(call, {})}
        try:
            return {"usergroup": self._shown(self.collection.add(item))}
        except TakenError as error:
            raise self._taken(error) from None

    def _update(self, call: Call) -> Item:
        old = self._held(call)
        item = old | self._written(call, old) | {"date_update": self.tool.seconds()}
        try:
            return {"usergroup": self._shown(self.collection.replace(old["id"], item))}
        except TakenError as error:
            raise self._taken(error) from None

    def _list(self, call: Call) -> Item:
        disabled, users = argument(call, "include_disabled") == "true", argument(call, "include_users") == "true"
        found = [item for item in self.collection.listed() if disabled or not item["date_delete"]]
        return {"usergroups": [self._shown(item) | ({"users": item["users"]} if users else {}) for item in found]}

    def _enabled(self, call: Call, *, enabled: bool) -> Item:
        old = self._held(call)
        item = old | {"date_delete": 0 if enabled else self.tool.seconds(), "deleted_by": None if enabled else BOT}
        return {"usergroup": self._shown(self.collection.replace(old["id"], item))}

    def _set_users(self, call: Call) -> Item:
        old, users = self._held(call), listed(argument(call, "users"))
        if not users:
            raise self.tool.no("no_users_provided")
        if any(self.tool.users.get(user) is None for user in users):
            raise self.tool.no("invalid_users")
        item = old | {"users": users, "user_count": len(users), "date_update": self.tool.seconds()}
        return {"usergroup": {**self._shown(self.collection.replace(old["id"], item)), "users": users}}

    def _held(self, call: Call) -> Item:
        found = self.collection.get(argument(call, "usergroup"))
        if found is None:
            raise self.tool.no("no_such_subteam")
        return found

    def _written(self, call: Call, old: Item) -> Item:
        given = {name: argument(call, name) for name in ("name", "handle", "description")}
        held = {name: value or str(old.get(name, "")) for name, value in given.items()}
        handle = held["handle"] or re.sub(r"[^a-z0-9]+", "-", held["name"].lower()).strip("-")
        channels = listed(argument(call, "channels")) or old.get("prefs", {}).get("channels", [])
        if any(self.tool.conversations.collection.get(channel) is None for channel in channels):
            raise self.tool.no("channel_not_found")
        text = html.escape(html.unescape(held["description"]), quote=False)
        return held | {"handle": handle, "description": text, "prefs": {"channels": channels, "groups": []}}

    def _shown(self, item: Item) -> Item:
        return {name: value for name, value in item.items() if name != "users"}

    def _taken(self, error: TakenError) -> RefusalError:
        return self.tool.no("handle_already_exists" if error.field == "handle" else "name_already_exists")
