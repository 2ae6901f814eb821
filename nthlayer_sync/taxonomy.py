"""The tag taxonomy: which tags every cloud resource of a service bears, whichever cloud it runs in.

Who writes tags and who refuses what is untagged must agree on keys and values; they both look here.
"""

from __future__ import annotations

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.service import Contact, Service

ENVIRONMENT = "environment"
SERVICE = "service"
TEAM = "team"
TIER = "tier"
KEYS = (ENVIRONMENT, SERVICE, TEAM, TIER)
"""The keys of the taxonomy: every resource must bear them."""


def team_tag(team: Contact) -> str:
    """The value of `team` for what this owner owns."""
    return team.name


def tags_of(service: Service, environment: str) -> dict[str, str]:
    """The taxonomy's tags of a service, with those its blueprint adds.

    A service without an owner has no `team`: its resources are refused until somebody owns it. PermanentError when the
    blueprint sets a key of the taxonomy, because that would hide a service from whoever counts costs.
    """
    added = service.blueprint.cost.tags
    if taken := [key for key in KEYS if key in added]:
        raise PermanentError(f"{service.ref}: cost.tags sets {taken[0]}, which the catalog decides; take it out")
    tags = {**added, ENVIRONMENT: environment, SERVICE: service.name, TIER: service.blueprint.tier}
    if service.owner:
        tags[TEAM] = team_tag(service.owner)
    return tags
