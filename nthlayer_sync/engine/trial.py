"""The configs of a service as they would be if its blueprint file said something else; nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import msgspec

from nthlayer_sync.blueprint.layer import Layer, Values, as_map, combine, overlay
from nthlayer_sync.blueprint.resolve import Resolved, resolve
from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.remotes import remotes_of, with_remotes
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.plan import Applied
from nthlayer_sync.model.service import Service

Keys = tuple[str, ...]
"""Where a value of a blueprint stands: the keys that lead to it."""
Said = Mapping[Keys, Any]
"""Values that a blueprint file says beside what it said before; null takes away what layers below say."""
Step = tuple[str | int, ...]
"""Where an input stands, into lists as well."""


def nested(said: Said) -> Values:
    """The values as they stand in a file."""
    values: Values = {}
    for keys, value in said.items():
        for key in reversed(keys):
            value = {key: value}
        values = _laid(values, value)
    return values


@dataclass(frozen=True)
class Trial:
    """A service with the layers that its blueprint is made of; `applied` is what we remember of its configs."""

    service: Service
    layers: tuple[Layer, ...]
    tiers: Tiers
    generator: Generator
    applied: tuple[Applied, ...] = ()
    _rendered: dict[tuple[ConfigId, str], str] = field(default_factory=dict[tuple[ConfigId, str], str], repr=False)

    def resolve(self, said: Said) -> Resolved:
        """The blueprint if the service's file said this too; its annotations go before the file."""
        at = next((i for i, layer in enumerate(self._own) if layer.origin.startswith("annotation ")), len(self._own))
        return resolve((*self._own[:at], Layer("the live edit", nested(said)), *self._own[at:]), self.tiers)

    def read(self, layer: Layer) -> Resolved:
        """The blueprint if the service's file were this one."""
        others = [each for each in self._own if not each.origin.startswith("file ")]
        at = next((i for i, each in enumerate(others) if each.origin.startswith("annotation ")), len(others))
        return resolve((*others[:at], layer, *others[at:]), self.tiers)

    def contents(self, said: Said, kinds: Collection[str] | None = None) -> dict[ConfigId, str] | None:
        """The content of each config of these kinds, or of all; None where the blueprint or a kind refuses."""
        resolved = self.resolve(said)
        if resolved.blueprint is None:
            return None
        service = msgspec.structs.replace(self.service, blueprint=resolved.blueprint, blueprint_digest=resolved.digest)
        made = self.generator.generate(service, kinds)
        if kinds is not None and made.failed:
            return None
        known, contents = self.generator.kinds, dict[ConfigId, str]()
        for config in made.configs:
            text = self._rendered.get((config.id, config.digest))
            if text is None:
                kind = known[config.id.kind]
                try:
                    text = kind.content(with_remotes(config, remotes_of(kind, self.applied)).spec)
                except PermanentError:
                    if kinds is not None:
                        return None
                    continue
                self._rendered[config.id, config.digest] = text
            contents[config.id] = text
        return contents

    def inputs(self) -> Iterator[tuple[Step, Any]]:
        """Every value of the blueprint as people wrote it, those that are absent and whole lists included.

        The tier is none: it is no answer to a live edit.
        """
        for step, value in _walk(_merged(self.service.blueprint.model_dump(mode="json"), self._written), ()):
            if step != ("tier",):
                yield step, value

    def say(self, step: Step, value: object, said: Said) -> tuple[Keys, object]:
        """An input's other value as a file says it, beside what is `said` already: lists are said whole."""
        keys = tuple(part for part in step if isinstance(part, str))
        first = next((at for at, part in enumerate(step) if isinstance(part, int)), None)
        if first is None:
            return keys, value
        whole: Any = overlay(self._written, nested(said))
        for part in step[:first]:
            whole = whole[part]
        whole = place = msgspec.json.decode(msgspec.json.encode(whole))
        for part in step[first:-1]:
            place = place[part]
        place[step[-1]] = value
        return cast("Keys", step[:first]), whole

    @cached_property
    def _own(self) -> tuple[Layer, ...]:
        """The layers above those of the tier."""
        return self.layers[len(self.tiers.layers(self.service.blueprint.tier)) :]

    @cached_property
    def _written(self) -> Values:
        return combine(layer.values for layer in self.layers)


def _laid(below: Values, above: Values) -> Values:
    """As `overlay`, but a null stays one."""
    result = dict(below)
    for key, value in above.items():
        inner, outer = as_map(result.get(key)), as_map(value)
        result[key] = value if inner is None or outer is None else _laid(inner, outer)
    return result


def _merged(complete: Values, written: Values) -> Values:
    """What was written, with what was left out as null."""
    absent = {key: None for key, value in complete.items() if key not in written and value is None}
    both = {k: _merged(inner, outer) for k, v in complete.items() if (inner := as_map(v)) is not None
            and (outer := as_map(written.get(k))) is not None}  # fmt: skip
    return {**overlay({}, written), **both, **absent}


def _walk(value: Any, above: Step) -> Iterator[tuple[Step, Any]]:
    if isinstance(value, dict):
        if above:
            yield above, cast("Values", value)
        for key, inner in cast("Values", value).items():
            yield from _walk(inner, (*above, key))
    elif isinstance(value, list):
        yield above, cast("list[Any]", value)
        for at, inner in enumerate(cast("list[Any]", value)):
            yield from _walk(inner, (*above, at))
    else:
        yield above, value
