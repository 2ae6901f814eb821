"""Artefacts of an entity: where each stands and how, in text, against what is live, and where each value comes from."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import PurePosixPath

from pydantic import Field

from nthlayer_sync.engine.remotes import remotes_of, with_remotes
from nthlayer_sync.engine.why import why
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Change, Part
from nthlayer_sync.model.service import Organisation
from nthlayer_sync.sdk.kind import Category, FileKind
from nthlayer_sync.web.api.artefact import Artefact, State, artefacts_of, link
from nthlayer_sync.web.api.asked import entity_in_path, subject_in_path
from nthlayer_sync.web.api.changes import ChangeShown, DiffShown, diff_of
from nthlayer_sync.web.api.shown import Shown, Spot
from nthlayer_sync.web.problem import Refusal
from nthlayer_sync.web.route import Context, Query, Route

MEDIA_TYPES = {
    ".json": "application/json",
    ".md": "text/markdown",
    ".sql": "application/sql",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
"""Media types of files by their suffix; everything else is plain text. That of YAML is from RFC 9512."""

_EXPLAINER = ThreadPoolExecutor(1, thread_name_prefix="why")
"""Explaining takes seconds of a processor: one is made after the other, beside the event loop."""


class ArtefactShown(Shown):
    """A config of an entity, wanted or live."""

    name: str
    """Tells several of one kind apart; empty where there is one."""
    state: State
    reason: str
    """Why it stands as it does."""
    place: Spot | None
    """Where it lands; null where it cannot be made."""
    link: str
    """Where people look at it on its code host; empty where it has no address there."""
    remote: str
    """The vendor's own id of a live object, empty for files and for what is not made yet."""
    owner: str | None
    change: ChangeShown | None
    """What the last plan said of it, where that stands still."""


class KindShown(Shown):
    """The artefacts of one kind."""

    kind: str
    summary: str
    artefacts: tuple[ArtefactShown, ...]


class CategoryShown(Shown):
    """The artefacts of one part of operations."""

    category: Category | None
    """Null for kinds that are not on."""
    kinds: tuple[KindShown, ...]


class ArtefactsShown(Shown):
    """Every artefact of an entity."""

    entity: str
    categories: tuple[CategoryShown, ...]


class TextShown(Shown):
    """An artefact as it is wanted, in text."""

    entity: str
    kind: str
    name: str
    place: Spot | None
    media_type: str
    """What the text is, such as `application/yaml`."""
    text: str


class ReasonShown(Shown):
    """One input that a value depends on."""

    input: str
    value: str
    origin: str
    """Who said it."""


class LeafShown(Shown):
    """One value of an artefact, and what it comes from."""

    path: str
    value: str
    reasons: tuple[ReasonShown, ...]
    """None where the kind itself fixes it."""


class WhyShown(Shown):
    """Where each value of an artefact comes from."""

    entity: str
    kind: str
    name: str
    leaves: tuple[LeafShown, ...]


class Named(Query):
    """Which artefact of a kind."""

    name: str = Field(default="", max_length=1000, description="Its name, where the entity has several of the kind.")


async def list_artefacts(context: Context) -> ArtefactsShown:
    """Every artefact of an entity, by category and kind."""
    ref, daemon = entity_in_path(context), context.daemon
    found = await artefacts_of(daemon.engine, daemon.store, ref)
    kinds = daemon.engine.generator.kinds
    found.sort(key=lambda artefact: (artefact.category is None, artefact.category or "", artefact.id))
    categories = tuple(
        CategoryShown(
            category=category,
            kinds=tuple(
                KindShown(
                    kind=kind,
                    summary=kinds[kind].summary if kind in kinds else "",
                    artefacts=tuple(_shown(context, artefact) for artefact in of_kind),
                )
                for kind, of_kind in groupby(of_category, key=lambda artefact: artefact.id.kind)
            ),
        )
        for category, of_category in groupby(found, key=lambda artefact: artefact.category)
    )
    return ArtefactsShown(entity=ref, categories=categories)


