"""Resolves what a service asks for: tier, organisation, team, system, blueprint file and annotations, in this order.

Ten thousand services share a few blueprints, so each combination of values is worked out once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec
from pydantic import ValidationError

from nthlayer_sync.blueprint.check import Problem, did_you_mean, explain
from nthlayer_sync.blueprint.layer import Layer, combine, origins
from nthlayer_sync.blueprint.tiers import Tiers
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.diagnosis import Diagnosis, Severity

__all__ = ["NO_TIER", "Layer", "Resolved", "resolve"]

NO_TIER = "blueprint-no-tier"
"""Code of the diagnosis that nothing names a tier; a tier is never guessed."""


class Resolved(msgspec.Struct, frozen=True):
    """A complete blueprint and where it comes from.

    `blueprint` is None and `digest` "" when something is wrong with it: its `diagnoses` say what, and whatever was made
    from it before stays as it is. Equal blueprints have equal digests. `layers` are those it is made of, weakest first.
    """

    blueprint: Blueprint | None
    digest: str
    layers: tuple[Layer, ...]
    diagnoses: tuple[Diagnosis, ...] = ()

    @property
    def origins(self) -> dict[str, str]:
        """Which layer gave each leaf, by dotted path (`observability.slo.availability`); worked out when asked for."""
        return origins(self.layers)


class _Solution(msgspec.Struct, frozen=True):
    """What does not depend on where the layers come from."""

    blueprint: Blueprint | None
    digest: str
    below: tuple[Layer, ...]
    problems: tuple[Problem, ...] = ()


def resolve(layers: Sequence[Layer], tiers: Tiers) -> Resolved:
    """Lay `layers`, the weakest first, over the tier that the strongest of them names."""
    found = tuple(diagnosis for layer in layers for diagnosis in layer.diagnoses)
    if any(diagnosis.severity is Severity.ERROR for diagnosis in found):
        return Resolved(None, "", tuple(layers), found)
    solution = _solve(tuple([json.dumps(layer.values, default=str) for layer in layers]), tiers)
    stack = (*solution.below, *layers)
    if solution.problems:
        found += _attribute(solution.problems, stack)
    return Resolved(solution.blueprint, solution.digest, stack, found)


@lru_cache(maxsize=4096)
def _solve(written: tuple[str, ...], tiers: Tiers) -> _Solution:
    """Resolve layers given as JSON text, which makes them fit to be remembered."""
    own: list[dict[str, Any]] = [json.loads(text) for text in written]
    asked = combine(({"tier": tiers.organisation.get("tier")}, *own)).get("tier")
    name = tiers.names.get(str(asked))
    if name is None:
        return _Solution(None, "", (), (_no_tier(asked, tiers),))
    below = tiers.layers(name)
    try:
        blueprint = Blueprint.model_validate(
            combine((*(layer.values for layer in below), *own)), context=tiers.vocabulary
        )
    except ValidationError as error:
        return _Solution(None, "", below, tuple(explain(error, Blueprint)))
    text = msgspec.json.encode(blueprint.model_dump(mode="json"), order="deterministic")
    return _Solution(blueprint, blake2b(text, digest_size=16).hexdigest(), below)


def _no_tier(asked: object, tiers: Tiers) -> Problem:
    allowed = tuple(tiers.names)
    if asked is None:
        message = "tier: none is named, and the organisation has no default"
        return Problem(("tier",), Diagnosis(code=NO_TIER, message=message, field="tier", allowed=allowed))
    message = f"tier: unknown tier{did_you_mean(str(asked), allowed)}"
    return Problem(
        ("tier",),
        Diagnosis(code="invalid-value", message=message, field="tier", found=str(asked), allowed=allowed),
    )


def _attribute(problems: Sequence[Problem], layers: Sequence[Layer]) -> tuple[Diagnosis, ...]:
    """Say of each problem which layer it comes from."""
    known = origins(layers)
    named = list[Diagnosis]()
    for problem in problems:
        said = _said_by(problem.diagnosis.field, known)
        message = problem.diagnosis.message + (f" (from {', '.join(said)})" if said else "")
        named.append(msgspec.structs.replace(problem.diagnosis, message=message))
    return tuple(named)


def _said_by(field: str, known: Mapping[str, str]) -> list[str]:
    """Who gave the value of a field, or of all fields below it, or of the nearest one above it."""
    while field and field not in known:
        if below := {origin for path, origin in known.items() if path.startswith(f"{field}.")}:
            return sorted(below)
        field = field.rpartition(".")[0]
    return [known[field]] if field else []
