"""Channels."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from nthlayer_sync.sandbox.collection import Item, Shape, TakenError
from nthlayer_sync.sandbox.tool import Call
from nthlayer_sync.sandbox.vendors.slack.shape import BOT, argument, listed

if TYPE_CHECKING:
    from nthlayer_sync.sandbox.vendors.slack import Slack


class Conversations:
    """Channels."""

    def __init__(self, tool: Slack) -> None:
        self.tool = tool
        self.collection = tool.collection(
            Shape(name="conversations", new_id=tool.ids("conversations"), unique=("name",))
        )
        methods: dict[str, Callable[[Call], Item]] = {
            "create": self._create,
            "list": self._list,
            "info": lambda call: {"channel": self._shown(self._held(call))},
            "rename": self._rename,
            "archive": lambda call: self._archived(call, archived=True),
            "unarchive": lambda call: self._archived(call, archived=False),
            "setTopic": lambda call: self._say(call, "topic"),
            "setPurpose": lambda call: self._say(call, "purpose"),
            "join": self._join,
            "invite": self._invite,
            "kick": self._kick,
            "members": lambda call: tool.paged(call, self._held(call)["members"], "members"),
        }
        for name, handler in methods.items():
            tool.method(f"conversations.{name}", handler)

    def made(self, name: str, *, private: bool) -> Item:
        """A new channel; raises the refusal of a bad name."""
        if not name:
            raise self.tool.no("invalid_name_required")
        if len(name) > 80:
            raise self.tool.no("invalid_name_maxlength")
        if not re.fullmatch(r"[^\W_A-Z][\w-]*|_[\w-]+", name) or name != name.lower():
            raise self.tool.no("invalid_name_specials")
        now, nothing = self.tool.seconds(), {"value": "", "creator": "", "last_set": 0}
        item: Item = {"name": name, "name_normalized": name, "is_channel": not private, "is_group": private}
        item |= {"is_private": private, "is_im": False, "is_mpim": False, "is_archived": False, "is_general": False}
        item |= {"created": now, "creator": BOT, "unlinked": 0, "is_shared": False, "is_org_shared": False}
        item |= {"is_ext_shared": False, "topic": dict(nothing), "purpose": dict(nothing), "previous_names": []}
        item |= {"pending_shared": [], "is_pending_ext_shared": False, "members": [BOT]}
        try:
            return self.collection.add(item)
        except TakenError:
            raise self.tool.no("name_taken") from None

    def _create(self, call: Call) -> Item:
        return {
            "channel": self._shown(self.made(argument(call, "name"), private=argument(call, "is_private") == "true"))
        }

    def _list(self, call: Call) -> Item:
        kinds = listed(argument(call, "types")) or ["public_channel"]
        active = argument(call, "exclude_archived") == "true"
        found = [
            {**self._shown(item), "num_members": len(item["members"])}
            for item in self.collection.listed()
            if ("private_channel" if item["is_private"] else "public_channel") in kinds
            and not (active and item["is_archived"])
        ]
        return self.tool.paged(call, found, "channels")

    def _rename(self, call: Call) -> Item:
        old = self._active(call)
        name = argument(call, "name")
        earlier = [old["name"], *old["previous_names"]] if name != old["name"] else old["previous_names"]
        item = old | {"name": name, "name_normalized": name, "previous_names": earlier}
        try:
            return {"channel": self._shown(self.collection.replace(old["id"], item))}
        except TakenError:
            raise self.tool.no("name_taken") from None

    def _archived(self, call: Call, *, archived: bool) -> Item:
        old = self._held(call)
        if old["is_archived"] == archived:
            raise self.tool.no("already_archived" if archived else "not_archived")
        self.collection.replace(old["id"], old | {"is_archived": archived})
        return {}

    def _say(self, call: Call, field: str) -> Item:
        old = self._active(call)
        text = html.escape(argument(call, field), quote=False)
        if len(text) > 250:
            raise self.tool.no("too_long")
        said = {"value": text, "creator": BOT, "last_set": self.tool.seconds()}
        item = self.collection.replace(old["id"], old | {field: said})
        return {"channel": self._shown(item)}

    def _join(self, call: Call) -> Item:
        old = self._active(call)
        if old["is_private"]:
            raise self.tool.no("method_not_supported_for_channel_type")
        if BOT not in old["members"]:
            old = self.collection.replace(old["id"], old | {"members": [*old["members"], BOT]})
        return {"channel": self._shown(old)}

    def _invite(self, call: Call) -> Item:
        old = self._active(call)
        users = listed(argument(call, "users"))
        if not users:
            raise self.tool.no("no_user")
        for user in users:
            self.tool.user(user)
        new = [user for user in users if user not in old["members"]]
        if not new:
            raise self.tool.no("already_in_channel")
        return {"channel": self._shown(self.collection.replace(old["id"], old | {"members": [*old["members"], *new]}))}

    def _kick(self, call: Call) -> Item:
        old, user = self._active(call), argument(call, "user")
        if user not in old["members"]:
            raise self.tool.no("not_in_channel")
        self.collection.replace(old["id"], old | {"members": [each for each in old["members"] if each != user]})
        return {}

    def _held(self, call: Call) -> Item:
        found = self.collection.get(argument(call, "channel"))
        if found is None:
            raise self.tool.no("channel_not_found")
        return found

    def _active(self, call: Call) -> Item:
        found = self._held(call)
        if found["is_archived"]:
            raise self.tool.no("is_archived")
        return found

    def _shown(self, item: Item) -> Item:
        shown = {name: value for name, value in item.items() if name != "members"}
        return shown | {"is_member": BOT in item["members"]}
