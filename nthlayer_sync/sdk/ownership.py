"""How much of a file is ours: all of it, marked blocks, or single keys.

An ownership is three pure functions between the text of a file and the part that we manage. Whatever lies outside that
part belongs to people and survives every write byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
class Blocks:
    """Named blocks between marker lines are ours; everything around them is people's.

    A content is a sequence of blocks as `join` makes it. Blocks keep the order people move them to; a new block goes
    behind the one that precedes it in the content. `open` and `close` are the comment signs of the file's language.
    `scope` is the first word of every block's name, so that several configs can share one file.
    """

    open: str
    close: str = ""
    scope: str = ""

    def join(self, blocks: dict[str, str]) -> str:
        """The content that holds `blocks`, name to text; a name is one word, "" where one block is enough."""
        return "".join(self._block(name, text) for name, text in blocks.items())

    def read(self, text: str) -> str | None:
        """Our blocks, in name order of first appearance, without what lies between them."""
        found = self._split(text)
        return "".join(self._block(name, body) for name, body in found.items()) or None

    def write(self, text: str | None, content: str) -> str:
        """Replace each block in place; add what is new; drop what is no longer wanted."""
        wanted = self._split(content)
        if text is None:
            return content
        newline = "\r\n" if "\r\n" in text else "\n"
        text = text.replace("\r\n", "\n")
        present = self._split(text)
        for name in present.keys() - wanted.keys():
            text = self._pattern(name).sub("", text, count=1)
        previous = ""
        for name, body in wanted.items():
            block = self._block(name, body)
            if name in present:
                text = self._pattern(name).sub(lambda _, block=block: block, text, count=1)
            elif previous:
                text = self._pattern(previous).sub(lambda found, block=block: found[0] + block, text, count=1)
            else:
                text = self._append(text, block)
            previous = name
        return text.replace("\n", newline)

    def remove(self, text: str) -> str | None:
        """The text without our blocks; None when only white space remains."""
        crlf = "\r\n" in text
        text = text.replace("\r\n", "\n")
        for name in self._split(text):
            text = self._pattern(name).sub("", text, count=1)
        return (text.replace("\n", "\r\n") if crlf else text) if text.strip() else None

    def foreign(self, text: str) -> bool:
        """Never: blocks stand beside what others wrote."""
        return False

    def _begin(self, name: str) -> str:
        return self._marker("begin", name)

    def _end(self, name: str) -> str:
        return self._marker("end", name)

    def _marker(self, word: str, name: str) -> str:
        return " ".join(filter(None, (self.open, f"{MARK}: {word}", self.scope, name, self.close)))

    def _block(self, name: str, body: str) -> str:
        body = body if body.endswith("\n") or not body else body + "\n"
        if f"{MARK}: begin" in body or f"{MARK}: end" in body:
            raise PermanentError(f"the block {name} holds a marker line, which would end it early")
        return f"{self._begin(name)}\n{body}{self._end(name)}\n"

    def _append(self, text: str, block: str) -> str:
        return block + text if not text.strip() else f"{text}{'' if text.endswith(chr(10)) else chr(10)}{block}"

    def _pattern(self, name: str) -> re.Pattern[str]:
        begin, end = re.escape(self._begin(name)), re.escape(self._end(name))
        return re.compile(rf"^{begin}\n(.*?)^{end}(?:\n|\Z)", re.DOTALL | re.MULTILINE)

    def _split(self, text: str) -> dict[str, str]:
        text = text.replace("\r\n", "\n")
        front = re.escape(" ".join(filter(None, (self.open, f"{MARK}: begin", self.scope))))
        back = re.escape(f" {self.close}") if self.close else ""
        names = re.findall(rf"^{front}(?: (\S+?))?{back}$", text, re.MULTILINE)
        blocks: dict[str, str] = {}
        for name in names:
            found = self._pattern(name).search(text)
            if not found or name in blocks:
                raise PermanentError(f"the block {name} has {'no end' if not found else 'two beginnings'}; mend the markers")
            blocks[name] = found[1]
        return blocks
