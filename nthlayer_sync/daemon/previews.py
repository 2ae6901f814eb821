"""previews: tells on a pull request, before anybody merges it, what that would change; nothing of it is carried out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from nthlayer_sync.daemon.policies import Policies
from nthlayer_sync.daemon.preview_edits import Edits
from nthlayer_sync.daemon.preview_sources import Editable
from nthlayer_sync.daemon.preview_text import failed, nothing, sentence, text_of, verdict_of
from nthlayer_sync.engine.fork import Fork
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.hosting.reviews import MOST_FILES, Request, Reviews, Touched, Verdict
from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.settings.serve import ServeSettings

_KEY = re.compile(r"(?P<host>[^/#\s]{1,253})/(?P<slug>[^#\s]{1,400})#(?P<number>[0-9]{1,12})")
"""How `Topic.PULL` names a request: `github.com/acme/shop#12`."""
_UNTOUCHED = Verdict(passed=True, sentence="What the catalog shows stays as it is.")


@dataclass(frozen=True)
class Told:
    """What is to be said of a request: the comment, "" for none where none is needed yet, and the check."""

    text: str
    verdict: Verdict


class Previews:
    """Keeps one comment and one check on each request that touches the catalog.

    `reviews` are the code hosts by name, `sources` the running engine's, in its order, such that edits can be laid on
    them. One request is looked at at a time.
    """

    def __init__(
        self,
        engine: Engine,
        store: SharedStore,
        settings: ServeSettings,
        *,
        reviews: Mapping[str, Reviews],
        sources: Sequence[Editable],
    ) -> None:
        self._reviews = reviews
        self._sources = sources
        self._fork = Fork(engine, store, sources)
        self._policies = Policies(self._fork.engine, store, settings)
        self._page = (settings.url or f"http://{settings.listen}").rstrip("/")
        self._marker = f"<!-- nthlayer-sync preview of {engine.setup.organisation} -->"
        self._one = asyncio.Lock()

    async def preview(self, key: str) -> None:
        """Say on one request what merging it would change, unless that is said already.

        TemporaryError is for later. PermanentError is said on the request where that can be done, and raised where
        not.
        """
        found = _KEY.fullmatch(key)
        if found is None or found["host"].lower() not in self._reviews:
            raise PermanentError(f"{key!r:.100} is no request on a code host of the settings")
        async with self._one:
            try:
                await self._preview(found["host"].lower(), found["slug"], int(found["number"]))
            finally:
                for source in self._sources:
                    source.lay(None)

    async def _preview(self, host: str, slug: str, number: int) -> None:
        names = [source.name for source in self._sources if await source.concerns(host, slug)]
        if not names:
            return
        reviews = self._reviews[host]
        request = await reviews.request(slug, number)
        if not request.open or not request.into_default:
            return
        try:
            told = await self._told(Edits(reviews, host, slug, request, {}), names)
        except PermanentError as error:
            told = Told(failed(self._marker, str(error)), Verdict(passed=False, sentence=sentence(str(error))))
        try:
            await self._say(reviews, slug, request, told.text)
        except PermanentError as error:
            told = Told("", Verdict(passed=False, sentence=sentence(str(error))))
        if await reviews.verdict(slug, request) != told.verdict:
            await reviews.judge(slug, request, told.verdict)

    async def _told(self, edits: Edits, names: Collection[str]) -> Told:
        touched = await edits.reviews.touched(edits.slug, edits.request)
        edits.files = touched.files
        terms = await self._policies.terms()
        try:
            supposed = await self._fork.suppose(names, partial(self._lay, names, edits), terms)
        except TemporaryError as error:
            raise edits.failure or error from None
        if supposed is None:
            return Told("", _UNTOUCHED)
        notes = list(_notes(edits.request, touched))
        text = text_of(self._marker, supposed, edits.request, notes, files=touched.files, page=self._page)
        return Told(text, verdict_of(supposed, touched.files))

    def _lay(self, names: Collection[str], edits: Edits, on: bool) -> None:
        for source in self._sources:
            if source.name in names:
                source.lay(edits if on else None)

    async def _say(self, reviews: Reviews, slug: str, request: Request, text: str) -> None:
        """Keep our comment up to date; where nothing has to be said and nothing was, none is made."""
        before = await reviews.comment(slug, request, self._marker)
        if not text and before is not None:
            text = nothing(self._marker)
        if text and (before is None or _lines(before.body) != _lines(text)):
            await reviews.say(slug, request, text, before)


def _notes(request: Request, touched: Touched) -> Iterator[str]:
    if request.conflicts:
        yield "It conflicts with the branch that it is to be merged into; shown is what its own files say."
    if not touched.whole:
        yield f"It changes more than {MOST_FILES:,} files; those beyond are not shown here."


def _lines(body: str) -> list[str]:
    """A text as hosts keep it: they end its lines otherwise, and leave out white space behind it."""
    return [row.rstrip() for row in body.strip().splitlines()]
