"""Opsgenie's account: what is in it, and how it is asked (docs.opsgenie.com/docs/api-overview)."""

from __future__ import annotations

from dataclasses import dataclass

from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.rest import Collection, InText, Json, Offset

MANNERS = Manners(rate=5.0, burst=1, at_once=4)
"""Opsgenie's limits go by plan and number of users (docs.opsgenie.com/docs/api-rate-limiting); 429 slows us further."""

PAGES = Offset(size=100, more="paging.next")


@dataclass(frozen=True)
class Objects(Collection):
    """Objects whose answers stand in `data`, and whose requests do not; writes answer with id and name only."""

    many: str = "data"
    one: str = "data"
    update_method: str = "PATCH"
    echoes: bool = False

    def wrap(self, body: Json) -> Json:
        """As it is."""
        return body


@dataclass(frozen=True)
class Users(Objects):
    """People, known by their e-mail address in lower case."""

    key: str = "username"

    def key_of(self, body: Json) -> str:
        """The address, whatever its case."""
        return super().key_of(body).lower()


USERS = Users("users", "/v2/users", paging=PAGES)
TEAMS = Objects("teams", "/v2/teams", mark=InText(), whole=False)
ESCALATIONS = Objects("escalations", "/v2/escalations", mark=InText())


def user(id: str) -> Json:
    """How another object names somebody."""
    return {"type": "user", "id": id}
