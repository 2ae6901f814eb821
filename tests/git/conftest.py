"""Real repositories for the Git tests."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from nthlayer_sync.git import Repository


class Remote:
    """A bare repository and a clone of it in which a person works."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.work = folder / "remote.git", folder / "work"
        self.environment = os.environ | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{
                f"GIT_{role}_{what}": value
                for role in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", "Ann"), ("EMAIL", "Ann@example.org"))
            },
        }
        self("init", "-q", "--bare", "-b", "main", str(self.bare), at=folder)
        self("init", "-q", "-b", "main", str(self.work), at=folder)
        self("remote", "add", "origin", str(self.bare))

    def __call__(self, *arguments: str, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=at or self.work, env=self.environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def person(self, files: dict[str, bytes | None], branch: str = "main", *options: str) -> str:
        """Commit and push what a person changes; gives the commit."""
        self("fetch", "-q", "origin")
        if f"origin/{branch}" in self("branch", "-r", "--format=%(refname:short)").split():
            self("checkout", "-q", "-B", branch, f"origin/{branch}")
        else:
            self("checkout", "-q", "-B", branch)
        for path, data in files.items():
            file = self.work / path
            if data is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", "by a person")
        self("push", "-q", *options, "origin", branch)
        return self("rev-parse", "HEAD")

    def tip(self, branch: str) -> str:
        return self("rev-parse", "-q", "--verify", f"refs/heads/{branch}", at=self.bare)

    def has(self, branch: str) -> bool:
        return f"refs/heads/{branch}" in self("for-each-ref", "--format=%(refname)", at=self.bare).split()

    def count(self, branch: str) -> int:
        return int(self("rev-list", "--count", branch, at=self.bare))

    def show(self, branch: str, path: str) -> bytes:
        return subprocess.run(
            ["git", "show", f"{branch}:{path}"], cwd=self.bare, env=self.environment, capture_output=True, check=True
        ).stdout

    def hook(self, name: str, script: str) -> None:
        file = self.bare / "hooks" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path)


@pytest.fixture
def started(remote: Remote) -> Remote:
    """A remote with a first commit."""
    remote.person({"README.md": b"hello\n", "docs/a.md": b"a\n", "docs/b.md": b"b\n"})
    return remote


@pytest.fixture
def see(remote: Remote, tmp_path: Path) -> Callable[..., Repository]:
    """Makes a `Repository` on the remote; by default all share one mirror."""

    def make(
        mirror: str = "mirror", branch: str = "nthlayer/sync", base: str | None = None, **more: object
    ) -> Repository:
        more = {"protocols": {"file"}, **more}
        return Repository(str(remote.bare), tmp_path / "cache" / mirror, branch=branch, base=base, **more)  # type: ignore[arg-type]

    return make
