"""Which tree counts as live while base and branch move, and what our next commit builds on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git import Repository

if TYPE_CHECKING:
    from conftest import Remote

See = Callable[..., Repository]
WHO = ("Robot", "robot@example.org")
OURS = "nthlayer/sync"


async def publish(repository: Repository, files: dict[str, bytes | None]) -> str:
    done = await repository.commit(files, "ours", author=WHO, expect=await repository.tree())
    return done.tree


async def content(repository: Repository) -> dict[str, bytes]:
    listing = await repository.listing(await repository.tree())
    blobs = await repository.blobs(listing.values())
    return {path: blobs[sha] for path, sha in listing.items()}


async def test_branch_ahead_of_base(started: Remote, see: See) -> None:
    ours = see()
    await publish(ours, {"new": b"1"})
    assert (await content(see("other")))["new"] == b"1"


async def test_merged_branch(started: Remote, see: See) -> None:
    ours = see()
    await publish(ours, {"new": b"1"})
    started("fetch", "-q")
    started("merge", "-q", "--no-ff", "-m", "merge", f"origin/{OURS}")
    started("push", "-q", "origin", "main")
    started.person({"later": b"2"})
    await ours.fetch()
    assert await ours.tree() == started("rev-parse", "main^{tree}")
    await publish(ours, {"new": b"3"})
    assert started("rev-parse", f"{OURS}^@", at=started.bare) == started.tip("main")


async def test_squashed_branch(started: Remote, see: See) -> None:
    ours = see()
    await publish(ours, {"new": b"1"})
    started.person({"new": b"1"})
    started.person({"new": b"1", "later": b"2"})
    await ours.fetch()
    assert await ours.tree() == started("rev-parse", "main^{tree}")
    before = started.tip(OURS)
    await publish(ours, {"new": b"3"})
    assert started("rev-parse", f"{OURS}^@", at=started.bare).split() == [before, started.tip("main")]
    assert await content(see("other")) == {**await content(ours), "new": b"3", "later": b"2"}


async def test_squashed_and_edited_afterwards(started: Remote, see: See) -> None:
    ours = see()
    await publish(ours, {"new": b"1\n"})
    started.person({"new": b"1\n"})
    started.person({"new": b"by hand\n"})
    await ours.fetch()
    assert (await content(ours))["new"] == b"by hand\n"


async def test_base_moved_clean(started: Remote, see: See) -> None:
    ours = see()
    await publish(ours, {"new": b"1"})
    started.person({"theirs": b"2"})
    await ours.fetch()
    assert {"new", "theirs"} <= set(await content(ours))
    await publish(ours, {"more": b"3"})
    assert {"new", "theirs", "more"} <= set(await content(see("other")))
    assert started("merge-base", "--is-ancestor", "main", OURS, at=started.bare) == ""


async def test_base_moved_with_conflict(started: Remote, see: See) -> None:
    ours = see()
    await publish(ours, {"docs/a.md": b"ours\n", "new": b"1"})
    started.person({"docs/a.md": b"theirs\n"})
    await ours.fetch()
    assert await ours.conflicts() == {"docs/a.md"}
    assert await ours.file("docs/a.md") == b"theirs\n"
    assert await ours.file("new") == b"1", "what does not conflict is still proposed"
    await publish(ours, {"docs/a.md": b"ours again\n", "new": b"1"})
    assert await ours.conflicts() == frozenset()
    assert await content(see("other")) == {
        "README.md": b"hello\n", "docs/a.md": b"ours again\n", "docs/b.md": b"b\n", "new": b"1",
    }  # fmt: skip


async def test_force_pushed_base(started: Remote, see: See) -> None:
    ours = see()
    await publish(ours, {"new": b"1"})
    started.person({"gone": b"later"})
    await ours.fetch()
    started("reset", "-q", "--hard", "HEAD^")
    started("commit", "-q", "--amend", "-m", "rewritten", "--allow-empty")
    started("push", "-q", "--force", "origin", "main")
    await ours.fetch()
    # All of the old first commit is on our branch, none of it on the new base: there is nothing in common.
    assert await ours.tree() == started("rev-parse", "main^{tree}")
    with pytest.raises(PermanentError, match="shares no history with 'main'"):
        await publish(ours, {"new": b"2"})
    assert started.count(OURS) == 2


async def test_force_pushed_base_with_common_history(started: Remote, see: See) -> None:
    ours = see()
    started.person({"gone": b"later"})
    await publish(ours, {"new": b"1"})
    started("reset", "-q", "--hard", "HEAD^")
    started("push", "-q", "--force", "origin", "main")
    started.person({"other": b"2"})
    await ours.fetch()
    tree = await publish(ours, {"new": b"2"})
    assert await see("other").tree() == tree
    assert started.show(OURS, "other") == b"2"


async def test_branch_deleted_on_the_remote(started: Remote, see: See) -> None:
    ours = see()
    await publish(ours, {"new": b"1"})
    started("branch", "-D", OURS, at=started.bare)
    await ours.fetch()
    assert await ours.tree() == started("rev-parse", "main^{tree}")


async def test_our_branch_may_be_the_base(started: Remote, see: See) -> None:
    ours = see(branch="main")
    await publish(ours, {"new": b"1"})
    assert started.show("main", "new") == b"1"
    assert started.count("main") == 2
