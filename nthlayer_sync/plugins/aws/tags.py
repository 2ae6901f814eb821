"""aws/tags: the tags that every AWS resource of a service bears.

The file is JSON with one map, `tags`. Terraform reads it by itself where it lies in a root module
(`*.auto.tfvars.json`; `//` is its comment), and any other tool with a JSON parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.taxonomy import tags_of

# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html#id_tags_naming_best_practices
MOST_TAGS = 50
MOST_KEY = 128
MOST_VALUE = 256
_ALLOWED = re.compile(r"[\w +\-=.:/@]*")


class TagsSpec(Spec, frozen=True):
    """Tags by key."""

    tags: dict[str, str]


@lru_cache(maxsize=100_000)
def problem(key: str, value: str) -> str:
    """What AWS has against a tag, "" for nothing."""
    if not 0 < len(key) <= MOST_KEY:
        return f"a key has 1 to {MOST_KEY} characters"
    if len(value) > MOST_VALUE:
        return f"a value has at most {MOST_VALUE} characters"
    if key.lower().startswith("aws:"):
        return "keys that begin with aws: belong to AWS"
    if not (_ALLOWED.fullmatch(key) and _ALLOWED.fullmatch(value)):
        return "letters, digits, spaces and + - = . _ : / @ are allowed"
    return ""


def checked_tags(service: Service, environment: str) -> dict[str, str]:
    """The taxonomy's tags of a service; PermanentError when AWS refuses one."""
    tags = tags_of(service, environment)
    for key, value in tags.items():
        if wrong := problem(key, value):
            raise PermanentError(f"{service.ref}: AWS refuses the tag {key!r} with the value {value!r}: {wrong}")
    if len(tags) > MOST_TAGS:
        raise PermanentError(f"{service.ref}: {len(tags)} tags, but AWS allows {MOST_TAGS} on a resource")
    return tags


def generate(service: Service, environment: str = "production") -> Iterator[TagsSpec]:
    """One for every service."""
    yield TagsSpec(tags=checked_tags(service, environment))


def render(spec: TagsSpec) -> str:
    """JSON."""
    notice = f"Managed by {MARK}: change the blueprint, not this file."
    document = {"//": notice, "tags": dict(sorted(spec.tags.items()))}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


TAGS = FileKind(
    name="aws/tags",
    version=1,
    summary="tags of a service's AWS resources",
    subject=Service,
    spec=TagsSpec,
    generate=generate,
    path=lambda service, spec: "aws/tags.auto.tfvars.json",
    render=render,
)
