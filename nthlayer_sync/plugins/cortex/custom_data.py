"""cortex/custom_data: what we know about a service, in Cortex's catalog, for its scorecards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.http import Call, Manners, NotThere, Tool, at
from nthlayer_sync.sdk.rest import Account, Collection, Json, Numbered, RestKind, label
from nthlayer_sync.sdk.rest.paging import dig, rows_of
from nthlayer_sync.signals.slo import promises

MANNERS = Manners(rate=15.0, burst=3, at_once=8)
"""Cortex allows 1,000 requests a minute for each key; a tenth is left to others."""

CATALOG = "/api/v1/catalog"
KEY = "nthlayer-sync"
"""Under which key an entity holds what we say of it; values under other keys are never touched."""
MOST_LINKS = 50
LONGEST = 500
"""Characters of one text."""


@dataclass(frozen=True)
class InValue:
    """A mark beside the facts, in the value itself: lists of entities show values and no descriptions."""

    def put(self, body: Json, mark: str) -> None:
        """Beside the facts."""
        body["mark"] = mark

    def take(self, body: Json) -> str:
        """Where it is text."""
        mark = body.pop("mark", "")
        return mark if isinstance(mark, str) else ""


@dataclass(frozen=True)
class CustomData(Collection):
    """The value under our key of each entity; an entity is known by its tag, which is key and id here."""

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """That of every entity that has one."""
        pages = Numbered(size=250, page="page", limit="pageSize", start=0)
        call = Call(path=CATALOG, query=(("includeMetadata", "true"),))
        async for entity in rows_of(tool, call, pages, lambda answer: dig(answer, "entities")):
            for data in cast("list[Json]", entity.get("metadata") or []):
                if data.get("key") == KEY:
                    yield _shown(str(entity["tag"]), data)

    async def get(self, tool: Tool, id: str) -> Json | None:
        """That of one entity."""
        try:
            return _shown(id, (await tool.ask(Call(path=f"{CATALOG}{at(id, 'custom-data', KEY)}"))).json())
        except NotThere:
            return None

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """Put it; what is there is replaced, so sending it twice does no harm."""
        tag = str(body["tag"])
        value = {"mark": body["mark"], "facts": body["facts"]}
        call = Call(
            method="POST", path=f"{CATALOG}{at(tag, 'custom-data')}", json={"key": KEY, "value": value}, safe=True
        )
        try:
            return _shown(tag, (await tool.ask(call)).json())
        except NotThere:
            raise NotThere(
                f"Cortex has no entity with the tag {tag!r}; it takes facts of its own entities only"
            ) from None

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """The same."""
        return await self.create(tool, body, "")

    async def delete(self, tool: Tool, live: Json) -> None:
        """Take the value away; the entity stays."""
        path = f"{CATALOG}{at(str(live['tag']), 'custom-data')}"
        try:
            await tool.ask(Call(method="DELETE", path=path, query=(("key", KEY),)))
        except NotThere:
            return


def _shown(tag: str, data: Any) -> Json:
    """The part that we look at; what somebody else keeps under our key has no mark."""
    value = dig(data, "value")
    return {"tag": tag, "mark": dig(value, "mark"), "facts": dig(value, "facts")}


class LinkSpec(Spec, frozen=True):
    """A page about the service."""

    title: str
    url: str


class CustomDataSpec(Spec, frozen=True):
    """What scorecards ask of a service. `tag` is the entity's in Cortex.

    `objectives` are promises in words, such as `99.95% of requests succeed`.
    """

    tag: str
    tier: str
    owner: str
    channel: str
    pages: bool
    objectives: tuple[str, ...]
    links: tuple[LinkSpec, ...]


def generate(service: Service) -> Iterator[CustomDataSpec]:
    """For every service that runs."""
    if not service.runs:
        return
    owner, communication = service.owner, service.blueprint.communication
    links = {
        link.url: link.title or link.type for link in service.links if link.url.startswith(("https://", "http://"))
    }
    yield CustomDataSpec(
        tag=label(service).replace("/", "-"),
        tier=service.blueprint.tier,
        owner=owner.ref if owner else "",
        channel=communication.channel or (owner.channel if owner else ""),
        pages=service.blueprint.incident.page,
        objectives=tuple(objective.promise for objective in promises(service).objectives),
        links=tuple(
            LinkSpec(quote.line(title)[:LONGEST], url)
            for url, title in sorted(links.items())[:MOST_LINKS]
            if len(url) <= LONGEST
        ),
    )


def encode(spec: CustomDataSpec, account: Account, live: Json | None) -> Json:
    """As it stands under our key."""
    return {"tag": spec.tag, "facts": msgspec.to_builtins(spec)}


def decode(body: Json, account: Account) -> Any:
    """As the spec says it: what is there, nothing is added by Cortex."""
    return body["facts"]


CUSTOM_DATA = RestKind(
    name="cortex/custom_data",
    version=1,
    summary="tier, owner, promises and links of services, for scorecards",
    subject=Service,
    spec=CustomDataSpec,
    generate=generate,
    collection=CustomData("custom_data", CATALOG, id="tag", key="tag", mark=InValue(), url=""),
    key=lambda service, spec: spec.tag,
    encode=encode,
    decode=decode,
)
