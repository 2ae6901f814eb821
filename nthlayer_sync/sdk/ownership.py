"""How much of a file is ours: all of it, marked blocks, or single keys.

An ownership is three pure functions between the text of a file and the part that we manage. Whatever lies outside that
part belongs to people and survives every write byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Protocol

from nthlayer_sync.errors import PermanentError

MARK = "nthlayer-sync"
"""Stands in every file or block that we manage."""


class Ownership(Protocol):
    """Reads, writes and removes our part of a file's text.

    For every text and every content: `read(write(text, content)) == content`, `write` is idempotent, and
    `remove(write(text, content)) == text` unless `text` already held a part of ours.
    """

    def read(self, text: str) -> str | None:
        """Our part; None when the file holds none."""
        ...

    def write(self, text: str | None, content: str) -> str:
        """The file's text with our part set to `content`; `text` is None when there is no file yet."""
        ...

    def remove(self, text: str) -> str | None:
        """The file's text without our part; None when nothing remains and the file should go."""
        ...

    def foreign(self, text: str) -> bool:
        """Whether writing would overwrite what somebody else made."""
        ...


@dataclass(frozen=True)
class Whole:
    """The whole file is ours; it bears our mark, and a file without the mark is somebody else's."""

    def read(self, text: str) -> str | None:
        """The text itself."""
        return text

    def write(self, text: str | None, content: str) -> str:
        """The content itself."""
        if MARK not in content:
            raise PermanentError(f"a file that is wholly ours must name {MARK} in it, so that it is known again")
        return content

    def remove(self, text: str) -> str | None:
        """Nothing remains."""
        return None

    def foreign(self, text: str) -> bool:
        """A file without our mark."""
        return MARK not in text


@dataclass(frozen=True)
class Block:
    """One of our blocks where it stands: `text[start:end]` is the block with its marker lines and final newline."""

    start: int
    end: int
    body: str
    """What stands between the markers, with `\\n` at the end of each line."""


