"""Changes single values in YAML files that people wrote; every other byte stays.

Text is cut and put in at the places that the parser gives, never dumped. Each result is read again, and is returned
only if it means exactly what was there before plus what was asked for; else InputError says why the file has to be
changed by hand. Files with templates or with a key that stands twice are refused, and so is a change of something that
an alias repeats elsewhere.

A path leads from a document's top through keys and positions. Missing mappings and lists on it are made; what has been
emptied by a removal goes too, so removing what was added gives the first bytes back.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

from nthlayer_sync.errors import InputError
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.yaml import layout
from nthlayer_sync.yaml.events import failure
from nthlayer_sync.yaml.layout import Path, Splice
from nthlayer_sync.yaml.meaning import Meaning, meaning, with_value, without
from nthlayer_sync.yaml.syntax import shorten
from nthlayer_sync.yaml.tree import Kind, Node, compose

ANNOTATIONS: Path = ("metadata", "annotations")
LINKS: Path = ("metadata", "links")
_BOM = b"\xef\xbb\xbf"


class _Found(NamedTuple):
    """How far a path leads: the nodes along it, from the document's top, and what of the path is missing."""

    nodes: list[Node]
    missing: Path


def edit(data: bytes, document: int, changes: Mapping[Path, object], *, file: str = "") -> bytes:
    """`data` with each value of `changes` at its path in the document at that place in the file; None removes it.

    Text and numbers replace a scalar. Text, numbers, dicts and lists can be added: under a new key, or as a list's last
    item, whose position is then the list's length or more. Positions mean those before the edit. Removing what is not
    there changes nothing. Raises InputError, with a diagnosis that names `file`, for what cannot be edited safely.
    """
    return edit_all(data, {document: changes}, file=file)


def edit_all(data: bytes, changes: Mapping[int, Mapping[Path, object]], *, file: str = "") -> bytes:
    """As `edit`, for any number of documents of one file at once."""
    bom = _BOM if data.startswith(_BOM) else b""
    trees = compose(data, file=file)
    text = data[len(bom) :].decode()
    expected = [meaning(tree.root, text, file) for tree in trees]
    starts = [0, *(tree.start for tree in trees[1:]), len(text)]
    parts = [text[start:end] for start, end in pairwise(starts)]
    for document, wanted in changes.items():
        if not 0 <= document < len(trees):
            raise failure(Diagnosis(code="not-editable", message=f"there is no document {document}", file=file))
        for path, value in _in_order(wanted):
            parts[document], expected[document] = _change(parts[document], path, value, file)
    edited = bom + "".join(parts).encode()
    if edited != data and [meaning(tree.root, "", file) for tree in compose(edited, file=file)] != expected:
        raise _refusal(file, (), "the edited file would not read as it should")
    return edited


def edit_links(
    data: bytes, document: int, add: Sequence[Mapping[str, str]], remove_urls: Collection[str], *, file: str = ""
) -> bytes:
    """`data` with the links `add` among the entity's `metadata.links`, and without those to `remove_urls`.

    A link is known by its `url`: one that is there already keeps its place and gets exactly the fields given.
    """
    return edit(data, document, link_changes(links(data, document), add, remove_urls), file=file)


def link_changes(
    current: Sequence[Mapping[str, str]], add: Sequence[Mapping[str, str]], remove_urls: Collection[str]
) -> dict[Path, object]:
    """The changes for `edit` that take `current` links to the wanted ones; see `edit_links`."""
    changes: dict[Path, object] = {}
    positions = {link.get("url"): position for position, link in enumerate(current)}
    new = 0
    for link in add:
        position = positions.get(link["url"])
        if position is None:
            changes[*LINKS, len(current) + new] = dict(link)
            new += 1
            continue
        old = current[position]
        changes |= {
            (*LINKS, position, name): link.get(name) for name in {**old, **link} if old.get(name) != link.get(name)
        }
    added = {link["url"] for link in add}
    for position, link in enumerate(current):
        if link.get("url") in remove_urls and link.get("url") not in added:
            changes[*LINKS, position] = None
    return changes


def append(data: bytes, document: int, path: Path, items: Sequence[object], *, file: str = "") -> bytes:
    """`data` with `items` at the end of the list at `path`, which is made if it is missing."""
    there = value_at(data, document, path)
    length = len(cast("list[object]", there)) if isinstance(there, list) else 0
    return edit(data, document, {(*path, length + index): item for index, item in enumerate(items)}, file=file)


def value_at(data: bytes, document: int, path: Path) -> object:
    """What stands at `path`, None if nothing does; tags are not read, and aliases are None. InputError if not YAML."""
    trees = compose(data)
    if not 0 <= document < len(trees):
        return None
    node = trees[document].root
    for part in path:
        entry = node.entry(part)
        if entry is None:
            return None
        node = entry.value
    return _value(node)


def annotations(data: bytes, document: int) -> dict[str, str]:
    """The entity's annotations, as far as they are text."""
    return _texts(value_at(data, document, ANNOTATIONS))


