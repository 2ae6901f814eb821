"""Paths and branch names: nothing leaves the repository or reaches into .git."""

import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git import check_branch, check_path


@pytest.mark.parametrize(
    "path",
    ["a", "a/b.yaml", ".github/workflows/x.yml", "é/ü.md", "a b/c", "..a/b..", ".gitignore", "x.git/y", "日本/語"],
)
def test_allowed(path: str) -> None:
    check_path(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/etc/passwd", "a//b", "a/", "./a", "../a", "a/../b", "a/.", ".."),
        *(
            ".git",
            ".GIT/config",
            "a/.Git/hooks/x",
            ".git /x",
            ".git./x",
            ".git::$INDEX_ALLOCATION/x",
            "git~1/x",
            "GIT~1",
        ),
        *(
            ".g\u200cit/config",
            ".git\ufeff/x",
            "a\\b",
            "..\\a",
            "C:\\x",
            "a\0b",
            "a\nb",
            "a\x7f",
            "a\u2028b",
            "a\ud800",
        ),
        *("x" * 256, "é" * 128, "/".join(["abcd"] * 1000)),
    ],
)
def test_refused(path: str) -> None:
    with pytest.raises(PermanentError, match="cannot be written to a repository"):
        check_path(path)


@given(st.text(alphabet=st.sampled_from("aG.gitGIT~1/\\ :\0\n\u200c\ufeff-é"), max_size=12))
@example("a/.gIt. /b")
def test_what_passes_stays_inside(path: str) -> None:
    try:
        check_path(path)
    except PermanentError:
        return
    parts = path.split("/")
    assert all(part not in ("", ".", "..") for part in parts)
    assert not any("".join(c for c in part if c.isprintable()).casefold().rstrip(" .") == ".git" for part in parts)
    assert "\\" not in path
    assert "\0" not in path


@given(st.text(alphabet=st.sampled_from("aZ/.@{~^:?*[\\ \x01-lock\u00e9"), max_size=10))
@example("a.lock/b")
@example("@")
@example("HEAD")
@example("a/HEAD")
def test_branches_are_those_of_git(name: str) -> None:
    try:
        check_branch(name)
        ours = True
    except PermanentError:
        ours = False
    done = subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False)
    assert not ours or done.returncode == 0
    if done.returncode == 0 and name not in ("HEAD", "@") and done.stdout.decode().strip() == name:
        assert ours
