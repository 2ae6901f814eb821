"""What stands, right before it is written over: what is needed to write it, and to put it back."""

from __future__ import annotations

from collections.abc import Mapping

from nthlayer_sync.engine.batch import Batch
from nthlayer_sync.engine.observe import read_parts
from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.model.diff import OVERWRITES
from nthlayer_sync.model.plan import Applied, content_sum
from nthlayer_sync.sdk.target import Restorable


async def moving(batch: Batch, applied: Mapping[ConfigId, Applied]) -> dict[ConfigId, Observed | Failure]:
    """What stands now where configs of the batch move away from; a failure where that is not what we left."""
    writes = {write.id: write for write in batch.writes if write.old_place is not None}
    paths = {id: place.path for id, write in writes.items() if (place := write.old_place) is not None}
    if not paths:
        return {}
    observed, trouble = await read_parts(batch.target, batch.root, paths)
    stood: dict[ConfigId, Observed | Failure] = {id: PermanentError(reason) for id, reason in trouble.items()}
    for id, found in observed.items():
        enforced = writes[id].change.reason == OVERWRITES
        ours = id in applied and found.content is not None and content_sum(found.content) == applied[id].sum
        if found.content is None or ours or enforced:
            stood[id] = found
        else:
            stood[id] = TemporaryError(f"{found.place} was changed by hand, so {id} does not move; plan again")
    return stood


async def images(batch: Batch) -> dict[ConfigId, Observed | Failure]:
    """What stands where configs are about to change, of a system that keeps no history; a failure if it moved."""
    if isinstance(batch.target, Restorable):
        return {}
    changes = {write.id: write.change for write in batch.writes if write.change.revision and not write.leaving}
    observed, trouble = await read_parts(
        batch.target, batch.root, {id: change.place.path for id, change in changes.items()}
    )
    images: dict[ConfigId, Observed | Failure] = {id: TemporaryError(reason) for id, reason in trouble.items()}
    for id, change in changes.items():
        found = observed.get(id)
        if found is not None and found.revision == change.revision:
            images[id] = found
        elif id not in trouble:
            images[id] = TemporaryError(f"{change.place} changed since the plan; plan again")
    return images
