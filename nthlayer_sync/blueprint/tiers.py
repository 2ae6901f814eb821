"""The tier table: defaults of each tier, deployment windows, guards, trust in origins. Ours stands in `tiers.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, field_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from nthlayer_sync.blueprint.check import Path, Problem, place, problems
from nthlayer_sync.blueprint.layer import Layer, Values, as_map, combine, overlay
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.blueprint import Blueprint, Window
from nthlayer_sync.model.blueprint.deployment import WeeklyHours
from nthlayer_sync.model.blueprint.section import Count, Removable, Section, Span
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.notation import NotationError
from nthlayer_sync.model.units import Percent
from nthlayer_sync.yaml.read import read_documents

BUILT_IN = FilePath(__file__).with_name("tiers.yaml")


class _Written:
    """Marks values that are a part of a blueprint; they are checked where they are complete."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(Blueprint.__pydantic_core_schema__)


Written = Annotated[Values, _Written()]


class Tier(Section):
    """One tier."""

    aliases: tuple[str, ...] = Field(default=(), examples=[["tier-1", "critical"]])
    """Other names under which it may be asked for."""
    blueprint: Written
    """What a service of this tier asks for when nobody says otherwise."""


class Limit(Section):
    """How much of one action a plan may hold. Both figures hold; the smaller one decides."""

    share: Percent
    """Share of what is there."""
    count: Count
    """Number of configs."""
    floor: Count
    """As many are never too many, whatever their share: a small organisation changes its tier as one does."""


class SmallSet(Section):
    """The rule for sets in which a share means nothing."""

    below: Count
    """A set with fewer configs than this is small."""
    deletes: Count
    """How many of a small set a plan may delete."""


class Absence(Section):
    """What proves that something is gone."""

    reads: Annotated[Count, Field(ge=1)]
    """How many complete reads must agree."""
    apart: Span
    """Least time between the first and the last of them."""


class Overwrites(Section):
    """When a config that somebody else writes too is left to a person, who finds out whose it is."""

    count: Annotated[Count, Field(ge=1, le=10)]
    """How often one config is overwritten before that."""
    within: Span
    """What is longer ago than this counts no more: the other may have stopped."""


class Lately(Section):
    """How long what small plans wrote counts together with the next one: ten of one delete are one of ten."""

    deletes: Span
    """For deletes and what was removed outside."""
    updates: Span
    """For updates: people may change much in a day, one piece after the other."""


class Waves(Section):
    """How a change of policy or program that touches many subjects goes out; a failure stops it."""

    shares: tuple[Percent, ...] = Field(examples=[["1%", "10%", "100%"]])
    """Share of the subjects that have it after each wave, rising to 100 %."""
    above: Count
    """A change of no more subjects than this goes out at once."""

    @field_validator("shares")
    @classmethod
    def _rising(cls, value: tuple[Percent, ...]) -> tuple[Percent, ...]:
        steps = [share.value for share in value]
        if not steps or not steps[0] or steps[-1] != 100 or steps != sorted(set(steps)):
            raise NotationError("the shares rise and end at 100%, such as [1%, 10%, 100%]")
        return value


class Guards(Section):
    """What a plan may change before a person has to say yes."""

    deletes: Limit
    """Deletes in one plan."""
    updates: Limit
    """Updates in one plan."""
    recreates: Limit
    """Configs in one plan that were removed outside and would be made again."""
    small_set: SmallSet
    """The rule for small sets."""
    absence: Absence
    """What proves that something is gone."""
    shrink: Percent
    """A complete read that has this share less than the largest one before is held until a person agrees."""
    overwrites: Overwrites
    """When a config that somebody else writes too is left to a person."""
    lately: Lately
    """How long what a daemon's small plans wrote counts together with the next one."""
    waves: Waves
    """How a change of policy or program that touches many subjects goes out; a failure stops it."""


class Confidence(Section):
    """How far an edge is trusted by where it comes from, 0 to 1."""

    catalog: Annotated[float, Field(ge=0, le=1)]
    """Declared in a catalog file."""
    cortex: Annotated[float, Field(ge=0, le=1)]
    """Declared in Cortex."""
    codeowners: Annotated[float, Field(ge=0, le=1)]
    """Named in CODEOWNERS."""
    manifest: Annotated[float, Field(ge=0, le=1)]
    """Shown by a dependency manifest."""
    authors: Annotated[float, Field(ge=0, le=1)]
    """Shown by who wrote the latest commits."""


class History(Section):
    """What counts as recent in Git's history."""

    recent: Span
    """Commits younger than this show who works on a service."""
    authors: Count
    """How many people are shown at most."""


