"""What a service is in Opsgenie: what an incident is about, and whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.opsgenie.tool import PAGES, TEAMS, Objects
from nthlayer_sync.sdk.http import Tool
from nthlayer_sync.sdk.rest import Account, InText, Json, RestKind, label


class ServiceSpec(Spec, frozen=True):
    """One service. `team` is the name of the team that owns it."""

    name: str
    description: str
    team: str


@dataclass(frozen=True)
class Services(Objects):
    """Services, whose team is only said when it changes: an ordinary update does not know the field."""

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Without the team that it has."""
        same = live.get("teamId") == body["teamId"]
        return await super().update(tool, live, {k: v for k, v in body.items() if not (same and k == "teamId")})


SERVICES = Services("services", "/v1/services", mark=InText(), paging=PAGES)


def generate(service: Service) -> Iterator[ServiceSpec]:
    """Every service that runs, for which somebody is called, and whose owner is a group."""
    owner = service.owner
    if not (service.runs and service.blueprint.incident.page and owner and owner.ref.startswith("group:")):
        return
    yield ServiceSpec(
        name=label(service),
        description=" ".join(service.description.split())[:500]
        or " ".join(f"{service.label} of {owner.label}".split())[:500],
        team=label(owner.ref),
    )


def encode(spec: ServiceSpec, account: Account, live: Json | None) -> Json:
    """As Opsgenie wants it."""
    return {"name": spec.name, "description": spec.description, "teamId": account.id("teams", spec.team)}


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    return {
        "name": body["name"],
        "description": body.get("description") or "",
        "team": account.key("teams", body["teamId"]),
    }


SERVICE = RestKind(
    name="opsgenie/service",
    version=1,
    summary="services, with the team that owns them",
    subject=Service,
    spec=ServiceSpec,
    generate=generate,
    requires=("opsgenie/team",),
    collection=SERVICES,
    key=lambda service, spec: spec.name,
    encode=encode,
    decode=decode,
    needs=(TEAMS,),
)
