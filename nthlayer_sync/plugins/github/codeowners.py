"""github/codeowners: who must review changes to a service's folder, from the ownership that the catalog resolved.

The file belongs to people as well: every service has a block of its own in it. GitHub heeds the last line that matches
a path, so a block stands below every line that would leave it without effect, and above all others, which are narrower.
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import ConfigId, Spec
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.github.workflow import workflow_path
from nthlayer_sync.rollout.policy import hosted_on
from nthlayer_sync.sdk.kind import Beside, FileKind
from nthlayer_sync.sdk.ownership import Blocks

# Organisation or user, and team: https://github.com/shinnn/github-username-regex, team slugs are like file names.
_HANDLE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?")
# Beyond these CODEOWNERS has patterns (`*`, `?`, `[`), comments (`#`) and negations (`!`).
_FOLDER = re.compile(r"[\w@.+,=()~ /-]*")
_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")


class CodeownersSpec(Spec, frozen=True):
    """Patterns, widest first, and the one who owns what they match."""

    service: EntityRef
    patterns: tuple[str, ...]
    owner: str


@dataclass(frozen=True)
class Lines(Blocks):
    """Blocks among the lines of people, ordered by their text where they stand together."""

    def write(self, text: str | None, content: str) -> str:
        """A block that is there stays where it is; a new one goes to the place its pattern asks for."""
        if not text or not text.strip() or self.read(text) is not None:
            return super().write(text, content)
        newline = "\r\n" if "\r\n" in text else "\n"
        added = content.replace("\n", newline)
        place = self._below(text, next(iter(self._find(content).values())).body)
        if place == len(text) and not text.endswith("\n"):
            return text + newline + added.removesuffix(newline)
        return text[:place] + added + text[place:]

    def _below(self, text: str, body: str) -> int:
        """Below the last line that covers what the block is about, and below the blocks there that sort before it.

        What stands above such a line was without effect in that folder already, so no line of people loses any.
        """
        folder = _words(body)[0]
        others = list(Blocks(self.open)._find(text).values())
        place, start = 0, 0
        for line in re.findall(r"[^\n]*\n|[^\n]+", text):
            words = _words(line)
            start += len(line)
            if words and covers(words[0], folder):
                place = next((block.end for block in others if block.start < start <= block.end), start)
        for block in others:
            if block.start == place and block.body < body:
                place = block.end
        return place


def covers(pattern: str, folder: str) -> bool:
    """Whether a pattern of CODEOWNERS matches everything in a folder, which is given as a pattern of ours."""
    matches = _matcher(pattern)
    # Names that no pattern spells out, so that only a wildcard, or a folder above, can match them.
    below = re.sub(r"\\(.)", r"\1", folder.strip("*/"))
    return all(matches.fullmatch(f"{below}/{name}".lstrip("/")) for name in ("\0", "\0/\0"))


def _words(line: str) -> list[str]:
    """A line without its comment, in words: the pattern, then owners."""
    return re.findall(r"(?:\\.|[^\s\\])+", re.split(r"(?<!\\)(?:^|\s)#", line)[0])


@lru_cache(maxsize=1000)
def _matcher(pattern: str) -> re.Pattern[str]:
    """What a pattern matches: as in .gitignore, save that a final `/*` does not reach into folders."""
    parts = re.findall(r"\\.|\*+|\?|/|[^\\*?/]+|\\", pattern.strip("/"))
    known = {"*": "[^/]*", "?": "[^/]", "/": "/"}
    body = "".join(
        ".*" if part.startswith("**") else known.get(part) or re.escape(re.sub(r"\\(.)", r"\1", part)) for part in parts
    )
    anchored = "/" in pattern.rstrip("/")
    direct = anchored and (pattern == "/*" or (pattern.endswith("/*") and not pattern.endswith("**/*")))
    end = "" if direct else "/.*" if pattern.endswith("/") else "(?:/.*)?"
    # `**/` is no folder at all, too.
    return re.compile(("" if anchored else "(?:.*/)?") + body.replace(".*/", "(?:.*/)?") + end, re.DOTALL)


def generate(service: Service) -> Iterator[CodeownersSpec]:
    """One for every service in a repository of its own whose owner the code host knows by name."""
    if service.own is None or service.owner is None or not service.owner.handle or hosted_on(service) == "gitlab":
        return
    folder = service.own.folder
    patterns = (_pattern(service.ref, folder),)
    if folder and service.runs:
        patterns += (f"/{workflow_path(service)}",)
    yield CodeownersSpec(service=service.ref, patterns=patterns, owner=_owner(service.owner.ref, service.owner.handle))


def render(spec: CodeownersSpec) -> str:
    """The service's block."""
    lines = "".join(f"{pattern} {spec.owner}\n" for pattern in spec.patterns)
    return _block(spec.service).join({"": lines})


def _block(service: EntityRef) -> Lines:
    return Lines("#", scope=service)


@lru_cache(maxsize=10_000)
def _owner(ref: EntityRef, handle: str) -> str:
    name = handle.removeprefix("@")
    if not _HANDLE.fullmatch(name):
        raise PermanentError(f"{ref}: its handle {handle!r} is no user or organisation/team on GitHub")
    return f"@{name}"


def _pattern(ref: EntityRef, folder: str) -> str:
    if not folder:
        return "*"
    if not _FOLDER.fullmatch(folder):
        raise PermanentError(f"{ref}: its folder {folder!r} has characters that CODEOWNERS cannot match literally")
    return f"/{folder.replace(' ', chr(92) + ' ')}/"


def _path(service: Service, spec: CodeownersSpec) -> str:
    """GitHub reads the first of three places only, so a file that is there is the one to write to."""
    there = service.facts.codeowners if service.facts else ""
    return there if there in _PLACES else _PLACES[0]


def _owns(config: ConfigId) -> Lines:
    return _block(config.subject)


CODEOWNERS = FileKind(
    name="github/codeowners",
    version=1,
    summary="who must review changes to a service's folder",
    subject=Service,
    spec=CodeownersSpec,
    generate=generate,
    path=_path,
    beside=Beside.TOP,
    owns=_owns,
    render=render,
)
