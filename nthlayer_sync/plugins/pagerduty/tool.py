"""PagerDuty's account: what is in it, and how it is asked (developer.pagerduty.com/api-reference)."""

from __future__ import annotations

from dataclasses import dataclass

from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.rest import Collection, InText, Json, Offset
from nthlayer_sync.sdk.rest.mark import read_mark

MANNERS = Manners(rate=15.0, burst=3, at_once=8)
"""PagerDuty allows 960 requests a minute for each token; one in sixteen is left to others."""

PAGES = Offset(size=100, more="more")


@dataclass(frozen=True)
class Users(Collection):
    """People, known by their e-mail address in lower case."""

    def key_of(self, body: Json) -> str:
        """The address, whatever its case."""
        return super().key_of(body).lower()


USERS = Users("users", "/users", many="users", one="user", key="email", paging=PAGES)
ESCALATION_POLICIES = Collection(
    "escalation_policies",
    "/escalation_policies",
    many="escalation_policies",
    one="escalation_policy",
    mark=InText(),
    paging=PAGES,
)
SERVICES = Collection("services", "/services", many="services", one="service", mark=InText(), paging=PAGES)


def known_as(service: Json) -> str:
    """The name of a service: the one in its mark, whatever people call it."""
    body = dict(service)
    mark = read_mark(InText().take(body))
    return mark[1] if mark else SERVICES.key_of(body)


def reference(type: str, id: str) -> dict[str, str]:
    """How one object names another."""
    return {"id": id, "type": f"{type}_reference"}
