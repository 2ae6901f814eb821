"""The text of a pull request: what changes, service by service, with the differences folded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from hashlib import blake2b

import msgspec

from nthlayer_sync.git import Offer
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.sdk.hosting.markup import LARGEST, LARGEST_BLOCK, block, code, diff, folded, label

LISTED = 100
"""Files that are named of one service."""
TRIED = 200
"""Services whose files are read for their differences: there is not room for many more."""
_CHECKSUM = re.compile(r"^Checksum `([0-9a-f]{32})`\r?$", re.MULTILINE)

Read = Callable[[Collection[str]], Awaitable[Mapping[str, bytes]]]
"""Gives the contents of blobs."""


class File(msgspec.Struct, frozen=True):
    """One file that a proposal changes, and the configs that live in it."""

    path: str
    offer: Offer
    configs: tuple[ConfigId, ...] = ()

    @property
    def verb(self) -> str:
        """What happens to it."""
        return "changed" if self.offer.before and self.offer.after else "added" if self.offer.after else "removed"

    @property
    def subject(self) -> str:
        """Whose it is: the first that has a config in it, "" when nobody's is known."""
        return min((str(config.subject) for config in self.configs), default="")


def checksum(offers: Mapping[str, Offer]) -> str:
    """The digest of what is proposed: the same files with the same content have the same."""
    rows = sorted((path, offer.before, offer.after) for path, offer in offers.items())
    return blake2b(repr(rows).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def checksum_of(body: str) -> str:
    """The checksum that a body bears, "" when it bears none."""
    found = _CHECKSUM.findall(body)
    return found[-1] if found else ""


def title_of(files: Sequence[File]) -> str:
    """One line; it holds no foreign text."""
    return f"nthlayer-sync: {_counted(files)}"


async def body_of(files: Sequence[File], checksum: str, plan: str, read: Read) -> str:
    """The whole text, at most `LARGEST` characters: first every service, then as many differences as there is room for.

    `plan` is the plan that was applied last.
    """
    groups: dict[str, list[File]] = {}
    for file in sorted(files, key=lambda file: (not file.subject, file.subject, file.path)):
        groups.setdefault(file.subject, []).append(file)
    services = sum(bool(subject) for subject in groups)
    head = f"{_counted(files)}, for {services} {'entity' if services == 1 else 'entities'}.\n\n"
    foot = _foot(checksum, plan)
    room = LARGEST - len(head) - len(foot) - 100
    sections: list[str] = []
    for subject, own in groups.items():
        section = _section(subject, own)
        if len(section) > room:
            break
        sections.append(section)
        room -= len(section)
    more = len(groups) - len(sections)
    for number, own in enumerate([*groups.values()][: min(len(sections), TRIED)]):
        differences = await _differences(own, room, read)
        sections[number] += differences
        room -= len(differences)
    rest = f"And {more:,} more, which there is no room for here.\n\n" if more else ""
    return head + "".join(sections) + rest + foot


def _counted(files: Sequence[File]) -> str:
    count = Counter(file.verb for file in files)
    words = [f"{count[verb]:,} {verb}" for verb in ("added", "changed", "removed") if count[verb]]
    return f"{', '.join(words)}" if words else "nothing is left to change"


def _foot(checksum: str, plan: str) -> str:
    undo = f"`nthlayer-sync undo {plan}` undoes it, before a merge and after." if plan else ""
    return (
        "---\n\nMerging puts this into force. Closing declines it: it is not proposed again until something else is "
        f"wanted; reopening takes that back. {undo}\n\nChecksum `{checksum}`\n"
    )


def _section(subject: str, files: Sequence[File]) -> str:
    lines = [f"### {code(subject) if subject else 'Files that nobody has a config in any more'}\n"]
    for file in files[:LISTED]:
        kinds = ", ".join(code(kind) for kind in sorted({config.kind for config in file.configs}))
        lines.append(f"- {file.verb} {code(file.path)}{f': {kinds}' if kinds else ''}")
    if len(files) > LISTED:
        lines.append(f"- and {len(files) - LISTED:,} more")
    return "\n".join(lines) + "\n\n"


async def _differences(files: Sequence[File], room: int, read: Read) -> str:
    """The differences of one service, folded; of as many files as there is room for."""
    room -= len(folded("Differences", "")) + 50
    if room < LARGEST_BLOCK // 8:
        return ""
    blocks: list[str] = []
    named = files[:LISTED]
    wanted = {sha for file in named for sha in (file.offer.before, file.offer.after) if sha}
    contents = await read(sorted(wanted))
    for file in named:
        difference = _difference(file, contents)
        if len(difference) > room:
            break
        blocks.append(difference)
        room -= len(difference)
    if not blocks:
        return ""
    if (left := len(files) - len(blocks)) > 0:
        blocks.append(f"And {left:,} more.\n\n")
    return folded("Differences", "".join(blocks))


def _difference(file: File, contents: Mapping[str, bytes]) -> str:
    old, new = (contents[sha].decode(errors="replace") if sha else "" for sha in (file.offer.before, file.offer.after))
    return f"<p>{label(file.path)}</p>\n\n{block(diff(old, new))}"
