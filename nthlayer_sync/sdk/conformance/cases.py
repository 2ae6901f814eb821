"""What the suite looks at: a plugin, its subjects, and what it generates for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from nthlayer_sync.model.config import Config
from nthlayer_sync.model.service import Subject
from nthlayer_sync.sdk.kind import FileKind, Kind
from nthlayer_sync.sdk.ownership import Ownership
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.testing import (
    golden_texts,
    organisation_from,
    service_from,
    settings_of,
    subject_of,
    team_from,
)


class Cases:
    """A subclass sets `plugin` and `cases`, and `settings` where the defaults are not enough."""

    plugin: ClassVar[type[OperationalPlugin]]
    cases: ClassVar[Path]
    settings: ClassVar[dict[str, Any]] = {}
    secret_names: ClassVar[frozenset[str]] = frozenset()
    """Fields of specs that sound like secrets and hold only names of them, or where they are kept."""

    @property
    def kinds(self) -> tuple[Kind[Any, Any], ...]:
        """The plugin's kinds."""
        return self.plugin.kinds

    def made(self, settings: Mapping[str, Any] = MappingProxyType({})) -> OperationalPlugin:
        """The plugin with the suite's settings, and `settings` over them."""
        return self.plugin(self.plugin.settings_type.model_validate({**self.settings, **settings}))

    def golden(self, kind: str, when: Path) -> dict[str, tuple[Config, str]]:
        """What a golden case gives, as `golden_texts`."""
        return golden_texts(self.made(settings_of(when)), kind, when)

    def subjects(self) -> list[tuple[OperationalPlugin, Subject]]:
        """Ordinary subjects of every type, and those of the golden cases, with the plugin as each case sets it."""
        plugin = self.made()
        ordinary: tuple[Subject, ...] = (service_from({}), team_from({}), organisation_from({}))
        golden = sorted(self.cases.glob("*/*/when.yaml"))
        return [*((plugin, s) for s in ordinary), *((self.made(settings_of(w)), subject_of(w)) for w in golden)]

    def configs(self) -> Iterator[tuple[OperationalPlugin, Config]]:
        """What is generated for them, each with its plugin."""
        for plugin, subject in self.subjects():
            for config in plugin.generate_configs(subject):
                yield plugin, config

    def parts(self) -> Iterator[tuple[Config, FileKind[Any, Any], str, Ownership]]:
        """Of what lands in files: the kind, the content, and what of the file it owns."""
        for plugin, config in self.configs():
            kind = plugin.kind(config.id.kind)
            if isinstance(kind, FileKind):
                yield config, kind, kind.content(config.spec), kind.owns(config.id)

    def summary(self) -> str:
        """The digest of all that comes out."""
        total = blake2b(digest_size=16)
        for plugin, config in self.configs():
            row = (str(config.id), config.digest, str(config.place), plugin.kind(config.id.kind).content(config.spec))
            total.update(repr(row).encode())
        return total.hexdigest()
