"""What we want to stand on the entities of a catalog, for a processor of Backstage; `daemon.annotations` makes it."""

from __future__ import annotations

from pydantic import Field, RootModel

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.web.api.shown import Shown
from nthlayer_sync.web.route import Context, Encoded, Route


class LinkShown(Shown):
    """A link on an entity's page."""

    url: str
    title: str = ""
    icon: str = ""
    type: str = ""


class ContentShown(Shown):
    """What is to stand on one entity."""

    annotations: dict[str, str]
    links: tuple[LinkShown, ...] = Field(default=(), description="Links that are not in its catalog file already.")


class AnnotationsShown(RootModel[dict[str, ContentShown]]):
    """What is to stand on each entity, by its reference; on one that is left out nothing is."""


async def get_annotations(context: Context) -> Encoded:
    """What we want to stand on each entity of the catalog, in one answer; its ETag changes when any of it does."""
    if not context.daemon.engine.graph.entities:  # not "nothing is wanted", which would wipe what stands there
        raise TemporaryError("no source has been read yet", delay=5)
    snapshot = await context.daemon.annotations.snapshot()
    return Encoded(snapshot.body, etag=snapshot.etag)


ROUTES = (
    Route("GET", "/api/v1/annotations", "Annotations of all entities", AnnotationsShown, get_annotations,
          "annotations"),
)  # fmt: skip
