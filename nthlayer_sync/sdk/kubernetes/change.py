"""One config of a cluster, and how it is changed: object by object, each compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.http import Unsure
from nthlayer_sync.sdk.kubernetes.cluster import Cluster, Moved
from nthlayer_sync.sdk.kubernetes.form import CONFIG, INSTANCE, MANAGED_BY, Form, Object, canonical, objects_of, part
from nthlayer_sync.sdk.ownership import MARK

_TRIES = 4
"""Reads of an object whose status keeps moving between our read and our write."""

Live = dict[Form, Object]
"""The objects of one config that are there, in the order in which they are made."""


def content_of(live: Live) -> str:
    """The part that we manage."""
    return canonical(form.ours(each) for form, each in live.items())


def revision_of(live: Live) -> str:
    """What changes whenever the part that we manage does; "" when nothing is there."""
    return blake2b(content_of(live).encode(), digest_size=16).hexdigest() if live else ""


def remote_of(live: Live) -> str:
    """What the cluster calls the first object."""
    return next((each["metadata"]["uid"] for each in live.values()), "")


def is_marked(each: Object, instance: str) -> bool:
    """Whether an object is of this installation."""
    metadata = part(each, "metadata")
    return part(metadata, "labels").get(MANAGED_BY) == MARK and part(metadata, "annotations").get(INSTANCE) == instance


class Change:
    """Makes one diff so. `forms` says which objects stand at a path."""

    def __init__(self, cluster: Cluster, forms: Callable[[str], Sequence[Form]], instance: str, *, force: bool) -> None:
        self._cluster = cluster
        self._forms = forms
        self._instance = instance
        self._force = force
        self._begun = False
        """Whether anything was written, so that a failure leaves half of it."""

    async def make(self, diff: Diff) -> Result:
        """What became of it."""
        try:
            return await self._insist(diff)
        except Failure as error:
            outcome = Outcome.UNKNOWN if self._begun or isinstance(error, Unsure) else Outcome.FAILED
            temporary = isinstance(error, TemporaryError)
            return Result(id=diff.id, outcome=outcome, reason=str(error), temporary=temporary)

    async def held(self, path: str) -> Live:
        """What stands at a path."""
        _, namespace, name = path.split("/")
        found = [(form, await self._cluster.get(form, namespace, name)) for form in self._forms(path)]
        return {form: each for form, each in found if each is not None}

    async def _insist(self, diff: Diff) -> Result:
        for _ in range(_TRIES):
            try:
                return await self._once(diff)
            except Moved:
                if self._begun:
                    raise
        raise TemporaryError(f"{place_of(diff)} keeps changing; plan again")

    async def _once(self, diff: Diff) -> Result:
        place = place_of(diff)
        live = await self.held(place.path)
        if foreign := [form.kind for form, each in live.items() if not is_marked(each, self._instance)]:
            raise PermanentError(f"{place}: {', '.join(foreign)} is there already and does not bear our mark")
        after = diff.after if diff.desired is not None and diff.after is not None else ""
        if content_of(live) == after:
            moved = await self._leave(diff)
            return _result(diff, Outcome.DONE if moved else Outcome.UNCHANGED, live)
        if revision_of(live) != (diff.actual.revision if diff.actual else ""):
            raise TemporaryError(f"{place} changed since the plan; plan again")
        made = await self._bring(
            place.path, live, {self._form(place, each): each for each in objects_of(after)}, diff.id
        )
        await self._leave(diff)
        return _result(diff, Outcome.DONE, made)

    async def _bring(self, path: str, live: Live, wanted: Live, id: ConfigId) -> Live:
        due = {form: self._signed(each, live.get(form), id) for form, each in wanted.items()}
        if len(due) > 1:
            for form in live.keys() & due.keys():  # a conflict must not leave half of them changed
                await self._cluster.apply(form, due[form], force=self._force, rehearse=True)
        made: Live = {}
        for form, each in due.items():
            made[form] = await self._cluster.apply(form, each, force=self._force)
            self._begun = True
        await self._delete({form: each for form, each in live.items() if form not in wanted})
        return made

    async def _leave(self, diff: Diff) -> bool:
        """Delete what stood where the config was before; whether there was anything."""
        if diff.was is None or diff.was == place_of(diff) or diff.was.root != place_of(diff).root:
            return False
        live = await self.held(diff.was.path)
        ours = {form: each for form, each in live.items() if is_marked(each, self._instance)}
        await self._delete(ours)
        return bool(ours)

    async def _delete(self, live: Live) -> None:
        for form, each in reversed(live.items()):
            await self._cluster.delete(form, each)
            self._begun = True

    def _signed(self, wanted: Object, live: Object | None, id: ConfigId) -> Object:
        """With our mark, and with which object it is meant for."""
        metadata = {**wanted["metadata"], "annotations": {INSTANCE: self._instance, CONFIG: str(id)}}
        if live is not None:
            metadata |= {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
        return {**wanted, "metadata": metadata}

    def _form(self, place: Place, each: Object) -> Form:
        return next(form for form in self._forms(place.path) if form.kind == each["kind"])


def place_of(diff: Diff) -> Place:
    """Where a change lands."""
    place = diff.desired.place if diff.desired else diff.actual.place if diff.actual else None
    assert place is not None
    return place


def _result(diff: Diff, outcome: Outcome, live: Live) -> Result:
    if diff.desired is None:
        return Result(id=diff.id, outcome=outcome)
    content = content_of(live)
    return Result(
        id=diff.id,
        outcome=outcome,
        revision=revision_of(live),
        remote=remote_of(live),
        content=content if content != diff.after else None,
    )
