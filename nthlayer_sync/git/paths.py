"""Which paths and branch names may be written: a name from a catalog must not leave the repository or reach into .git.

The rules for `.git` are those of Git itself (`verify_path` with `core.protectHFS` and `core.protectNTFS`), on every
system, because the reader of the repository may use another one than the writer.
"""

from __future__ import annotations

import re
from functools import lru_cache

from nthlayer_sync.errors import PermanentError

LONGEST_NAME = 255
"""Bytes in one component, the limit of the usual file systems (NAME_MAX)."""
LONGEST_PATH = 4095
"""Bytes in a whole path, the limit of Linux (PATH_MAX without its final zero)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_DOT_GIT = re.compile(r"(\.git|git~\d+)[ .]*(:.*)?", re.IGNORECASE)
_BAD_IN_BRANCH = re.compile(r"[\x00-\x20\x7f-\x9f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//|/\.|\.lock(/|$)|\.(/|$)")


def check_path(path: str) -> None:
    """Refuse a path that is not a plain relative one inside the repository, as a `PermanentError` that says why."""
    complaint = next((wrong for name in path.split("/") if (wrong := _complaint(name))), "")
    if not complaint and len(path.encode()) > LONGEST_PATH:
        complaint = f"longer than {LONGEST_PATH} bytes"
    if complaint:
        raise PermanentError(f"the path {path[:200]!a} cannot be written to a repository: {complaint}")


def check_branch(name: str) -> None:
    """Refuse a name that Git would not take for a branch (`git help check-ref-format`), as a `PermanentError`."""
    if not name or name in ("@", "HEAD") or name[0] in "-./" or name[-1] == "/" or _BAD_IN_BRANCH.search(name):
        raise PermanentError(f"{name[:200]!a} is not a name that Git allows for a branch")


@lru_cache(maxsize=65_536)
def _complaint(name: str) -> str:
    if name in ("", ".", ".."):
        return "it must be relative, without empty, '.' or '..' parts"
    if "\\" in name:
        return "it holds a backslash, which is a folder separator on Windows"
    if _CONTROL.search(name):
        return "it holds a control character or half a character"
    if _DOT_GIT.fullmatch(_IGNORED_BY_HFS.sub("", name)):
        return f"{name!a} is Git's own folder, or looks like it on some systems"
    if len(name.encode()) > LONGEST_NAME:
        return f"a part is longer than {LONGEST_NAME} bytes"
    return ""
