"""undo: what an applied plan changed, put back from the journal, live and in memory alike.

Nothing else changes: while sources and blueprints say the same, the next plan shows the same changes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.rewrite import failed, rewrite
from nthlayer_sync.errors import Failure, PermanentError
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.sdk.store import Entry, Store
from nthlayer_sync.sdk.target import Restorable, Target


async def undo(store: Store, generator: Generator, plan: str, protected: Sequence[str] = ()) -> list[Result]:
    """Put back what stood before `plan` was applied, root by root.

    What changed since is left as it is, with the reason; so is what was made and is `protected`, by patterns of ids.
    PermanentError when the journal does not know the plan.
    """
    entries = await store.journal(plan)
    if not entries:
        raise PermanentError(f"nothing of a plan {plan} was applied, or it was undone already")
    roots: dict[tuple[str, str], tuple[Target, list[Entry]]] = {}
    results: list[Result] = []
    for entry in entries:
        if entry.id.kind not in generator.kinds:
            results.append(Result(id=entry.id, outcome=Outcome.SKIPPED, reason=f"{entry.id.kind} is not on"))
            continue
        if not entry.before and entry.applied is None and any(fnmatchcase(str(entry.id), each) for each in protected):
            results.append(Result(id=entry.id, outcome=Outcome.SKIPPED, reason=f"{entry.id} is protected, so it stays"))
            continue
        target = generator.target(entry.id.kind, entry.place.root)
        roots.setdefault((target.name, entry.place.root), (target, []))[1].append(entry)
    for (_, root), (target, written) in roots.items():
        await store.see_roots({f"{target.name} {root}": ""})  # the next plan looks at all of it
        try:
            if isinstance(target, Restorable):
                results += await _restore(store, target, target, root, written)
            else:
                results += await rewrite(store, generator, target, root, written)
        except Failure as error:
            results += [failed(entry.id, error) for entry in written]
    return results


async def _restore(store: Store, target: Target, history: Restorable, root: str, written: list[Entry]) -> list[Result]:
    await target.moved(root, "")  # look anew: what people changed since stays
    live = await target.revisions(root, sorted({entry.place.path for entry in written}))
    after = {entry.place.path: entry.after for entry in written}
    first = {entry.place.path: entry.before for entry in reversed(written)}
    moved = {path for path, left in after.items() if live.get(path, "") not in (left, first[path])}
    changed = {entry.id: entry.place for entry in written if entry.place.path in moved}
    kept = [
        Result(id=id, outcome=Outcome.SKIPPED, reason=f"{place} was changed since, so it is left as it is")
        for id, place in changed.items()
    ]
    written = [entry for entry in written if entry.id not in changed]
    if not written:
        return kept
    before: dict[str, str] = {}
    expect: dict[str, str] = {}
    for entry in written:
        before.setdefault(entry.place.path, entry.before)
        expect[entry.place.path] = entry.after
    try:
        reference = await history.restore(root, before, expect, f"nthlayer-sync: undo plan {written[0].plan}\n")
    except Failure as error:
        return kept + [failed(entry.id, error) for entry in written]
    await store.finish([], {entry.id: entry.applied for entry in written})
    await store.forget_entries(written)
    return kept + [Result(id=e.id, outcome=Outcome.DONE, revision=e.before, reference=reference) for e in written]
