"""The process is killed at every step of a commit: the remote has the old tip or the new one, and a second run ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.git import Repository

if TYPE_CHECKING:
    from conftest import Remote

See = Callable[..., Repository]
WHO = ("Robot", "robot@example.org")
OURS = "nthlayer/sync"
FILES: dict[str, bytes | None] = {f"d{n % 7}/f{n}": b"%d\n" % n * 30 for n in range(900)}

PROGRAM = """
import asyncio, sys
from pathlib import Path
from nthlayer_sync.git import Repository

async def main():
    ours = Repository(sys.argv[1], Path(sys.argv[2]), branch="nthlayer/sync", protocols={"file"})
    files = {f"d{n % 7}/f{n}": b"%d\\n" % n * 30 for n in range(900)}
    await ours.commit(files, "m", author=("Robot", "robot@example.org"), expect=await ours.tree())

asyncio.run(main())
"""

# Git's process outlives the one that started it by a moment, as it may in earnest.
WRAPPER = """#!/bin/sh
case " $* " in
*" {verb} "*) {steps} ;;
esac
exec {git} "$@"
"""
STEPS = {
    "before": "kill -9 $PPID",
    "instead": "kill -9 $PPID; exit 1",
    "after": '{git} "$@"; kill -9 $PPID; exit 0',
}


@pytest.mark.parametrize("moment", STEPS)
@pytest.mark.parametrize(
    "verb", ["init", "ls-remote", "fetch", "cat-file", "index-pack", "fast-import", "push", "update-ref"]
)
async def test_kill(started: Remote, see: See, tmp_path: Path, verb: str, moment: str) -> None:
    git = shutil.which("git")
    assert git
    wrapper = tmp_path / "bin/git"
    wrapper.parent.mkdir()
    wrapper.write_text(WRAPPER.format(verb=verb, git=git, steps=STEPS[moment].format(git=git)))
    wrapper.chmod(0o755)
    root = str(Path(__file__).parents[2])
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PROGRAM, str(started.bare), str(tmp_path / "cache/mirror")],
        env=os.environ | {"PATH": f"{wrapper.parent}:{os.environ['PATH']}", "PYTHONPATH": root},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()

    assert started("fsck", "--strict", at=started.bare) == ""
    ours = see()
    try:
        made = await ours.commit(FILES, "m", author=WHO, expect=await ours.tree())
    except TemporaryError:  # the push that the killed process had begun landed in between: look again
        await ours.fetch()
        made = await ours.commit(FILES, "m", author=WHO, expect=await ours.tree())
    assert started.tip(OURS) == made.sha
    assert started.count(OURS) == 2
    assert len(await ours.listing(made.tree)) == len(FILES) + 3
    assert started("fsck", "--strict", at=started.bare) == ""