async def get_artefact_text(context: Context) -> TextShown:
    """An artefact as it is wanted, in text."""
    config = _config(context)
    generator = context.daemon.engine.generator
    kind = generator.kinds[config.id.kind]
    memory = (await context.daemon.store.memories([config.id.subject])).get(config.id.subject)
    spec = with_remotes(config, remotes_of(kind, memory.applied if memory else ())).spec
    suffix = PurePosixPath(config.place.path).suffix if isinstance(kind, FileKind) else ".json"
    return TextShown(
        entity=config.id.subject,
        kind=kind.name,
        name=config.id.name,
        place=Spot.of(config.place),
        media_type=MEDIA_TYPES.get(suffix, "text/plain"),
        text=kind.content(spec),
    )


async def get_artefact_diff(context: Context) -> DiffShown:
    """An artefact as it is live now, and as it is wanted."""
    ref, daemon = entity_in_path(context), context.daemon
    key = (_kind(context), context.asked(Named).name)
    for artefact in await artefacts_of(daemon.engine, daemon.store, ref):
        if (artefact.id.kind, artefact.id.name) == key and artefact.place:
            change = artefact.change or Change(*key, Action.NOTHING, "", artefact.place, "", artefact.owner)
            return await diff_of(daemon.engine, Part(ref, (change,)), change)
    raise Refusal(404, f"{ref} has no such artefact")


async def get_artefact_why(context: Context) -> WhyShown:
    """Where each value of an artefact comes from: what of the blueprint, the catalog or the code, and who said it."""
    config, engine = _config(context), context.daemon.engine
    subject = subject_in_path(context)
    if isinstance(subject, Organisation):
        raise Refusal(409, f"{subject.ref} is made of all teams; ask for a service or a team")
    resolved = engine.subjects.resolved(subject.ref)
    origins = resolved.origins if resolved else {}
    arguments = (subject, config.id.kind, engine.generator, engine.setup.tiers, origins)
    found = await asyncio.get_running_loop().run_in_executor(_EXPLAINER, why, *arguments)
    return WhyShown(
        entity=subject.ref,
        kind=config.id.kind,
        name=config.id.name,
        leaves=tuple(
            LeafShown(
                path=leaf.path,
                value=leaf.value,
                reasons=tuple(ReasonShown(input=r.input, value=r.value, origin=r.origin) for r in leaf.reasons),
            )
            for leaf in found[config.id]
        ),
    )


def _shown(context: Context, artefact: Artefact) -> ArtefactShown:
    return ArtefactShown(
        name=artefact.id.name,
        state=artefact.state,
        reason=artefact.reason,
        place=Spot.of(artefact.place),
        link=link(context.daemon.settings, artefact.place),
        remote=artefact.remote,
        owner=artefact.owner,
        change=ChangeShown.of(artefact.id.subject, artefact.change) if artefact.change else None,
    )


def _kind(context: Context) -> str:
    return f"{context.path['plugin']}/{context.path['kind']}"


def _config(context: Context) -> Config:
    """The config that the request names, as it is wanted."""
    subject, kind, name = subject_in_path(context), _kind(context), context.asked(Named).name
    made = context.daemon.engine.generator.generate(subject, {kind})
    if kind in made.failed:
        raise Refusal(409, f"{kind} cannot be made for {subject.ref}: {made.failed[kind]}")
    for config in made.configs:
        if config.id.name == name:
            return config
    raise Refusal(404, f"{subject.ref} has no such artefact")


_ONE = "/api/v1/entities/{ref}/artefacts/{plugin}/{kind}"

ROUTES = (
    Route("GET", "/api/v1/entities/{ref}/artefacts", "Every artefact of an entity", ArtefactsShown, list_artefacts,
          "artefacts"),
    Route("GET", f"{_ONE}/text", "An artefact in text", TextShown, get_artefact_text, "artefacts", query=Named),
    Route("GET", f"{_ONE}/diff", "An artefact against what is live", DiffShown, get_artefact_diff, "artefacts",
          query=Named),
    Route("GET", f"{_ONE}/why", "Where its values come from", WhyShown, get_artefact_why, "artefacts", query=Named),
)  # fmt: skip
