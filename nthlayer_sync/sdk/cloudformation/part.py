"""What one config is in a template: some resources and outputs, listed in the template's own metadata.

A template holds the parts of several configs, and may hold what people added. Which logical ids make up a part stands
in the template under `Metadata: {nthlayer-sync: {<part>: [<logical id>, …]}}`, so that it needs no other memory.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, cast

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.ownership import MARK

MOST_BYTES = 51_200
"""A template sent in the request itself.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""

Template = dict[str, Any]

encode = msgspec.json.Encoder(order="deterministic").encode


class Part(msgspec.Struct, frozen=True, rename="pascal", omit_defaults=True):
    """Resources and outputs by logical id, as CloudFormation writes them."""

    resources: dict[str, Any]
    outputs: dict[str, Any] = {}

    @property
    def ids(self) -> list[str]:
        """The logical ids of both."""
        return sorted((*self.resources, *self.outputs))


def retained(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource that holds data: neither a delete nor a replacement destroys what it holds."""
    return {**resource, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def stateful(template: Template) -> set[str]:
    """The logical ids of the resources that hold data."""
    return {id for id, resource in _section(template, "Resources").items() if _keeps(resource)}


def _keeps(resource: object) -> bool:
    return isinstance(resource, dict) and resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")  # pyright: ignore[reportUnknownMemberType]


def parts(template: Template) -> dict[str, list[str]]:
    """The logical ids of each part; PermanentError when the list in the template is damaged."""
    written = _section(template, "Metadata").get(MARK, {})
    try:
        return msgspec.convert(written, dict[str, list[str]])
    except msgspec.ValidationError as error:
        raise PermanentError(f"Metadata.{MARK} of the template was damaged: {error}") from error


def read(template: Template, name: str) -> Part | None:
    """A part as it stands; None when the template has none of that name."""
    ids = parts(template).get(name)
    if ids is None:
        return None
    return Part(*({id: section[id] for id in ids if id in section} for section in _sections(template)))


def has(template: Template, name: str) -> bool:
    """Whether a logical id is taken by anybody."""
    return name in _section(template, "Resources")


def put(template: Template, name: str, part: Part) -> Template:
    """The template with the part, in place of the one of that name; PermanentError where an id is somebody else's."""
    changed = take_out(template, name)
    taken = {id for section in _sections(changed) for id in section}
    if clash := sorted(taken.intersection(part.ids)):
        raise PermanentError(f"{', '.join(clash)} stands in the stack already and is not part of {name}")
    changed.setdefault("Resources", {}).update(part.resources)
    if part.outputs:
        changed.setdefault("Outputs", {}).update(part.outputs)
    changed.setdefault("Metadata", {}).setdefault(MARK, {})[name] = part.ids
    return changed


def take_out(template: Template, name: str) -> Template:
    """The template without the part; what is not ours stays as it is."""
    changed = deepcopy(template)
    ids = parts(changed).get(name, [])
    for section in _sections(changed):
        for id in ids:
            section.pop(id, None)
    if "Outputs" in changed and not changed["Outputs"]:
        del changed["Outputs"]  # CloudFormation refuses an empty section
    _section(changed, "Metadata").get(MARK, {}).pop(name, None)
    return changed


def is_empty(template: Template) -> bool:
    """Whether no resource is left, of anybody."""
    return not _section(template, "Resources")


def imports(part: Part) -> set[str]:
    """The names of exports that a part needs from other stacks."""
    return set(_imports(part.resources))


def _imports(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            if key == "Fn::ImportValue" and isinstance(inner, str):
                yield inner
            else:
                yield from _imports(inner)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _imports(inner)  # pyright: ignore[reportUnknownArgumentType]


def exports(part: Part) -> set[str]:
    """The names under which a part exports values."""
    return {str(output["Export"]["Name"]) for output in part.outputs.values() if "Export" in output}


def body(template: Template) -> str:
    """The template as it is sent; PermanentError when it is too long for that."""
    text = encode(template).decode()
    if len(text.encode()) > MOST_BYTES:
        raise PermanentError(f"the template has more than {MOST_BYTES} bytes")
    return text


def policy(protected: set[str]) -> str:
    """A stack policy under which these resources are neither replaced nor deleted, whoever updates the stack.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
    """
    allow = {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["Update:Replace", "Update:Delete"],
        "Resource": [f"LogicalResourceId/{id}" for id in sorted(protected)],
    }
    return encode({"Statement": [allow, deny] if protected else [allow]}).decode()


def _sections(template: Template) -> tuple[dict[str, Any], dict[str, Any]]:
    return _section(template, "Resources"), _section(template, "Outputs")


def _section(template: Template, name: str) -> dict[str, Any]:
    section: Any = template.get(name) or {}
    if not isinstance(section, dict):
        raise PermanentError(f"{name} of the template is no map")
    return cast("dict[str, Any]", section)
