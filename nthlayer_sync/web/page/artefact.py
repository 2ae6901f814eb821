"""One artefact of an entity: its text, what differs from what is live, and where each value comes from."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import Field

from nthlayer_sync.errors import Failure
from nthlayer_sync.web.api.artefact import State
from nthlayer_sync.web.api.artefacts import (
    ArtefactShown,
    Named,
    get_artefact_diff,
    get_artefact_text,
    get_artefact_why,
    list_artefacts,
)
from nthlayer_sync.web.page.difference import difference
from nthlayer_sync.web.page.entity import PATH
from nthlayer_sync.web.page.may import approvable
from nthlayer_sync.web.page.prose import prose
from nthlayer_sync.web.page.view import asking, show
from nthlayer_sync.web.problem import Refusal, refusal_of
from nthlayer_sync.web.route import Context, Query, Route

Show = Literal["text", "page", "diff", "why"]
"""What of it is shown; `page` is its Markdown as people read it."""
MARKDOWN = "text/markdown"


class ArtefactAsked(Query):
    """Which artefact of a kind, and what of it."""

    name: str = Field(default="", max_length=1000)
    show: Show | None = None


async def show_artefact(context: Context) -> web.Response:
    """One artefact."""
    asked, (ref, plugin, kind) = context.asked(ArtefactAsked), (context.path[n] for n in ("ref", "plugin", "kind"))
    artefact, summary = await _artefact(context, f"{plugin}/{kind}", asked.name)
    what = asked.show or ("text" if artefact.state in (State.APPLIED, State.REFUSED) else "diff")
    named = asking(context, Named(name=asked.name))
    text = why = lines = diff = None
    trouble = ""
    try:
        if what == "why":
            why = await get_artefact_why(named)
        elif what == "diff":
            diff = await get_artefact_diff(named)
            lines = difference(diff.before or "", diff.after or "")
        else:
            text = await get_artefact_text(named)
    except (Refusal, Failure) as error:
        trouble = refusal_of(error).detail
    return show(
        context,
        "artefact",
        f"{plugin}/{kind} of {ref.rpartition('/')[2]}",
        ref=ref,
        plugin=plugin,
        kind=kind,
        name=asked.name,
        summary=summary,
        artefact=artefact,
        what=what,
        text=text,
        rendered=prose(text.text) if text and what == "page" and text.media_type == MARKDOWN else None,
        reads=artefact.place is not None and artefact.place.path.endswith(".md"),
        diff=diff,
        lines=lines,
        why=why,
        trouble=trouble,
        approvable=approvable(context, [artefact.change] if artefact.change else []),
    )


async def _artefact(context: Context, kind: str, name: str) -> tuple[ArtefactShown, str]:
    """The artefact that is asked for, and what its kind is."""
    for category in (await list_artefacts(context)).categories:
        for each in category.kinds:
            for artefact in each.artefacts if each.kind == kind else ():
                if artefact.name == name:
                    return artefact, each.summary
    raise Refusal(404, f"{context.path['ref']} has no such artefact")


ROUTES = (
    Route("GET", f"{PATH}/artefacts/{{plugin}}/{{kind}}", "One artefact", None, show_artefact, "page",
          query=ArtefactAsked, media_type="text/html"),
)  # fmt: skip
