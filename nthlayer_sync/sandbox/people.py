"""The sample organisation that tools start with: people and teams, the same as in the demo's catalog."""

from __future__ import annotations

from typing import NamedTuple


class Person(NamedTuple):
    """Somebody with an account in every tool."""

    login: str
    name: str
    team: str
    time_zone: str

    @property
    def email(self) -> str:
        """Where they are reached, and by what tools know them."""
        return f"{self.login}@example.com"


PEOPLE = (
    Person("ada", "Ada Lovelace", "payments-team", "Europe/London"),
    Person("grace", "Grace Hopper", "payments-team", "America/New_York"),
    Person("edsger", "Edsger Dijkstra", "shop-team", "Europe/Amsterdam"),
    Person("barbara", "Barbara Liskov", "shop-team", "America/Los_Angeles"),
    Person("karen", "Karen Spärck Jones", "search-team", "Europe/London"),
    Person("gerard", "Gerard Salton", "search-team", "America/New_York"),
    Person("margaret", "Margaret Hamilton", "platform-team", "America/New_York"),
    Person("ken", "Ken Thompson", "platform-team", "America/Los_Angeles"),
)
TEAMS = {
    "payments-team": "Payments",
    "shop-team": "Shop",
    "search-team": "Search",
    "platform-team": "Platform",
}
"""Every team's name and how it is shown."""
SERVICES = (
    "cart",
    "catalogue",
    "fraud-check",
    "inventory",
    "ledger",
    "notifications",
    "orders",
    "payments-api",
    "payments-worker",
    "recommendations",
    "search",
    "storefront",
)
REPOSITORIES = ("catalog", "operations", "payments", "shop")
ORGANISATION = "acme"
