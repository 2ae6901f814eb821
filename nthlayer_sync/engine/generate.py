"""generate: what every subject should have, as digests; nothing is rendered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from graphlib import TopologicalSorter
from hashlib import blake2b
from typing import Any

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.plan import Wanted
from nthlayer_sync.model.service import Organisation, Service, Subject, Team, fingerprint
from nthlayer_sync.sdk.kind import Kind
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.target import Target


class Generated(msgspec.Struct, frozen=True):
    """The configs of one subject, and the kinds that could not be generated with the reason."""

    configs: tuple[Config, ...]
    failed: dict[str, str]

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The configs without their specs, as they are remembered."""
        return tuple(Wanted(c.id.kind, c.id.name, c.digest, c.place, c.owner) for c in self.configs)


class Generator:
    """All active plugins, asked subject by subject. `kinds` stand in the order in which they have to land.

    A kind that fails for a subject, be it for bad input or for a bug, fails for that subject only.
    """

    def __init__(self, plugins: Sequence[OperationalPlugin]) -> None:
        self.plugins = {plugin.name: plugin for plugin in plugins}
        self.kinds = _in_order({kind.name: kind for plugin in plugins for kind in plugin.active})
        self.digest = blake2b(repr(self._versions()).encode(), digest_size=16).hexdigest()
        """Changes when anything about the plugins does: which are on, their versions, their settings."""
        self._salt = self.digest.encode()
        self._plugin_of = {name: self.plugins[name.partition("/")[0]] for name in self.kinds}
        self._asked = {
            subject: [
                (name, _maker(self._plugin_of[name], kind))
                for name, kind in self.kinds.items()
                if kind.subject is subject
            ]
            for subject in (Service, Team, Organisation)
        }

    def fingerprint(self, subject: Subject) -> bytes:
        """Changes when the subject's view does, or anything about the plugins that look at it."""
        return blake2b(self._salt + fingerprint(subject), digest_size=16).digest()

    def plugin(self, kind: str) -> OperationalPlugin:
        """The plugin that a kind belongs to."""
        return self._plugin_of[kind]

    def target(self, kind: str, root: str) -> Target:
        """What the configs of a kind under `root` land in."""
        return self._plugin_of[kind].target(root)

    @property
    def targets(self) -> dict[str, Target]:
        """Every target that something may land in, by name."""
        found = [target for plugin in self.plugins.values() for target in (plugin.files, plugin.live) if target]
        return {target.name: target for target in found}

    def generate(self, subject: Subject, kinds: Collection[str] | None = None) -> Generated:
        """What the subject should have, of these kinds or of all."""
        configs: list[Config] = []
        failed: dict[str, str] = {}
        for name, make in self._asked[type(subject)]:
            if kinds is not None and name not in kinds:
                continue
            try:
                made = list(make(subject))
            except PermanentError as error:
                failed[name] = str(error)
            except Exception as error:  # a bug in a plugin stops this kind for this subject, and nothing else
                plugin = self._plugin_of[name]
                failed[name] = f"bug in {plugin.name} {plugin.version}: {type(error).__name__}: {error}"
            else:
                configs += made
        return Generated(tuple(_unique(configs, failed)), failed)

    def _versions(self) -> list[tuple[str, str, str, list[tuple[str, int]]]]:
        return sorted(
            (
                plugin.name,
                plugin.version,
                plugin.settings.model_dump_json(),
                [(k.name, k.version) for k in plugin.active],
            )
            for plugin in self.plugins.values()
        )


def _maker(plugin: OperationalPlugin, kind: Kind[Any, Any]) -> Callable[[Subject], Iterable[Config]]:
    """Makes the configs of one kind; a plugin with a `generate_configs` of its own is asked for all, and these are
    kept.
    """
    if type(plugin).generate_configs is OperationalPlugin.generate_configs:
        return partial(plugin.generate, kind)
    return lambda subject: (config for config in plugin.generate_configs(subject) if config.id.kind == kind.name)


def _in_order(kinds: dict[str, Kind[Any, Any]]) -> dict[str, Kind[Any, Any]]:
    """What is required comes first; a requirement of a kind that is not active binds nobody."""
    sorter = TopologicalSorter({name: [r for r in kinds[name].requires if r in kinds] for name in sorted(kinds)})
    return {name: kinds[name] for name in sorter.static_order()}


def _unique(configs: list[Config], failed: dict[str, str]) -> list[Config]:
    """A kind that names two configs of one subject alike fails for it: neither can be told from the other."""
    ids = {config.id for config in configs}
    if len(ids) == len(configs):
        return configs
    seen: set[Any] = set()
    for config in configs:
        if config.id in seen:
            failed[config.id.kind] = f"two configs are called {config.id}"
        seen.add(config.id)
    return [config for config in configs if config.id.kind not in failed]
