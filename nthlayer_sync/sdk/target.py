"""Reading and writing single configs of one system.

A target knows nothing of plans, tiers or services. Its calls are idempotent: writing what is already there changes
nothing and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.model.diff import Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.result import Result


class Movement(msgspec.Struct, frozen=True):
    """What moved under one root since it had the state `since`.

    `state` names the present state of the whole root. `paths` gives the new revision of each path that moved, "" for one
    that is gone; None means that the difference cannot be told and every path has to be looked up.
    """

    state: str
    paths: Mapping[str, str] | None


class Target(Protocol):
    """One system that configs land in. Roots are its repositories or accounts, paths the objects in them."""

    async def moved(self, root: str, since: str) -> Movement:
        """What moved under `root` since `since` ("" for never looked at)."""
        ...

    async def revisions(self, root: str, paths: Sequence[str]) -> Mapping[str, str]:
        """The revision of each path that exists now."""
        ...

    async def read(self, id: ConfigId, place: Place) -> Observed | None:
        """The managed part of what is live; None when nothing stands there."""
        ...

    async def write(self, batch: Sequence[Diff], idempotency_key: str) -> list[Result]:
        """Make the changes of one batch, all under one root; one result for each, in order.

        A change that cannot be made fails alone. A TemporaryError or PermanentError that is raised means that none of
        the batch was made.
        """
        ...

    async def undo(self, id: ConfigId, place: Place, before: bytes | None, idempotency_key: str) -> Result:
        """Put back what stood at `place`; None means that nothing did."""
        ...

    async def preimage(self, place: Place) -> bytes | None:
        """What stands at `place` now, whole, for the journal."""
        ...
