"""The row a plugin writes for a kind that lands in a stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nthlayer_sync.sdk.cloudformation.part import Part, encode
from nthlayer_sync.sdk.kind import Kind, SpecT, SubjectT


@dataclass(frozen=True)
class StackKind(Kind[SubjectT, SpecT]):
    """A kind whose configs are parts of the subject's stack.

    `part` makes the resources and outputs of a spec. `logical_id` names the part, and with it the resource that stands
    for it: letters and digits, the same for the same config for ever.
    """

    part: Callable[[SpecT], Part] = field(kw_only=True)
    logical_id: Callable[[SpecT], str] = field(kw_only=True)

    def content(self, spec: SpecT) -> str:
        """The part of the template, as canonical JSON."""
        return encode(self.part(spec)).decode()
