"""What all Datadog objects have in common."""

from __future__ import annotations

import re
from typing import Any

from nthlayer_sync.sandbox.collection import Item, TakenError
from nthlayer_sync.sandbox.people import PEOPLE
from nthlayer_sync.sandbox.resource import Resource
from nthlayer_sync.sandbox.tool import RefusalError

CREATOR: Item = {"email": PEOPLE[0].email, "handle": PEOPLE[0].email, "name": PEOPLE[0].name}


_NOT_IN_TAGS = re.compile(r"[^a-z0-9_:./-]")


def tags(given: Any) -> list[str]:
    """Tags as they are stored: lower case, other characters as underscores, each once."""
    return list(dict.fromkeys(_NOT_IN_TAGS.sub("_", str(tag).lower())[:200] for tag in given or ()))


class Kind(Resource):
    """A collection of Datadog."""

    created = 200
    deleted = 200

    def absent(self, id: str) -> RefusalError:
        """404."""
        return self.tool.refuse(404, f"{self.title} not found")

    def taken(self, error: TakenError) -> RefusalError:
        """409."""
        return self.tool.refuse(409, f"{error.field} is taken")

    def seconds(self) -> int:
        """The time now, since the epoch."""
        return int(self.tool.now().timestamp())