def links(data: bytes, document: int) -> list[dict[str, str]]:
    """The entity's links; of each, what is text."""
    found = value_at(data, document, LINKS)
    return [_texts(link) for link in cast("list[object]", found)] if isinstance(found, list) else []


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in cast("dict[str, object]", value).items() if isinstance(item, str)}


def _value(node: Node) -> object:
    if node.kind is Kind.SEQUENCE:
        return [_value(entry.value) for entry in node.entries]
    if node.kind is Kind.MAPPING:
        return {entry.name: _value(entry.value) for entry in node.entries if entry.name is not None}
    return None if node.kind is Kind.ALIAS else node.value


def _in_order(changes: Mapping[Path, object]) -> list[tuple[Path, object]]:
    """New values first and removals last, from the end, so that positions stay what they were and nothing is emptied
    that is filled again.
    """
    values = [(path, value) for path, value in changes.items() if value is not None]
    removals = [path for path, value in changes.items() if value is None]
    removals.sort(key=lambda path: [(isinstance(part, int), part) for part in path], reverse=True)
    return values + [(path, None) for path in removals]


def _change(text: str, path: Path, value: object, file: str) -> tuple[str, Meaning]:
    """One document's `text` with one change made, and what it means then."""
    root = compose(text.encode())[0].root
    before = meaning(root, text)
    found = _follow(root, path, file)
    if value is None:
        if found.missing:
            return text, before
        path = _emptied(text, found.nodes, path)
        expected = without(before, path)
        splices = _removals(text, found.nodes[: len(path) + 1])
    else:
        splices = _splices(text, found, path, value, file)
        expected = with_value(before, path, value)
        if expected == before:
            return text, before
    # The second reader costs a quarter of a second to import, which only a run that edits should pay.
    from nthlayer_sync.yaml.second_reader import agrees

    for splice in splices:
        edited = splice.apply(text)
        if _means(edited, expected) and agrees(text, edited, path, value):
            return edited, expected
    raise _refusal(file, path, "this place cannot be edited safely; please change it by hand")


def _follow(root: Node, path: Path, file: str) -> _Found:
    """The nodes along `path`. InputError where one of them is, or is repeated by, an alias."""
    nodes = [root]
    for depth, part in enumerate(path):
        entry = nodes[-1].entry(part)
        if entry is None:
            return _Found(nodes, path[depth:])
        nodes.append(entry.value)
        if entry.value.anchor or entry.value.kind is Kind.ALIAS:
            mark = ("&" + entry.value.anchor) if entry.value.anchor else ("*" + entry.value.scalar)
            raise _refusal(file, path[: depth + 1], "an alias repeats this value elsewhere", entry.value, mark)
    return _Found(nodes, ())


def _splices(text: str, found: _Found, path: Path, value: object, file: str) -> Iterator[Splice]:
    """The ways to put `value` at `path`."""
    root, node = found.nodes[0], found.nodes[-1]
    parent = found.nodes[-2] if len(found.nodes) > 1 else None
    if not found.missing:
        if node.kind is not Kind.SCALAR or not isinstance(value, str | int | float) or parent is None:
            raise _refusal(file, path, "only a single value can replace one, and only a single one", node)
        return layout.replace(text, node, value, in_flow=bool(parent.style))
    if node.kind is Kind.SCALAR and node.value is None and parent is not None and parent.kind is Kind.MAPPING:
        return layout.fill(text, root, parent, node, (found.missing, value))
    if node.kind is (Kind.SEQUENCE if isinstance(found.missing[0], int) else Kind.MAPPING):
        return layout.add(text, root, node, (found.missing, value))
    expected = "a list" if isinstance(found.missing[0], int) else "a mapping"
    raise _refusal(file, path[: -len(found.missing)], f"{expected} is needed here, something else stands here", node)


def _removals(text: str, nodes: list[Node]) -> Iterator[Splice]:
    """The ways to remove the last of `nodes`, which lead to it from the document's top."""
    *above, node, value = nodes
    if above and len(node.entries) == 1 and not node.style:
        return layout.hollow(text, above[-1].entries[_position(above[-1], node)])
    return layout.remove(text, node, _position(node, value))


def _emptied(text: str, nodes: list[Node], path: Path) -> Path:
    """The path of what goes when `path` is removed: what would be left empty goes too, but no comment does."""
    depth = len(path)
    while depth > 1 and len(nodes[depth - 1].entries) == 1:
        outer = nodes[depth - 2]
        around = outer.entries[_position(outer, nodes[depth - 1])]
        if (around.value.style and not outer.style) or layout.has_comment(text, around):
            break
        depth -= 1
    return path[:depth]


def _position(node: Node, value: Node) -> int:
    return next(index for index, entry in enumerate(node.entries) if entry.value is value)


def _means(text: str, expected: Meaning) -> bool:
    try:
        trees = compose(text.encode())
        return len(trees) == 1 and meaning(trees[0].root, text) == expected
    except InputError:
        return False


def _refusal(file: str, path: Path, message: str, node: Node | None = None, found: str = "") -> InputError:
    field = ".".join(map(str, path))
    line, column = (node.line, node.column) if node else (0, 0)
    return failure(
        Diagnosis(
            code="not-editable", message=message, file=file, line=line, column=column, field=field, found=shorten(found)
        )
    )
