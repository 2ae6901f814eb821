"""Slack's channels, as a collection: made in several steps, archived instead of deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from nthlayer_sync.plugins.slack.methods import InLine, look, pages, plain, tell
from nthlayer_sync.sdk.http import Conflict, NotThere, Tool, Unsure
from nthlayer_sync.sdk.rest import Collection, Json


@dataclass(frozen=True)
class Channels(Collection):
    """Public channels that are in use.

    A channel is made first and described afterwards. One that our own app made and that says nothing yet is therefore
    not there: whoever makes it next finishes it. So is one that is archived, which keeps its name; ours is taken back.
    """

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Every public channel, without those that are archived or not described yet."""
        us = await _us(tool)
        for channel in await pages(tool, "conversations.list", "channels", types="public_channel"):
            if not channel["is_archived"] and not _is_half_made(channel, us):
                yield _shown(channel)

    async def get(self, tool: Tool, id: str) -> Json | None:
        """One channel; None where it is archived."""
        try:
            channel = (await look(tool, "conversations.info", channel=id))["channel"]
        except NotThere:
            return None
        return None if channel["is_archived"] else _shown(channel)

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """Make one and describe it; or finish, or take back, the one of ours that has its name."""
        try:
            channel = (await tell(tool, "conversations.create", name=str(body["name"])))["channel"]
        except (Conflict, Unsure):
            channel = await self._left(tool, body)
            if channel is None:
                raise
        return await self.update(tool, _shown(channel), body)

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Only what differs."""
        id = str(live["id"])
        if not live["is_member"]:
            await tell(tool, "conversations.join", channel=id)
        if body["name"] != live["name"]:
            await tell(tool, "conversations.rename", channel=id, name=str(body["name"]))
        # The purpose bears our mark, so it comes first. `live` is without the mark and would always differ.
        await tell(tool, "conversations.setPurpose", channel=id, purpose=str(body["purpose"]))
        if body["topic"] != live["topic"]:
            await tell(tool, "conversations.setTopic", channel=id, topic=str(body["topic"]))
        return _shown((await look(tool, "conversations.info", channel=id))["channel"])

    async def delete(self, tool: Tool, live: Json) -> None:
        """Archive it: Slack keeps what was said."""
        try:
            await tell(tool, "conversations.archive", channel=str(live["id"]))
        except NotThere:
            return

    def url_of(self, body: Json) -> str:
        """Opens it in whichever client people have."""
        return f"https://slack.com/app_redirect?channel={body['id']}"

    async def _left(self, tool: Tool, body: Json) -> Json | None:
        """The channel with this name, where we made it: archived since, or never described."""
        us = await _us(tool)
        for channel in await pages(tool, "conversations.list", "channels", types="public_channel"):
            if channel["name"] != body["name"]:
                continue
            if not channel["is_archived"]:
                return channel if _is_half_made(channel, us) else None
            there, wanted = _shown(channel), dict(body)
            if InLine("purpose").take(there) == InLine("purpose").take(wanted):
                await tell(tool, "conversations.unarchive", channel=str(channel["id"]))
                return (await look(tool, "conversations.info", channel=str(channel["id"])))["channel"]
        return None


async def _us(tool: Tool) -> str:
    return str((await look(tool, "auth.test"))["user_id"])


def _is_half_made(channel: Json, us: str) -> bool:
    return channel["creator"] == us and not channel["purpose"]["value"] and not channel["topic"]["value"]


def _shown(channel: Json) -> Json:
    """The part that we look at, with its texts as they were written."""
    return {
        "id": channel["id"],
        "name": channel["name"],
        "topic": plain(channel["topic"]["value"]),
        "purpose": plain(channel["purpose"]["value"]),
        "is_member": bool(channel.get("is_member")),
    }


CHANNELS = Channels("channels", "/conversations.list", mark=InLine("purpose"))
