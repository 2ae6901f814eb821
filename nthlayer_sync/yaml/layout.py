"""Where things may be put into YAML text, and what has to go when they are taken out; nothing else in it moves.

Every function answers with splices to try in this order. Whether one of them means what it should is for `splice` to
judge, by reading the result: trailing blanks of block scalars and texts without a final newline have no simple rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from nthlayer_sync.yaml.emit import dump, flow, inline
from nthlayer_sync.yaml.tree import Entry, Kind, Node

Path: TypeAlias = tuple[str | int, ...]
New: TypeAlias = tuple[Path, object]  # a value and the path to it, seen from the collection that takes it in

_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\r\n\x85\u2028\u2029]*)?(\r\n|\n|\r|\Z)")
_LINE_END = re.compile(r"\r\n|\n|\r")
_DEFAULT_STEP = 2


@dataclass(frozen=True, slots=True)
class Splice:
    """`replacement` in place of `text[start:end]`."""

    start: int
    end: int
    replacement: str

    def apply(self, text: str) -> str:
        """`text` with the splice made."""
        return text[: self.start] + self.replacement + text[self.end :]


def replace(text: str, node: Node, new: str | float, *, in_flow: bool) -> Iterator[Splice]:
    """Text or a number for the scalar `node`, on one line; text is quoted as the old one if that was."""
    written = flow(new) if not isinstance(new, str) or in_flow or node.style == '"' else inline(new)
    if isinstance(new, str) and not in_flow and node.style == "'" and new.isprintable():
        written = "'" + new.replace("'", "''") + "'"
    if node.start == node.end:
        written = " " + written
    yield Splice(node.start, _value_end(text, node), written)


def fill(text: str, root: Node, parent: Node, node: Node, new: New) -> Iterator[Splice]:
    """What is `new`, for the null `node`, a value in the mapping `parent`."""
    path, value = new
    if parent.style:
        written = flow(_nested(path, value))
        if node.start == node.end:
            written = (" " if _follows(text, node, ":") else ": ") + written
        yield Splice(node.start, node.end, written)
        return
    rest = _REST_OF_LINE.match(text, node.end)
    if rest is not None:
        start = len(text[: node.start].rstrip(" \t"))
        step = " " * _step(parent, root)
        lines = _lines(path, value, " " * _column(text, parent) + step, step)
        eol = _eol(text, rest.end())
        yield Splice(start, rest.end(), text[node.end : rest.start(1)] + eol + eol.join(lines) + rest[1])


def add(text: str, root: Node, node: Node, new: New) -> Iterator[Splice]:
    """What is `new`, as the last entry of the collection `node`."""
    path, value = new
    last = node.entries[-1] if node.entries else None
    if node.style:
        written = flow(_nested(path, value))[1:-1]
        if last is None:
            place = text.index(node.style, node.start) + 1
            yield Splice(place, place, written)
        else:
            place = entry_end(text, last)
            yield Splice(place, place, ", " + written)
        return
    assert last is not None, "only flow collections are empty"
    column = _column(text, node)
    lines = _lines(path, value, " " * column, " " * _step(node, root))
    leaf = _last_leaf(last)
    ends = [entry_end(text, last)] + ([leaf.end] if leaf.style in ("|", ">") else [])
    for end in ends:
        rest = _REST_OF_LINE.match(text, end)
        if _at_line_start(text, end):
            yield Splice(end, end, _block(lines, _eol(text, end)))
        elif rest is not None and rest[1]:
            yield Splice(rest.end(), rest.end(), _block(lines, rest[1]))
        elif rest is not None:
            eol = _eol(text, end)
            yield Splice(rest.end(), rest.end(), eol + eol.join(lines))
    start = entry_start(text, node, len(node.entries) - 1)
    if not text[start - column : start].strip(" "):
        yield Splice(start - column, start - column, _block(lines, _eol(text, start)))


def remove(text: str, node: Node, position: int) -> Iterator[Splice]:
    """The entry at `position` of the collection `node` taken out."""
    if node.style:
        yield _without_flow_entry(text, node, position)
        return
    start, entry = entry_start(text, node, position), node.entries[position]
    following = entry_start(text, node, position + 1) if position + 1 < len(node.entries) else None
    line_start = start - _column(text, node)
    if text[line_start:start].strip(" "):  # it shares its first line with the dash of an item around it
        if following is not None and not text[entry_end(text, entry) : following].strip():
            yield Splice(start, following, "")
        return
    leaf = _last_leaf(entry)
    ends = [entry_end(text, entry)] + ([leaf.end] if leaf.style in ("|", ">") else [])
    for end in ends:
        if _at_line_start(text, end):
            yield Splice(line_start, end, "")
            continue
        rest = _REST_OF_LINE.match(text, end)
        if rest is None:
            continue
        if not rest[1]:  # the last line of a file without final newline: the line before is the last now
            yield Splice(_before_line_end(text, line_start), rest.end(), "")
        yield Splice(line_start, rest.end(), "")


def hollow(text: str, entry: Entry) -> Iterator[Splice]:
    """The only child of the block collection in `entry` taken out, and `{}` or `[]` put for it; comments stay."""
    assert entry.key is not None, "only comments below a key are kept this way"
    colon = text.index(":", entry.key.end) + 1
    empty = " {}" if entry.value.kind is Kind.MAPPING else " []"
    for splice in remove(text, entry.value, 0):
        yield Splice(colon, splice.end, empty + text[colon : splice.start])


def has_comment(text: str, entry: Entry) -> bool:
    """Whether a comment stands between an entry's key and the block collection that is its value."""
    if entry.key is None or entry.value.style or not entry.value.entries:
        return False
    return "#" in text[entry.key.end : entry_start(text, entry.value, 0)]