class TierTable(Section):
    """What an organisation changes of the built-in table: maps merge, lists and values replace, null takes away."""

    every_tier: Written
    """What is the same in every tier; a tier's own blueprint is laid over it."""
    tiers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")], Annotated[Tier, Removable()]] = (
        Field(min_length=1)
    )
    """The tiers by name, strictest first."""
    windows: dict[str, Annotated[WeeklyHours, Removable()]]
    """What `deployment.windows` may name."""
    guards: Guards
    """What a plan may change before a person has to say yes."""
    confidence: Confidence
    """How far an edge is trusted by where it comes from."""
    history: History
    """What counts as recent in Git's history."""


@dataclass(frozen=True, eq=False)
class Tiers:
    """The tier table, ready for use. Compared by identity: one is loaded for a run."""

    table: TierTable
    organisation: Values
    """The organisation's own defaults for every service; its `tier` is that of services that name none."""
    names: Mapping[str, str] = field(init=False)
    """Name of the tier by each name it may be asked for, strictest tier first."""
    windows: Mapping[str, Window] = field(init=False)

    def __post_init__(self) -> None:
        names = {alias: name for name, tier in self.table.tiers.items() for alias in (name, *tier.aliases)}
        windows = {name: Window(name=name, **hours.model_dump()) for name, hours in self.table.windows.items()}
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "windows", windows)

    @property
    def guards(self) -> Guards:
        """What a plan may change before a person has to say yes."""
        return self.table.guards

    @property
    def confidence(self) -> Confidence:
        """How far an edge is trusted by where it comes from."""
        return self.table.confidence

    @property
    def history(self) -> History:
        """What counts as recent in Git's history."""
        return self.table.history

    @property
    def vocabulary(self) -> dict[str, Mapping[str, Any]]:
        """The context in which a blueprint is validated: the names of tiers and windows that may stand in it."""
        return {"tiers": self.names, "windows": self.windows}

    def rank(self, name: str) -> int:
        """Position of a tier by name or alias, 0 for the strictest; KeyError when there is none."""
        return tuple(self.table.tiers).index(self.names[name])

    def layers(self, name: str) -> tuple[Layer, ...]:
        """What lies below everything that is said of a service of this tier, weakest first."""
        below = (Layer("every tier", self.table.every_tier), Layer(f"tier {name}", self.table.tiers[name].blueprint))
        return (*below, Layer("organisation", self.organisation)) if self.organisation else below


def load_tiers(path: FilePath | None, defaults: Values | None = None) -> Tiers:
    """The built-in table with the organisation's own file laid over it, and its defaults for every service.

    InputError says what is wrong with either.
    """
    tiers = _built_in() if path is None else _load([BUILT_IN, path])
    if not defaults:
        return tiers
    if found := problems(Blueprint, overlay({}, defaults), context=tiers.vocabulary, partial=True):
        diagnoses = tuple(problem.diagnosis for problem in found)
        raise InputError("the organisation's defaults are no blueprint", diagnoses)
    return Tiers(tiers.table, defaults)


@cache
def _built_in() -> Tiers:
    return _load([BUILT_IN])


def _load(files: list[FilePath]) -> Tiers:
    """The files laid over each other; the last one is held to account for what is wrong."""
    name, data = str(files[-1]), b""
    written = list[Values]()
    for file in files:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise InputError(f"{name} cannot be read: {error.strerror}") from error
        documents, diagnoses = read_documents(data, file=name)
        table = as_map(documents[0].value) if len(documents) == 1 else None
        if table is None and not diagnoses:
            diagnoses = [Diagnosis(code="tiers-shape", message="one YAML document with a map is expected", file=name)]
        if table is None or any(diagnosis.severity is Severity.ERROR for diagnosis in diagnoses):
            raise InputError(f"{name} is no tier table", tuple(diagnoses))
        written.append(table)
    values = combine(written)
    found = problems(TierTable, values, context={}, partial=False)
    if not found:
        tiers = Tiers(TierTable.model_validate(values), {})
        found = _problems_inside(tiers)
        if not found:
            return tiers
    raise InputError(f"{name} is no tier table", tuple(place(problem, data, name) for problem in found))


def _problems_inside(tiers: Tiers) -> list[Problem]:
    """What is wrong with the blueprints in a table, and with names that stand for two tiers."""
    table, context, found = tiers.table, tiers.vocabulary, list[Problem]()
    found += _below(("every_tier",), problems(Blueprint, table.every_tier, context=context, partial=True))
    taken: dict[str, str] = {}
    for name, tier in table.tiers.items():
        for alias in (name, *tier.aliases):
            if taken.setdefault(alias, name) != name:
                message = f"{alias!r} is the name of tier {taken[alias]} already"
                found.append(Problem(("tiers", name), Diagnosis(code="tiers-name", message=message, field="tiers")))
        complete = combine((table.every_tier, tier.blueprint, {"tier": name}))
        if not found:
            found += _below(("tiers", name, "blueprint"), problems(Blueprint, complete, context=context, partial=False))
    return found


def _below(above: Path, found: list[Problem]) -> list[Problem]:
    return [Problem((*above, *problem.path), problem.diagnosis, problem.at_key) for problem in found]
