"""A proposal that no longer goes together with the main branch is made anew upon it; nothing counts as removed."""

import subprocess
from pathlib import Path


def git(*words: str, cwd: Path) -> str:
    return subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True).stdout


async def test_a_conflict_with_main_is_no_drift(house):
    git("clone", "-q", str(house.remote), "seed", cwd=house.folder)
    seed = house.folder / "seed"
    (seed / "payments").mkdir()
    (seed / "payments/block.md").write_text("one\ntwo\n")
    git("add", "-A", cwd=seed)
    git("-c", "user.name=P", "-c", "user.email=p@example.com", "commit", "-qm", "start", cwd=seed)
    git("push", "-q", "origin", "HEAD:main", cwd=seed)
    house.service("payments", "hello")
    await house.apply(await house.plan())
    assert "two" in house.file("payments/block.md")

    # Somebody appends on main exactly where our block stands on the branch.
    house.commit("payments/block.md", "one\ntwo\nthree\n", branch="main")
    plan = await house.plan()
    assert await house.actions(plan) == {"payments notes/block": "create"}
    await house.apply(plan)
    text = house.file("payments/block.md")
    assert text.startswith("one\ntwo\nthree\n")
    assert "Title" in text
    assert house.file("payments/whole.txt") == "nthlayer-sync\nhello\n"
    assert (await house.plan()).counts == {}


async def test_the_main_branch_itself_is_never_committed_to(house):
    git("clone", "-q", str(house.remote), "seed", cwd=house.folder)
    who = ("-c", "user.name=P", "-c", "user.email=p@example.com")
    git(*who, "commit", "-q", "--allow-empty", "-m", "start", cwd=house.folder / "seed")
    git("push", "-q", "origin", "HEAD:nthlayer-sync", cwd=house.folder / "seed")
    git("symbolic-ref", "HEAD", "refs/heads/nthlayer-sync", cwd=house.remote)
    house.service("payments", "hello")
    plan = await house.plan()
    assert set((await house.actions(plan)).values()) == {"refuse"}
    reason = (await house.changes(plan))["payments notes/whole"].reason
    assert "landing.branch" in reason


async def test_a_repository_that_cannot_be_read_is_no_sign_of_health(house):
    house.service("payments", "hello")
    await house.apply(await house.plan())
    assert (await house.plan()).counts == {}
    house.remote.rename(house.folder / "away.git")
    plan = await house.plan()
    assert set((await house.actions(plan)).values()) == {"refuse"}
    (house.folder / "away.git").rename(house.remote)
    assert (await house.plan()).counts == {}
