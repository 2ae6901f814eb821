"""Which code host a repository is on, and what it is called there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCP = re.compile(r"(?:[\w.+-]+@)?(?P<host>[\w.-]+):(?P<path>[^/].*)")


def parts(root: str) -> tuple[str, str]:
    """Host and name of a repository by its address, "" for both where it is on no host."""
    if root.startswith(("https://", "ssh://")):
        address = urlsplit(root)
        name, path = address.hostname or "", address.path
    elif found := _SCP.fullmatch(root):
        name, path = found["host"], found["path"]
    else:
        return "", ""
    return name.lower(), path.strip("/").removesuffix(".git")
