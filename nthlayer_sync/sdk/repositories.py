"""The Git repositories that files are read from and land in, and which of them may be used at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import blake2b
from pathlib import Path
from urllib.parse import urlsplit

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git import Repository


class Repositories:
    """The repositories that files land in, each with its mirror below `cache`.

    `named` are those that the settings name; they may be paths on this machine. Any other address comes from the
    catalog, which anybody may write: it is used only when its host is in `hosts`, or when `instead_of` says where the
    repository really is: the longest prefix that fits is replaced, as Git's own `url.<base>.insteadOf` does.
    """

    def __init__(
        self,
        cache: Path,
        branch: str,
        named: Collection[str],
        hosts: Collection[str] = (),
        instead_of: Mapping[str, str] | None = None,
    ) -> None:
        self._cache = cache
        self._branch = branch
        self._named = frozenset(named)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._instead_of = instead_of or {}
        self._open: dict[str, Repository] = {}

    def allowed(self, root: str) -> bool:
        """Whether it may be read and written at all."""
        return root in self._named or self._prefix(root) is not None or _host(root) in self._hosts

    def get(self, root: str) -> Repository:
        """The repository with this address."""
        if root not in self._open:
            if not self.allowed(root):
                raise PermanentError(f"{root} is named by the catalog, and its host is not in landing.hosts")
            ours = root in self._named or self._prefix(root) is not None
            protocols = ("https", "ssh", "file") if ours else ("https", "ssh")
            address = self._address(root)
            self._open[root] = Repository(address, self.mirror(root), branch=self._branch, protocols=protocols)
        return self._open[root]

    def mirror(self, root: str) -> Path:
        """Where its mirror is."""
        return self._cache / blake2b(self._address(root).encode(), digest_size=12).hexdigest()

    def _address(self, root: str) -> str:
        """Where it really is."""
        prefix = self._prefix(root)
        return root if prefix is None else self._instead_of[prefix] + root.removeprefix(prefix)

    def _prefix(self, root: str) -> str | None:
        return max((prefix for prefix in self._instead_of if root.startswith(prefix)), key=len, default=None)


def _host(root: str) -> str:
    return (urlsplit(root).hostname or "").lower() if root.startswith(("https://", "ssh://")) else ""