@dataclass(frozen=True)
class Blocks:
    """Named blocks between marker lines are ours; everything around them is people's.

    A content is a sequence of blocks as `join` makes it. People may move blocks: they stay where they are. A new block
    goes right before the one that follows it in the content, so that what people wrote below a block stays below it.
    `open` and `close` are the comment signs of the file's language. `scope` is the first word of every block's name, so
    that several configs can share one file. `order` gives the first words of names (up to a `.`) in the order that
    blocks have in a content; blocks with the same first word, or with none of these, are in order of their names.
    """

    open: str
    close: str = ""
    scope: str = ""
    order: tuple[str, ...] = ()

    def join(self, blocks: dict[str, str]) -> str:
        """The content that holds `blocks`, name to text; a name is one word, "" where one block is enough."""
        return "".join(self._block(name, blocks[name]) for name in sorted(blocks, key=self._rank))

    def read(self, text: str) -> str | None:
        """Our blocks, wherever they stand, without what lies between them."""
        return self.join({name: block.body for name, block in self._find(text).items()}) or None

    def write(self, text: str | None, content: str) -> str:
        """Replace each block in place; add what is new; drop what is no longer wanted."""
        wanted = {name: block.body for name, block in self._find(content).items()}
        if text is None:
            return content
        with_newline, newline = _complete(text)
        present = self._find(with_newline)
        changes = list[tuple[int, int, str]]()
        for name, block in present.items():
            if name not in wanted:
                changes.append((block.start, block.end, ""))
            elif wanted[name] != block.body:
                changes.append((block.start, block.end, self._block(name, wanted[name]).replace("\n", newline)))
        new = [name for name in wanted if name not in present]
        for place, names in groupby(new, lambda name: self._place(name, wanted, present, len(with_newline))):
            added = "".join(self._block(name, wanted[name]) for name in names)
            changes.append((place, place, added.replace("\n", newline)))
        return _restored(_changed(with_newline, changes), text)

    def remove(self, text: str) -> str | None:
        """The text without our blocks; None when only white space remains."""
        with_newline, _ = _complete(text)
        rest = _changed(with_newline, [(block.start, block.end, "") for block in self._find(with_newline).values()])
        return _restored(rest, text) if rest.strip() else None

    def foreign(self, text: str) -> bool:
        """Never: blocks stand beside what others wrote."""
        return False

    def _rank(self, name: str) -> tuple[int, str]:
        first = name.partition(".")[0]
        return (self.order.index(first) if first in self.order else len(self.order), name)

    def _place(self, name: str, wanted: dict[str, str], present: dict[str, Block], end: int) -> int:
        """Where a new block goes: before its successor, or else behind all blocks that are there."""
        names = list(wanted)
        index = names.index(name)
        before = next((present[n] for n in reversed(names[:index]) if n in present), None)
        after = next((present[n] for n in names[index:] if n in present), None)
        if after and (before is None or before.end <= after.start):
            return after.start
        if before is None or all(block.end <= before.end for block in present.values()):
            return end
        return before.end

    def _marker(self, word: str, name: str) -> str:
        return " ".join(filter(None, (self.open, f"{MARK}: {word}", self.scope, name, self.close)))

    def _block(self, name: str, body: str) -> str:
        body = body if body.endswith("\n") or not body else body + "\n"
        if self._markers.search(body):
            raise PermanentError(f"the block {name} holds a marker line, which would end it early")
        return f"{self._marker('begin', name)}\n{body}{self._marker('end', name)}\n"

    @cached_property
    def _markers(self) -> re.Pattern[str]:
        """A marker line: `begin` or `end`, then the words that say which block."""
        back = rf"[ \t]+{re.escape(self.close)}" if self.close else ""
        return re.compile(
            rf"^{re.escape(self.open)}[ \t]+{MARK}:[ \t]+(begin|end)((?:[ \t]+[^\s]+?)*){back}[ \t]*\r?$\n?",
            re.MULTILINE,
        )

    def _find(self, text: str) -> dict[str, Block]:
        """Our blocks in the order they stand in `text`."""
        blocks: dict[str, Block] = {}
        begun: tuple[str, re.Match[str]] | None = None
        for marker in self._markers.finditer(text):
            words = marker[2].split()
            if self.scope and words[:1] != [self.scope]:
                continue
            words = words[1:] if self.scope else words
            if len(words) > 1:
                continue  # of another scope
            name = "".join(words)
            if marker[1] == "begin":
                if begun or name in blocks:
                    raise _damaged(
                        text, marker, "has no end" if begun else "stands here twice", begun[0] if begun else name
                    )
                begun = (name, marker)
            elif begun is None or begun[0] != name:
                raise _damaged(text, marker, "ends here but did not begin", name)
            else:
                body = text[begun[1].end() : marker.start()].replace("\r\n", "\n")
                blocks[name] = Block(begun[1].start(), marker.end(), body)
                begun = None
        if begun:
            raise _damaged(text, begun[1], "has no end", begun[0])
        return blocks


def _damaged(text: str, marker: re.Match[str], what: str, name: str) -> PermanentError:
    line = text.count("\n", 0, marker.start()) + 1
    return PermanentError(f"line {line}: the block {name or marker[0].strip()} {what}; mend the marker lines")


def _complete(text: str) -> tuple[str, str]:
    """`text` with a newline at its end, and the newline that it uses."""
    first = text.find("\n")
    newline = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
    return (text + newline if text and not text.endswith("\n") else text), newline


def _restored(text: str, original: str) -> str:
    """`text` without its last newline where `original` had none."""
    if original and not original.endswith("\n"):
        return text.removesuffix("\n").removesuffix("\r") if text.endswith("\r\n") else text.removesuffix("\n")
    return text


def _changed(text: str, changes: list[tuple[int, int, str]]) -> str:
    """`text` with each span (start, end) replaced; an insertion at a place goes before a change that starts there."""
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text
