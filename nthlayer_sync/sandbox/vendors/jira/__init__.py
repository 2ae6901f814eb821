"""Jira Cloud, REST API v3: projects and their properties, components, users, issues with labels.

Rules are those of https://developer.atlassian.com/cloud/jira/platform/rest/v3: errors are `{errorMessages, errors}`,
lists have `startAt` and `maxResults`, a label is there while an issue has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nthlayer_sync.sandbox.collection import Item, Shape
from nthlayer_sync.sandbox.ids import HEXADECIMAL, IdMaker, number, token
from nthlayer_sync.sandbox.people import PEOPLE
from nthlayer_sync.sandbox.tool import Call, Reply, Tool, basic
from nthlayer_sync.sandbox.vendors.jira.issues import Components, Issues
from nthlayer_sync.sandbox.vendors.jira.projects import Projects, Properties
from nthlayer_sync.sandbox.vendors.jira.shape import BASE


class Jira(Tool):
    """The stand-in of https://example.atlassian.net."""

    name = "jira"
    host = "https://example.atlassian.net"
    token = "sandbox-jira"  # noqa: S105 - it opens nothing but the sandbox

    def serve(self) -> None:
        """Make the collections and routes."""
        new_id = token(HEXADECIMAL, 24, "712020:", self.seed)
        self.users = self.collection(Shape(name="users", new_id=new_id, key="accountId", title="emailAddress"))
        self.route("GET", f"{BASE}/user/search", self._search)
        self.route("GET", f"{BASE}/myself", lambda call: Reply(200, self.users.listed()[0]))
        Projects(self)
        Properties(self)
        Components(self)
        Issues(self)

    def seed_people(self) -> None:
        """Every person."""
        for person in PEOPLE:
            id = self.users.new_id()
            item: Item = {"accountId": id, "accountType": "atlassian", "active": True, "displayName": person.name}
            item |= {"emailAddress": person.email, "timeZone": person.time_zone, "locale": "en_GB"}
            self.users.add(item | {"self": f"{self.url}{BASE}/user?accountId={id}"})

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """An address and an API token."""
        return basic(headers, self.token)

    def refused(self, status: int, *messages: str) -> Reply:
        """Messages; those about a field are `field: text`."""
        fields = dict(message.split(": ", 1) for message in messages if re.match(r"\w+: ", message))
        return Reply(status, {"errorMessages": [each for each in messages if ": " not in each], "errors": fields})

    def ids(self, name: str) -> IdMaker:
        """Numbers, as text."""
        return number(10_000)

    def settings(self) -> dict[str, Any]:
        """With whom the token belongs to."""
        return {"url": self.url, "user": PEOPLE[0].email, "token": self.token}

    def _search(self, call: Call) -> Reply:
        query = call.asked("query").casefold()
        found = [
            user
            for user in self.users.listed()
            if query in user["emailAddress"].casefold() or query in user["displayName"].casefold()
        ]
        start = call.number("startAt", 0)
        return Reply(200, found[start : start + min(call.number("maxResults", 50), 1000)])
