"""What our branch offers, what a commit offered that was never merged, and a branch that is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nthlayer_sync.git import Offer, Repository, blob_sha

if TYPE_CHECKING:
    from conftest import Remote

WHO = ("Robot", "robot@example.org")
OURS = "nthlayer/sync"
See = Callable[..., Repository]
A, B, NEW = blob_sha(b"a\n"), blob_sha(b"b\n"), blob_sha(b"new\n")


async def commit(ours: Repository, files: dict[str, bytes | None]) -> str:
    return (await ours.commit(files, "m", author=WHO, expect=await ours.tree())).sha


async def test_what_a_branch_proposes_is_told_against_the_base_as_it_is_now(started: Remote, see: See) -> None:
    ours = see()
    assert await ours.proposed() == {}
    await commit(ours, {"new.md": b"new\n", "docs/a.md": b"new\n", "docs/b.md": None})
    expected = {"new.md": Offer(None, NEW), "docs/a.md": Offer(A, NEW), "docs/b.md": Offer(B, None)}
    assert await ours.proposed() == expected
    started.person({"theirs.md": b"x\n", "docs/a.md": b"new\n"})
    await ours.fetch()
    assert await ours.proposed() == {path: expected[path] for path in ("new.md", "docs/b.md")}


async def test_a_branch_that_is_left_out_is_built_upon_without_its_files(started: Remote, see: See) -> None:
    ours = see()
    first = await commit(ours, {"declined.md": b"new\n"})
    await ours.leave_out("0" * 40)
    assert await ours.file("declined.md") == b"new\n"
    await ours.leave_out(first)
    assert await ours.file("declined.md") is None
    assert await ours.proposed() == {}
    second = await commit(ours, {"other.md": b"new\n"})
    assert started("rev-parse", f"{OURS}^1", at=started.bare) == first
    assert await ours.proposed() == {"other.md": Offer(None, NEW)}
    again = see()
    assert await again.branch_tip() == second
    assert await again.proposed() == {"other.md": Offer(None, NEW)}
    assert await again.offered(first, "refs/none", started.tip("main")) == {"declined.md": Offer(None, NEW)}


async def test_the_next_commit_on_a_base_that_moved(started: Remote, see: See) -> None:
    ours = see()
    first = await commit(ours, {"declined.md": b"new\n"})
    started.person({"theirs.md": b"x\n"})
    await ours.fetch()
    await ours.leave_out(first)
    await commit(ours, {"other.md": b"new\n"})
    assert await ours.proposed() == {"other.md": Offer(None, NEW)}
    assert await ours.file("theirs.md") == b"x\n"
    started("fetch", "-q", "origin")
    started("merge-base", "--is-ancestor", "origin/main", f"origin/{OURS}")


async def test_what_was_offered_outlives_branch_and_mirror(started: Remote, see: See) -> None:
    ours = see()
    base = started.tip("main")
    sha = await commit(ours, {"declined.md": b"new\n", "docs/a.md": None})
    started("update-ref", "refs/pull/1/head", sha, at=started.bare)
    started("update-ref", "-d", f"refs/heads/{OURS}", at=started.bare)
    expected = {"declined.md": Offer(None, NEW), "docs/a.md": Offer(A, None)}
    for mirror in ("mirror", "another"):
        ours = see(mirror)
        await ours.fetch()
        assert await ours.branch_tip() == ""
        assert await ours.offered(sha, "refs/pull/1/head", base) == expected
        assert await ours.offered(sha, "refs/pull/1/head", "") == expected


async def test_what_cannot_be_had_any_more_was_not_offered(started: Remote, see: See) -> None:
    ours = see()
    base = started.tip("main")
    assert await ours.offered("1" * 40, "refs/pull/7/head", base) == {}
    assert await ours.offered("--help", "refs/pull/7/head", base) == {}
    assert await ours.offered(base, "refs/pull/7/head", "2" * 40) == {}
    orphan = started("commit-tree", "-m", "x", "4b825dc642cb6eb9a060e54bf8d69288fbee4904")
    started("push", "-q", "origin", f"{orphan}:refs/pull/8/head")
    assert await ours.offered(orphan, "refs/pull/8/head", base) == {}
