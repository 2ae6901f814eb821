"""Reads CODEOWNERS files, as GitHub and GitLab understand them.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
https://docs.gitlab.com/user/project/codeowners/reference/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sources.globs import glob
from nthlayer_sync.sources.shape import short

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where the code hosts look; the first one that is there is used."""
LARGEST = 3 << 20
"""Bytes: GitHub ignores a file of more."""

LONGEST_LINE = 4_096
"""Characters: as many as a path may have on Linux."""

_OWNER = re.compile(r"@@?[A-Za-z0-9_][\w.-]*(?:/[\w.-]+)*|[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)
_SECTION = re.compile(r"\^?\[(?P<name>[^\]]*)\](?:\[\d+\])?(?:\s+(?P<owners>.*))?")
_WORD = re.compile(r"(?:\\.|\S)+")


class Rule(NamedTuple):
    """Who owns the paths that the expression matches; nobody when `owners` is empty."""

    expression: re.Pattern[str]
    owners: tuple[str, ...]
    line: int


@dataclass
class Owners:
    """The rules of one file: those before any section, and those of each GitLab section."""

    sections: list[list[Rule]] = field(default_factory=lambda: [[]])
    diagnoses: list[Diagnosis] = field(default_factory=list[Diagnosis])

    def of_folder(self, folder: str) -> tuple[str, ...]:
        """Who owns everything in a folder ("" is the top): in each section, the last rule that matches."""
        # A file that no rule for single files can mean stands for all of them.
        path = f"{folder}/\0" if folder else "\0"
        found: dict[str, None] = {}
        for section in self.sections:
            rule = next((rule for rule in reversed(section) if rule.expression.fullmatch(path)), None)
            found.update(dict.fromkeys(rule.owners if rule else ()))
        return tuple(found)


def read_codeowners(file: str, data: bytes) -> Owners:
    """Read the file `file`; a line that cannot be used is left out and reported, as the code hosts do.

    What we wrote into it ourselves says nothing new about anybody, so it is left out.
    """
    owners = Owners()
    if len(data) > LARGEST:
        _report(owners, file, (0, 0), "the file is too large for a code host to read", f"{len(data):,} bytes")
        return owners
    defaults: tuple[str, ...] = ()
    ours = False
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        text = line.strip()
        if text.startswith("#"):
            ours = text.startswith(f"# {MARK}: begin") or (ours and not text.startswith(f"# {MARK}: end"))
        if ours or not text or text.startswith("#"):
            continue
        if len(line) > LONGEST_LINE:
            _report(owners, file, (number, 1), f"a line of more than {LONGEST_LINE:,} characters is left out", line)
            continue
        if section := _SECTION.fullmatch(text.partition(" #")[0].strip()):
            defaults = _valid(owners, file, number, line, len((section["owners"] or "").split()))
            owners.sections.append([])
            continue
        words = [match[0] for match in _words(line)]
        if text.startswith("!"):
            _report(owners, file, (number, 1), "a pattern cannot be taken back with !", text)
            continue
        named = words[1:]
        valid = _valid(owners, file, number, line, len(named))
        if named and not valid:
            continue
        expression = re.compile(_expression(words[0]), re.DOTALL)
        owners.sections[-1].append(Rule(expression, valid if named else defaults, number))
    return owners


def _words(line: str) -> list[re.Match[str]]:
    return list(takewhile(lambda word: not word[0].startswith("#"), _WORD.finditer(line)))


def _valid(owners: Owners, file: str, number: int, line: str, last: int) -> tuple[str, ...]:
    """The owners among the `last` words of a line; the others are reported."""
    valid: list[str] = []
    words = _words(line)
    for word in words[len(words) - last :]:
        if _OWNER.fullmatch(word[0]):
            valid.append(word[0])
        else:
            message = "this is nobody's name on a code host, so the code host ignores it"
            _report(owners, file, (number, word.start() + 1), message, word[0])
    return tuple(valid)


def _report(owners: Owners, file: str, at: tuple[int, int], message: str, found: str) -> None:
    owners.diagnoses.append(
        Diagnosis(
            code="codeowners",
            message=message,
            severity=Severity.WARNING,
            file=file,
            line=at[0],
            column=at[1],
            found=short(found),
            allowed=("@user", "@organisation/team", "an e-mail address") if at[1] > 1 else (),
        )
    )


def _expression(pattern: str) -> str:
    """As in .gitignore, but that `folder/*` means the files right in it and no deeper."""
    pattern = re.sub(r"\\(.)", r"\1", pattern)
    anchored = "/" in pattern.rstrip("/")
    if pattern.endswith("/"):
        below = "/.*"
    elif pattern.endswith("/*"):
        below = ""
    else:
        below = "(?:/.*)?"
    body = glob(pattern.strip("/"))
    return f"{body}{below}" if anchored else f"(?:.*/)?{body}{below}"
