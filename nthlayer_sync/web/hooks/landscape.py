"""What the settings say of the systems that send deliveries: which source reads a repository, which root it is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

from nthlayer_sync.settings import DirectorySettings, GitSettings, Settings
from nthlayer_sync.sources.catalog_files import BLUEPRINT_NAMES, PATTERNS
from nthlayer_sync.sources.globs import any_of
from nthlayer_sync.web.problem import Refusal

_SCP = re.compile(r"(?:[\w.+-]+@)?(?P<host>[\w.-]+):(?P<path>[^/].*)")
_REPOSITORY = re.compile(r"[A-Za-z0-9.-]{1,253}(/(?!\.{1,2}(/|$))[\w.-]{1,255}){2,24}", re.ASCII)
_FILES = (*PATTERNS, *(f"**/{name}" for name in BLUEPRINT_NAMES))


@dataclass(frozen=True)
class Landscape:
    """The settings, and the roots in which something is applied, as `Store.roots` names them."""

    settings: Settings
    roots: Collection[str] = ()

    def everything(self) -> list[str]:
        """Every source."""
        return [source.name for source in self.settings.sources]

    def of_type(self, kind: str) -> list[str]:
        """The sources of one type."""
        return [source.name for source in self.settings.sources if source.type == kind]

    def reading(self, repository: str, files: Collection[str] | None) -> list[str]:
        """The sources that read a repository, by what settings tell, where `files` of it changed (None: unknown).

        A Git source names its repository. Directories and Backstage may show files of any, so they are looked at where
        a catalog or blueprint file is among those that changed.
        """
        return list(self._reading(repository, files))

    def root(self, repository: str) -> list[str]:
        """The audit of a repository; nothing where nothing of ours is."""
        name, prefixes = repository.lower(), tuple(self.settings.landing.instead_of)
        likely = (
            root
            for kind, _, root in (key.partition(" ") for key in self.roots)
            if kind == "git" and (name.partition("/")[2] in root.lower() or root.startswith(prefixes))
        )
        return [f"git {root}" for root in likely if repository_of(self._where(root)).lower() == name]

    def accounts(self, target: str) -> list[str]:
        """The audits of every account of a live system."""
        return [key for key in self.roots if key.partition(" ")[0] == target]

    def is_ours(self, address: str) -> bool:
        """Whether a commit with this author's address is ours."""
        return address.lower() == parseaddr(self.settings.landing.author)[1].lower()

    def _reading(self, repository: str, files: Collection[str] | None) -> Iterator[str]:
        for source in self.settings.sources:
            if isinstance(source, GitSettings):
                if repository_of(source.url).lower() == repository.lower():
                    yield source.name
            elif source.type in ("directory", "backstage"):
                more = tuple(f"**/{each}" for each in source.files) if isinstance(source, DirectorySettings) else ()
                matches = any_of((*_FILES, *more)).fullmatch
                if files is None or any(matches(path) for path in files):
                    yield source.name

    def _where(self, root: str) -> str:
        """The address at which a root really is; the longest prefix that fits is replaced, as where it is written."""
        instead_of = self.settings.landing.instead_of
        prefix = max((each for each in instead_of if root.startswith(each)), key=len, default=None)
        return root if prefix is None else instead_of[prefix] + root.removeprefix(prefix)


def repository_of(address: str) -> str:
    """`<host>/<path>` of a repository by its address, "" where it is on no host."""
    if address.startswith(("https://", "http://", "ssh://")):
        parts = urlsplit(address)
        host, path = parts.hostname or "", parts.path
    elif found := _SCP.fullmatch(address):
        host, path = found["host"], found["path"]
    else:
        return ""
    path = path.strip("/").removesuffix(".git")
    return f"{host.lower()}/{path}" if host and path else ""


def told_repository(address: str) -> str:
    """The same of an address in a delivery; Refusal where it names no repository."""
    try:
        repository = "" if set("?#@") & set(address) else repository_of(address)
    except ValueError:
        repository = ""
    if not _REPOSITORY.fullmatch(repository):
        raise Refusal(400, "the body does not fit: the address of the repository is none")
    return repository
