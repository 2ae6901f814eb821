"""Users, teams, and who is in which."""

from __future__ import annotations

from nthlayer_sync.sandbox.collection import Item, Shape
from nthlayer_sync.sandbox.tool import Call, Reply, Tool
from nthlayer_sync.sandbox.vendors.pagerduty.shape import Shared, page, reference

_ROLES = ("observer", "responder", "manager")


class Users(Shared):
    """People; an e-mail address belongs to one."""

    name = "users"
    path = "/users"
    one = "user"
    many = "users"
    unique = ("email",)
    required = ("name", "email")

    def stored(self, call: Call, wanted: Item, old: Item | None) -> Item:
        """Addresses in lower case; a role and zone for who names none."""
        return self.made(wanted, old)

    def made(self, wanted: Item, old: Item | None = None) -> Item:
        """With the defaults of a new user."""
        item = super().made(wanted, old)
        item["email"] = str(item["email"]).strip().lower()
        defaults = {"time_zone": "Etc/UTC", "color": "purple", "role": "user", "invitation_sent": False}
        return defaults | item | {"contact_methods": [], "notification_rules": [], "teams": []}

    def shown(self, call: Call, item: Item) -> Item:
        """With the teams, which are kept with the teams."""
        teams = self.tool.collections["teams"]
        members = self.tool.references.owners(("users", item["id"]), "team_members")
        found = [team for id in members if (team := teams.get(id.split("/")[0])) is not None]
        return item | {"teams": [reference(team) for team in found]}

    def matches(self, call: Call, items: list[Item]) -> list[Item]:
        """`query` is a part of the name or of the address; a whole address is looked up."""
        query = call.asked("query")
        if found := self.collection.find("email", query):
            return [found]
        query = query.casefold()
        return [item for item in items if query in item["email"] or query in item["name"].casefold()]

    def in_use(self, item: Item) -> str:
        """Who is on call somewhere stays."""
        used = self.tool.references.owners(("users", item["id"]))
        return "User cannot be deleted while on call" if any("/" not in id for id in used) else ""


class Teams(Shared):
    """Teams; names are unique."""

    name = "teams"
    path = "/teams"
    one = "team"
    many = "teams"
    unique = ("name",)
    required = ("name",)

    def made(self, wanted: Item, old: Item | None = None) -> Item:
        """Members become managers unless said otherwise."""
        return {"default_role": "manager", **super().made(wanted, old)}

    def in_use(self, item: Item) -> str:
        """A team with policies, schedules or services stays."""
        used = self.tool.references.owners(("teams", item["id"]))
        return "Team cannot be deleted while it has escalation policies, services or schedules" if used else ""


class Members:
    """Who is in which team and as what."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.collection = tool.collection(Shape(name="team_members", new_id=str, title="user"))
        tool.route("GET", "/teams/{id}/members", self.list)
        tool.route("PUT", "/teams/{id}/users/{user}", self.put)
        tool.route("DELETE", "/teams/{id}/users/{user}", self.delete)

    def join(self, team: str, user: str, role: str) -> None:
        """Make somebody a member, or change as what."""
        id = f"{team}/{user}"
        item = {"id": id, "user": user, "role": role}
        if self.collection.get(id):
            self.collection.replace(id, item)
        else:
            self.collection.add(item, team)
        self.tool.references.set(("team_members", id), [("users", user)])

    def list(self, call: Call) -> Reply:
        """The members of a team."""
        users = self.tool.collections["users"]
        held = self.collection.listed(self._known(call, "teams", "id"))

        def show(member: Item) -> Item:
            user = users.get(member["user"])
            return {"user": reference(user) if user else {}, "role": member["role"]}

        return page(call, [member for member in held if users.get(member["user"])], "members", show)

    def put(self, call: Call) -> Reply:
        """Add a user, or change the role."""
        team, user = self._known(call, "teams", "id"), self._known(call, "users", "user")
        role = call.fields().get("role", "manager")
        if role not in _ROLES:
            raise self.tool.refuse(400, f"Role must be one of {', '.join(_ROLES)}")
        self.join(team, user, role)
        return Reply(204)

    def delete(self, call: Call) -> Reply:
        """Remove a user from a team."""
        id = f"{self._known(call, 'teams', 'id')}/{self._known(call, 'users', 'user')}"
        if self.collection.get(id) is None:
            raise self.tool.refuse(404)
        self.collection.remove(id)
        self.tool.references.set(("team_members", id), ())
        return Reply(204)

    def _known(self, call: Call, collection: str, param: str) -> str:
        id = call.params[param]
        if self.tool.collections[collection].get(id) is None:
            raise self.tool.refuse(404)
        return id
