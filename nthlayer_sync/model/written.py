"""What this product wrote into an entity's annotations, and how it is told from what people set.

Under our prefix every key is ours. Another key is ours while it has the value that we wrote: a person who sets it takes
it over for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from nthlayer_sync.model.entity import OUTPUT_PREFIX

MANAGED = OUTPUT_PREFIX + "managed"
"""The keys outside our prefix that we wrote, separated by commas."""
WRITTEN = OUTPUT_PREFIX + "written"
"""A digest of the value that we wrote for each of these, in the same order."""
LINKS = OUTPUT_PREFIX + "links"
"""The addresses of the links that we wrote, separated by spaces."""
RECORDS = frozenset({MANAGED, WRITTEN, LINKS})


def own_keys(annotations: Mapping[str, str]) -> set[str]:
    """The keys that we wrote and nobody has changed since, records of them included."""
    keys, digests = annotations.get(MANAGED, "").split(","), annotations.get(WRITTEN, "").split(",")
    managed = {
        key
        for key, digest in zip(keys, digests, strict=False)
        if key in annotations and _digest(annotations[key]) == digest
    }
    return managed | {key for key in annotations if key.startswith(OUTPUT_PREFIX)}


def records(values: Mapping[str, str], urls: Iterable[str]) -> dict[str, str]:
    """The annotations that say what we wrote: `values` under keys of any prefix, and links to `urls`."""
    managed = sorted(key for key in values if not key.startswith(OUTPUT_PREFIX))
    found = {
        MANAGED: ",".join(managed),
        WRITTEN: ",".join(_digest(values[key]) for key in managed),
        LINKS: " ".join(sorted(urls)),
    }
    return {key: value for key, value in found.items() if value}


def _digest(value: str) -> str:
    return blake2b(value.encode(), digest_size=4).hexdigest()
