"""Our keys in a catalog file: which they are, and how they are told from those that people set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.model.entity import OUTPUT_PREFIX
from nthlayer_sync.model.ref import DEFAULT_NAMESPACE, EntityRef, entity_ref
from nthlayer_sync.model.written import LINKS, RECORDS, own_keys, records
from nthlayer_sync.yaml import splice
from nthlayer_sync.yaml.tree import Node, compose


def canonical(annotations: Mapping[str, str], links: Sequence[Mapping[str, str]]) -> str:
    """What we write, as text that is compared and shown."""
    return (
        json.dumps({"annotations": annotations, "links": list(links)}, indent=2, sort_keys=True, ensure_ascii=False)
        + "\n"
    )


@dataclass(frozen=True)
class CatalogKeys:
    """Our annotations and links of one entity, wherever in a file it is declared; every other byte is people's.

    `model.written` tells which they are.
    """

    entity: EntityRef

    def read(self, text: str) -> str | None:
        """What is there of ours; None also where the file cannot be read or does not declare the entity."""
        try:
            data, document = self._find(text)
        except PermanentError:
            return None
        annotations = splice.annotations(data, document)
        urls = annotations.get(LINKS, "").split()
        ours = {key: annotations[key] for key in _ours(annotations)}
        if not ours:
            return None
        return canonical(ours, [link for link in splice.links(data, document) if link.get("url") in urls])

    def write(self, text: str | None, content: str) -> str:
        """`text` with our keys as in `content`; PermanentError for a file that cannot be edited safely."""
        if text is None:
            raise PermanentError(f"the catalog file that declares {self.entity} is gone")
        return self._changed(text, json.loads(content))

    def remove(self, text: str) -> str | None:
        """`text` without our keys and links."""
        return self._changed(text, {"annotations": {}, "links": []})

    def foreign(self, text: str) -> bool:
        """Never: our keys stand beside those of people."""
        return False

    def _changed(self, text: str, wanted: dict[str, Any]) -> str:
        data, document = self._find(text)
        there = splice.annotations(data, document)
        ours = _ours(there)
        keys: dict[str, str] = {
            key: value
            for key, value in wanted["annotations"].items()
            if key in ours or key not in there or _prefixed(key)
        }
        known = splice.links(data, document)
        linked = there.get(LINKS, "").split()
        theirs = {link.get("url") for link in known} - set(linked)
        links = [link for link in wanted["links"] if link["url"] not in theirs]
        keys |= records(keys, [link["url"] for link in links])
        changes: dict[tuple[str | int, ...], object] = {
            (*splice.ANNOTATIONS, key): keys.get(key) for key in sorted({*keys, *ours, *(RECORDS & there.keys())})
        }
        changes |= splice.link_changes(known, links, linked)
        try:
            return splice.edit(data, document, changes).decode()
        except InputError as error:
            raise _unfit(error) from error

    def _find(self, text: str) -> tuple[bytes, int]:
        """The file's bytes, and the place of the entity among its documents."""
        try:
            data = text.encode()
            trees = compose(data)
        except UnicodeEncodeError as error:
            raise PermanentError("the catalog file is not UTF-8, so it is left as it is") from error
        except InputError as error:
            raise _unfit(error) from error
        found = [place for place, tree in enumerate(trees) if _ref(tree.root) == self.entity]
        if len(found) != 1:
            what = "is not declared" if not found else "is declared more than once"
            raise PermanentError(f"{self.entity} {what} in the catalog file, so it is left as it is")
        return data, found[0]


def _unfit(error: InputError) -> PermanentError:
    where = f"line {error.diagnoses[0].line}: " if error.diagnoses and error.diagnoses[0].line else ""
    return PermanentError(f"the catalog file cannot be edited: {where}{error}")


def _prefixed(key: str) -> bool:
    return key.startswith(OUTPUT_PREFIX)


def _ours(annotations: Mapping[str, str]) -> set[str]:
    return own_keys(annotations) - RECORDS


def _ref(root: Node) -> EntityRef | None:
    kind, name = _text(root, "kind"), _text(root, "metadata", "name")
    if not (kind and name):
        return None
    return entity_ref(kind, name, _text(root, "metadata", "namespace") or DEFAULT_NAMESPACE)


def _text(node: Node, *path: str) -> str:
    for part in path:
        entry = node.entry(part)
        if entry is None:
            return ""
        node = entry.value
    return node.value if isinstance(node.value, str) else ""