def entry_start(text: str, node: Node, position: int) -> int:
    """Where the entry begins: at its key, its `?` or its dash."""
    entry = node.entries[position]
    if entry.key is not None:
        before = text[: entry.key.start].rstrip(" \t")
        return len(before) - 1 if before.endswith("?") and entry.key.start > len(before) else entry.key.start
    if node.style:
        return entry.value.start
    if position == 0:
        return _first_dash(text, node)
    column = _column(text, node)
    dash = re.compile(rf"(?:(?<=[\r\n])|\A) {{{column}}}-(?=\s|\Z)")
    found = dash.search(text, entry_end(text, node.entries[position - 1]))
    assert found is not None, "an item of a block sequence has a dash"
    return found.end() - 1


def entry_end(text: str, entry: Entry) -> int:
    """Where the entry's text ends; blanks, comments and the line's end are not part of it."""
    value = entry.value
    if value.start == value.end and entry.key is not None and not _follows(text, value, ":"):
        return _value_end(text, entry.key)
    return _value_end(text, value)


def _value_end(text: str, node: Node) -> int:
    if node.entries and not node.style:
        return entry_end(text, node.entries[-1])
    if node.style in ("|", ">"):
        return node.start + len(text[node.start : node.end].rstrip(" \t\r\n"))
    return node.end


def _last_leaf(entry: Entry) -> Node:
    node = entry.value
    while node.entries and not node.style:
        node = node.entries[-1].value
    return node


def _without_flow_entry(text: str, node: Node, position: int) -> Splice:
    """The entry of a flow collection taken out, with the comma that then has nothing to part."""
    entries = node.entries
    start, end = entry_start(text, node, position), entry_end(text, entries[position])
    if position + 1 == len(entries) > 1:
        return Splice(entry_end(text, entries[position - 1]), end, "")
    if position + 1 < len(entries):
        return Splice(start, entry_start(text, node, position + 1), "")
    comma = re.compile(r"\s*,").match(text, end)
    return Splice(start, comma.end() if comma else end, "")


def _lines(path: Path, value: object, indent: str, step: str) -> list[str]:
    """The lines, without their ends, of a block that holds `value` at `path`."""
    if not path:
        return [indent + line if line else "" for line in dump(value).removesuffix("\n").split("\n")]
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        inner = _lines(rest, value, indent + "  ", step)
        return [f"{indent}- {inner[0].lstrip(' ')}", *inner[1:]]
    if rest or (type(value) in (dict, list, tuple) and value):
        return [f"{indent}{inline(part)}:", *_lines(rest, value, indent + step, step)]
    return [f"{indent}{inline(part)}: {inline(value) if type(value) is str else flow(value)}"]


def _nested(path: Path, value: object) -> object:
    """The collections that hold nothing but `value` at `path`."""
    for part in reversed(path):
        value = {part: value} if isinstance(part, str) else [value]
    return value


def _block(lines: list[str], eol: str) -> str:
    return "".join(line + eol for line in lines)


def _eol(text: str, place: int) -> str:
    """How the line before `place` ends, or else the first line, or else as on Unix."""
    start = _line_start(text, place)
    found = _LINE_END.search(text, start - 2 if text[:start].endswith("\r\n") else max(0, start - 1))
    return found[0] if found else "\n"


def _line_start(text: str, place: int) -> int:
    return max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1


def _at_line_start(text: str, place: int) -> bool:
    return text[place - 1 : place] in ("\n", "\r")


def _before_line_end(text: str, line_start: int) -> int:
    """Where the line before ends, its line break not counted."""
    return line_start - (2 if text[:line_start].endswith("\r\n") else 1 if line_start else 0)


def _follows(text: str, node: Node, indicator: str) -> bool:
    return text[: node.start].endswith(indicator)


def _first_dash(text: str, node: Node) -> int:
    """Where the first dash of a block sequence stands: at its start, unless a tag or anchor stands there."""
    if text.startswith("-", node.start):
        return node.start
    found = re.compile(r"^ *-(?=\s)", re.MULTILINE).search(text, node.start)
    assert found is not None, "a block sequence has a dash"
    return found.end() - 1


def _column(text: str, node: Node) -> int:
    """How many characters stand before each entry of a block collection."""
    start = entry_start(text, node, 0)
    return start - _line_start(text, start)


def _step(node: Node, root: Node) -> int:
    """How far the file indents mappings: in `node` if it holds one, else at its top."""
    for outer in (node, root):
        for entry in outer.entries if not outer.style else ():
            inner = entry.value
            marked = inner.style or inner.anchor or inner.tag
            if inner.kind is Kind.MAPPING and entry.key is not None and not marked and inner.line > entry.key.line:
                return max(1, inner.column - entry.key.column)
    return _DEFAULT_STEP
