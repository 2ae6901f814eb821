"""The public plugin interface: `generate_configs`, `reconcile`, `apply`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Config, ConfigId, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.result import Result
from nthlayer_sync.model.service import Service, Subject
from nthlayer_sync.sdk.kind import Category, FileKind, Kind
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.target import Target

Drift = Literal["keep", "enforce"]
Policy = Literal["observe", "propose", "apply"]


class PluginSettings(BaseModel):
    """What an organisation may set for every plugin; a plugin with more to set subclasses it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Literal["service", "central"] = Field(
        default="central", description="Land files in each service's own repository, or in the central one."
    )
    drift: Drift | dict[str, Drift] = Field(
        default="keep",
        description=(
            "When somebody edited a config by hand: keep the edit and show it, or overwrite it. One word for all "
            "kinds, or one for each (the part behind the slash); kinds that are not named keep it."
        ),
    )
    policy: Policy | dict[str, Policy] = Field(
        default="apply",
        description=(
            "What is done with a change: apply it; propose it, so that it waits until somebody approves it; or only "
            "observe and show it. One word for all kinds, or one for each (the part behind the slash); kinds that are "
            "not named are applied. Files that land by pull request are reviewed there in any case."
        ),
    )
    approval: Literal["owner", "operator"] = Field(
        default="owner", description="Who approves what is proposed: the owner of the subject, or an operator only."
    )
    kinds: tuple[str, ...] | None = Field(
        default=None, description="Only these kinds of the plugin (the part behind the slash); all when left out."
    )

    def policy_of(self, kind: str) -> Policy:
        """What is done with changes of this kind."""
        return self.policy if isinstance(self.policy, str) else self.policy.get(kind.partition("/")[2], "apply")

    def enforces(self, kind: str) -> bool:
        """Whether edits of this kind by hand are overwritten."""
        drift = self.drift if isinstance(self.drift, str) else self.drift.get(kind.partition("/")[2], "keep")
        return drift == "enforce"


class LiveSettings(PluginSettings):
    """Settings of a plugin that may write to a live system."""

    read_only: bool = Field(default=False, description="Only look: every write to the live system is refused.")


class OperationalPlugin:
    """One vendor or format: its kinds, its settings and the target they land in.

    A subclass names its kinds; overriding a method is rare. `version` is the plugin's own and goes into every
    fingerprint, so that a new version looks at everything again.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    category: ClassVar[Category]
    summary: ClassVar[str]
    kinds: ClassVar[tuple[Kind[Any, Any], ...]]
    settings_type: ClassVar[type[PluginSettings]] = PluginSettings

    def __init__(self, settings: PluginSettings, runtime: Runtime | None = None) -> None:
        """Without a `runtime` the plugin only generates."""
        self.settings = settings
        self.files = runtime.files if runtime else None
        self.live = self.connect(runtime) if runtime else None
        chosen = settings.kinds
        names = {kind.name.partition("/")[2] for kind in self.kinds}
        if chosen is not None and (unknown := sorted(set(chosen) - names)):
            raise PermanentError(
                f"plugin {self.name} has no kind {', '.join(unknown)}; it has {', '.join(sorted(names))}"
            )
        self.active = tuple(k for k in self.kinds if chosen is None or k.name.partition("/")[2] in chosen)

    def bind(self, kind: Kind[Any, Any], **settings: Any) -> None:
        """Give `settings` to the generator of `kind`, for a plugin whose settings decide what a config says."""
        bound = replace(kind, generate=partial(kind.generate, **settings))
        self.active = tuple(bound if active.name == kind.name else active for active in self.active)

    def connect(self, runtime: Runtime) -> Target | None:
        """The live system that the settings name; None where everything lands in files."""
        return None

    def target(self, root: str) -> Target:
        """What the configs under `root` land in: the plugin's own live system, or files in Git."""
        if self.live is not None and root.partition(":")[0] == self.live.name:
            return self.live
        if self.files is None:
            raise RuntimeError(f"plugin {self.name} was made without a runtime, so it lands nothing")
        return self.files

    def generate_configs(self, subject: Subject) -> Iterator[Config]:
        """Every config that `subject` should have; raises PermanentError where one cannot be made."""
        for kind in self.active:
            if type(subject) is kind.subject:
                yield from self.generate(kind, subject)

    def generate(self, kind: Kind[Any, Any], subject: Subject) -> Iterator[Config]:
        """The configs of one kind."""
        owner = subject.owner.ref if isinstance(subject, Service) and subject.owner else None
        for spec in kind.generate(subject):
            if not isinstance(spec, kind.spec):
                raise TypeError(f"{kind.name} generates {type(spec).__name__} instead of {kind.spec.__name__}")
            name = kind.name_of(spec) if kind.name_of else ""
            place = self.place(kind, subject, spec)
            yield Config(ConfigId(kind.name, subject.ref, name), owner, spec, place, kind.digest(spec))

    def place(self, kind: Kind[Any, Any], subject: Subject, spec: Any) -> Place:
        """Where the config lands."""
        if isinstance(kind, FileKind):
            return kind.place(subject, spec, central=self.settings.home == "central")
        raise NotImplementedError(f"{kind.name} is no file; its plugin must say where it lands")

    def reconcile(self, desired: Config | None, actual: Observed | None) -> Diff:
        """Compare what is wanted with what is live. Pure."""
        if desired is None and actual is None:
            raise ValueError("nothing to compare")
        if desired is None:
            assert actual is not None
            return Diff(actual.id, Action.DELETE, None, actual, before=actual.content)
        after = self.kind(desired.id.kind).content(desired.spec)
        if actual is None or actual.content is None:
            if actual is not None and not actual.marked:
                reason = f"{actual.place} exists and does not bear our mark"
                return Diff(desired.id, Action.REFUSE, desired, actual, after=after, reason=reason)
            return Diff(desired.id, Action.CREATE, desired, actual, after=after)
        if actual.content == after:
            return Diff(desired.id, Action.NOTHING, desired, actual, before=actual.content, after=after)
        if not actual.marked:
            reason = f"{actual.place} exists and does not bear our mark"
            return Diff(desired.id, Action.REFUSE, desired, actual, actual.content, after, reason=reason)
        return Diff(desired.id, Action.UPDATE, desired, actual, actual.content, after)

    async def apply(self, diff: Diff, idempotency_key: str) -> Result:
        """Make one change. Calling it again with the same key changes nothing more."""
        place = diff.desired.place if diff.desired else diff.actual.place if diff.actual else None
        if place is None:
            raise ValueError("nothing to apply")
        return (await self.target(place.root).write([diff], idempotency_key))[0]

    def kind(self, name: str) -> Kind[Any, Any]:
        """One of the plugin's kinds by its full name, as it is bound here."""
        return next(kind for kind in (*self.active, *self.kinds) if kind.name == name)
