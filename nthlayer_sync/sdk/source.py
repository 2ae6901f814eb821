"""Where facts come from."""

from __future__ import annotations

from typing import Protocol

from nthlayer_sync.model.snapshot import Snapshot


class Source(Protocol):
    """One catalog, or one place that tells about services. `name` is its name in the settings.

    `scope` names what it covers, such as a URL or a folder: only snapshots of the same scope may be compared.
    """

    name: str
    scope: str

    async def look(self) -> str:
        """The digest that `read` would give now, as cheaply as it can be had; "" when it cannot be told.

        What was fetched for it is kept for the next `read`, which then fetches nothing twice.
        """
        ...

    async def read(self) -> Snapshot:
        """What the source says now. A source that cannot be read gives a failed snapshot; it does not raise."""
        ...
