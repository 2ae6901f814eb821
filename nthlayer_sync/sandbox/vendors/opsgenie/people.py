"""Users and teams."""

from __future__ import annotations

from nthlayer_sync.sandbox.collection import Item
from nthlayer_sync.sandbox.tool import Call, Reply, Tool
from nthlayer_sync.sandbox.vendors.opsgenie.shape import Kind, paged


class Users(Kind):
    """People; a username is an e-mail address."""

    name = "users"
    path = "/v2/users"
    word = "User"
    title = "username"
    unique = ("username",)
    required = ("username", "fullName", "role")
    page = staticmethod(paged)

    def made(self, wanted: Item, old: Item | None = None) -> Item:
        """With the defaults of a new user."""
        item = super().made(wanted, old)
        item["username"] = item["username"].lower()
        role = item["role"]["name"]
        item["role"] = {"id": role.capitalize(), "name": role.capitalize()}
        defaults: Item = {"blocked": False, "verified": False, "timeZone": "Etc/GMT", "locale": "en_US"}
        defaults |= {"createdAt": self.tool.time(), "userAddress": {}, "tags": [], "details": {}}
        return defaults | item

    def held(self, call: Call) -> Item:
        """By id or username."""
        item = self.collection.find("username", call.params["id"]) or self.collection.get(call.params["id"])
        if item is None:
            raise self.absent(call.params["id"])
        return item

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """`query` is `username:...`, or part of a name."""
        query = call.asked("query").removeprefix("username:").strip().casefold()
        return [item for item in items if query in item["username"] or query in item["fullName"].casefold()]

    def create(self, call: Call) -> Reply:
        """The answer calls the address `name`."""
        reply = super().create(call)
        reply.body["data"]["name"] = call.fields()["username"].lower()
        return reply


class Teams(Kind):
    """Teams with members."""

    name = "teams"
    path = "/v2/teams"
    word = "Team"
    unique = ("name",)
    required = ("name",)

    def __init__(self, tool: Tool) -> None:
        super().__init__(tool)
        tool.route("POST", "/v2/teams/{id}/members", self.join)
        tool.route("DELETE", "/v2/teams/{id}/members/{member}", self.leave)

    def made(self, wanted: Item, old: Item | None = None) -> Item:
        """Members by id and address."""
        item: Item = {"description": "", "members": [], **super().made(wanted, old)}
        item["members"] = [self._member(each) for each in item["members"]]
        return item

    def summary(self, call: Call, item: Item) -> Item:
        """Without members."""
        return {name: value for name, value in item.items() if name != "members"}

    def in_use(self, item: Item) -> str:
        """A team that owns something stays."""
        return "Team is used" if self.tool.references.owners(("teams", item["id"])) else ""

    def join(self, call: Call) -> Reply:
        """Add a member, or change the role."""
        return self._members(call, [self._member(call.fields())], "Added")

    def leave(self, call: Call) -> Reply:
        """Remove a member."""
        return self._members(call, [], "Removed")

    def _members(self, call: Call, new: list[Item], done: str) -> Reply:
        by_name = {"identifierType": [call.asked("teamIdentifierType", "id")]}
        team = self.held(Call(call.method, call.path, call.params, by_name, call.headers))
        gone = {each["user"]["id"] for each in new} | {call.params.get("member", "")}
        kept = [each for each in team["members"] if not gone & set(each["user"].values())]
        self.collection.replace(team["id"], team | {"members": [*kept, *new]})
        return self._short(Reply(200, team), done)

    def _member(self, given: Item) -> Item:
        found = self.recipient({**given["user"], "type": "user"})
        user = {"id": found["id"], "username": found["username"]}
        return {"user": user, "role": given.get("role", "user")}
