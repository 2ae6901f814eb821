"""Which service leans on which: in an incident, PagerDuty shows what else is unwell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.pagerduty.service import calls_people, is_called_for
from nthlayer_sync.plugins.pagerduty.tool import SERVICES, known_as
from nthlayer_sync.sdk.http import Call, NotThere, Tool, at
from nthlayer_sync.sdk.rest import Account, Collection, Json, RestKind, label

_ENDS = ("dependent_service", "supporting_service")


class ServiceDependencySpec(Spec, frozen=True):
    """One service that `needs` another; both by name."""

    service: str
    needs: str


@dataclass(frozen=True)
class ServiceDependencies(Collection):
    """What services need, known by the names of both ends, which are asked for service by service.

    An object's id is made of those of its ends, because PagerDuty finds and removes it by them. What people set up with
    business services is not looked at.
    """

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Those between services."""
        names = {SERVICES.id_of(body): known_as(body) async for body in SERVICES.list(tool)}
        found = await asyncio.gather(*(self._needs(tool, id) for id in names))
        for row in (row for rows in found for row in rows):
            ends = [names.get(row[end]["id"]) for end in _ENDS]
            if all(ends):
                yield row | {"ends": ends}

    async def get(self, tool: Tool, id: str) -> Json | None:
        """One, by the ids of its ends."""
        for row in await self._needs(tool, id.partition("#")[0]):
            if self.id_of(row) == id:
                services = [await SERVICES.get(tool, row[end]["id"]) for end in _ENDS]
                return row | {"ends": [known_as(body) for body in services if body]}
        return None

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """Make one."""
        await self._ask(tool, "associate", body)
        return body

    async def delete(self, tool: Tool, live: Json) -> None:
        """Remove one."""
        await self._ask(tool, "disassociate", {end: _end(live[end]["id"]) for end in _ENDS})

    async def _ask(self, tool: Tool, verb: str, body: Json) -> None:
        path = f"{self.path}/{verb}"
        await tool.ask(Call(method="POST", path=path, json={"relationships": [body]}, safe=True))

    async def _needs(self, tool: Tool, id: str) -> list[Json]:
        try:
            answer = await tool.ask(Call(path=f"{self.path}/technical_services{at(id)}"))
        except NotThere:
            return []
        return [row for row in answer.json()["relationships"] if row["dependent_service"]["id"] == id]

    def id_of(self, body: Json) -> str:
        """Both ends."""
        return "#".join(str(body[end]["id"]) for end in _ENDS)

    def key_of(self, body: Json) -> str:
        """The names of both ends."""
        return " needs ".join(body["ends"])


def generate(service: Service) -> Iterator[ServiceDependencySpec]:
    """For every two services in PagerDuty of which one depends on the other."""
    if not calls_people(service):
        return
    for other in service.depends_on:
        if is_called_for(other):
            yield ServiceDependencySpec(service=label(service), needs=label(other.ref))


def encode(spec: ServiceDependencySpec, account: Account, live: Json | None) -> Json:
    """As PagerDuty wants it."""
    names = (spec.service, spec.needs)
    return {end: _end(account.id("services", name)) for end, name in zip(_ENDS, names, strict=True)}


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    service, needs = (account.key("services", body[end]["id"]) for end in _ENDS)
    return {"service": service, "needs": needs}


def _end(id: str) -> dict[str, Any]:
    return {"id": id, "type": "service"}


SERVICE_DEPENDENCY = RestKind(
    name="pagerduty/service_dependency",
    version=1,
    summary="which service leans on which",
    subject=Service,
    spec=ServiceDependencySpec,
    generate=generate,
    name_of=lambda spec: spec.needs,
    requires=("pagerduty/service",),
    collection=ServiceDependencies("service_dependencies", "/service_dependencies", echoes=False, url=""),
    key=lambda service, spec: f"{spec.service} needs {spec.needs}",
    encode=encode,
    decode=decode,
    needs=(SERVICES,),
)
