"""What every plugin must keep, as tests that its author runs with pytest.

    class TestMine(PluginConformance):
        plugin = Plugin
        cases = Path(__file__).parent / "cases"

`cases` holds the golden cases, `<kind>/<case>/when.yaml` with a `then*` file for each config. What lands elsewhere than
in Git is brought about only where `runtime` is overridden, by a suite whose settings name a stand-in of the system.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter
from inspect import getfile
from pathlib import Path
from typing import Any

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git import Repository
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.service import Service, Subject
from nthlayer_sync.sdk.conformance.cases import Cases
from nthlayer_sync.sdk.conformance.trial import (
    Watch,
    assert_safe,
    assert_single,
    beside_of,
    bring_about,
    catalog_seed,
    changed,
    fields_of,
    make_repository,
    take_away,
)
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.kind import Beside, Category, FileKind, Kind
from nthlayer_sync.sdk.ownership import MARK, Blocks, Whole
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.testing import HOSTILE, hostile_services

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SECRET = re.compile(r"passw(or)?d|secret|token|api_?key|private_?key|credential", re.IGNORECASE)
_REFERS = re.compile(r"_(name|names|ref|refs|file|path|env)$")
_HEADINGS = ("## What it manages", "## Settings", "## Options", "## Order")
_WRITER = ("Conformance", "conformance@example.com")


class PluginConformance(Cases):
    """The suite. A subclass sets `plugin` and `cases`, and `settings` where the defaults are not enough."""

    def runtime(self, repositories: Repositories) -> Runtime:
        """What the plugin is lent to land its configs with."""
        return Runtime(files=FileTarget(repositories, _WRITER))

    # What it says of itself.

    def test_names_and_versions(self) -> None:
        """It is called as the settings will call it, and its kinds as everybody will."""
        plugin = self.plugin
        assert _NAME.fullmatch(plugin.name), f"{plugin.name!r}: lower-case letters, digits and _"
        assert plugin.version, "a version goes into every fingerprint"
        assert isinstance(plugin.category, Category)
        assert plugin.summary, "a summary stands in `nthlayer-sync kinds`"
        assert issubclass(plugin.settings_type, PluginSettings)
        assert plugin.kinds, "a plugin has at least one kind"
        names = [kind.name for kind in plugin.kinds]
        assert len(set(names)) == len(names), f"two kinds have one name: {sorted(names)}"
        for kind in plugin.kinds:
            family, _, name = kind.name.partition("/")
            assert family == plugin.name, f"{kind.name} must be called {plugin.name}/..."
            assert _NAME.fullmatch(name), f"{kind.name}: lower-case letters, digits and _"
            assert kind.version >= 1, f"{kind.name}: versions count from 1"
            assert kind.summary, f"{kind.name}: a summary stands in `nthlayer-sync kinds`"
            assert "\n" not in kind.summary, f"{kind.name}: the summary is one line"

    def test_requirements_end(self) -> None:
        """No kind waits for itself."""
        own = {kind.name: [r for r in kind.requires if r.startswith(f"{self.plugin.name}/")] for kind in self.kinds}
        tuple(TopologicalSorter(own).static_order())
        for name, required in own.items():
            assert set(required) <= own.keys(), f"{name} requires {sorted(set(required) - own.keys())}: no such kind"

    def test_specs_hold_no_secrets(self) -> None:
        """Plans, diffs and the state file show specs; a secret belongs into none of them, its name may."""
        for kind in self.kinds:
            for field in fields_of(kind.spec):
                fine = field in self.secret_names or not _SECRET.search(field) or _REFERS.search(field)
                assert fine, (
                    f"{kind.name}: {field} looks like a secret; if it holds a name only, say so in `secret_names`"
                )

    def test_readme_names_each_kind(self) -> None:
        """The README is where people learn what a kind holds."""
        readme = Path(getfile(self.plugin)).parent / "README.md"
        text = readme.read_text()
        for heading in _HEADINGS:
            assert heading in text, f"{readme} has no heading {heading!r}"
        for kind in self.kinds:
            assert f"`{kind.name}`" in text, f"{readme} does not name `{kind.name}`"

    # What it generates.

    def test_golden_cases(self) -> None:
        """Each kind has a case, and what comes out is what stands there; NTHLAYER_GOLDEN=write writes it anew."""
        for kind in self.kinds:
            found = sorted((self.cases / kind.name.partition("/")[2]).glob("*/when.yaml"))
            assert found, f"{kind.name} has no case below {self.cases}"
            for when in found:
                got = {name: text for name, (_, text) in self.golden(kind.name, when).items()}
                if os.environ.get("NTHLAYER_GOLDEN") == "write":
                    for old in when.parent.glob("then*"):
                        old.unlink()
                    for name, text in got.items():
                        (when.parent / name).write_bytes(text.encode())
                wanted = {path.name: path.read_bytes().decode() for path in when.parent.glob("then*")}
                assert got == wanted, f"{when.parent} is not what comes out"

    def test_generation_is_deterministic(self) -> None:
        """The same subject gives the same bytes, in every process."""
        first, second = self.summary(), self.summary()
        assert first == second
        module, name = self.plugin.__module__, self.plugin.__qualname__
        for seed in ("1", "2"):
            done = subprocess.run(
                [sys.executable, "-c", _ANOTHER_PROCESS, module, name, str(self.cases), repr(self.settings)],
                env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert done.stdout == first, f"with PYTHONHASHSEED={seed} something else comes out"

    def test_generation_asks_nobody(self) -> None:
        """A generator looks at its subject only: no network, no program, no file once its own are loaded."""
        subjects = self.subjects()
        for plugin, subject in subjects:
            list(plugin.generate_configs(subject))
        with Watch() as seen:
            for plugin, subject in subjects:
                list(plugin.generate_configs(subject))
        assert not seen, f"generating touched the outside: {sorted(set(seen))}"

    def test_specs_survive_json(self) -> None:
        """A spec that is written and read again is the same spec."""
        for plugin, config in self.configs():
            kind = plugin.kind(config.id.kind)
            assert isinstance(config.spec, kind.spec), f"{config.id}: {config.spec!r} is no {kind.spec.__name__}"
            again = msgspec.json.decode(msgspec.json.encode(config.spec), type=kind.spec)
            assert again == config.spec, f"{config.id}: its spec does not survive JSON"
            assert kind.digest(again) == config.digest

    def test_places_are_safe_and_single(self) -> None:
        """Every config has a place inside its root, and no two of a subject have one name or one whole file."""
        for plugin, subject in self.subjects():
            configs = list(plugin.generate_configs(subject))
            assert_single(plugin, configs)
            for config in configs:
                assert_safe(config)
                assert config.id.subject == subject.ref

    def test_content_bears_the_mark(self) -> None:
        """A whole file or a block is known again by its mark; a key is known by its name."""
        for config, _, content, owns in self.parts():
            if isinstance(owns, Whole | Blocks):
                text = owns.write(None, content)
                assert MARK in text, f"{config.id}: nothing in its file says {MARK}"
                assert not owns.foreign(text), f"{config.id}: our own file is taken for somebody else's"

    def test_ownership_keeps_its_promises(self) -> None:
        """Reading gives what was written, writing again changes nothing, removing gives back what people had."""
        for config, kind, content, owns in self.parts():
            seeds = [catalog_seed(config)] if kind.beside is Beside.ENTITY else [None]
            if not isinstance(owns, Whole) and kind.beside is not Beside.ENTITY:
                seeds += ["By hand.\n", "By hand.\r\nNo end"]
            for seed in seeds:
                try:
                    text = owns.write(seed, content)
                except PermanentError:
                    assert seed is not None, f"{config.id} cannot be written to a new file"
                    continue  # a file of another shape is refused, and stays as it is
                assert owns.read(text) == content, f"{config.id}: what is read is not what was written"
                assert owns.write(text, content) == text, f"{config.id}: writing again changes the file"
                rest = owns.remove(text)
                if seed is None and rest is not None:  # a file that others may have come to need
                    assert owns.read(rest) is None, f"{config.id}: something of it is left after removing it"
                else:
                    assert rest == seed, f"{config.id}: removing it does not give back what people had"

    def test_hostile_values_are_refused_or_neutralised(self) -> None:
        """Whatever a catalog says, the worst that happens is a PermanentError."""
        plugin = self.made()
        for value in HOSTILE:
            for subject in hostile_services(value):
                for kind in plugin.active:
                    if kind.subject is Service:
                        self._survives(plugin, kind, subject, value)

    def _survives(self, plugin: OperationalPlugin, kind: Kind[Any, Any], subject: Service, value: str) -> None:
        try:
            configs = list(plugin.generate(kind, subject))
            contents = [kind.content(config.spec) for config in configs]
        except PermanentError:
            return
        except Exception as error:
            raise AssertionError(
                f"{kind.name} does not stand {value[:40]!a}: {type(error).__name__}: {error}"
            ) from error
        for config, content in zip(configs, contents, strict=True):
            assert_safe(config)
            content.encode()
            if isinstance(kind, FileKind) and kind.beside is not Beside.ENTITY:
                owns = kind.owns(config.id)
                assert owns.read(owns.write(None, content)) == content, f"{kind.name} breaks out with {value[:40]!a}"

    # What becomes of it.

    def test_it_converges(self) -> None:
        """Created, left alone, brought back, changed, deleted: each step does what it must, and is done after once."""
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(self._converge(Path(folder)))

    async def _converge(self, folder: Path) -> None:
        for number, (made, subject) in enumerate(self._telling()):
            configs = [*made.generate_configs(subject), *made.generate_configs(changed(subject))]
            plugin = await self._connected(made.settings, folder / str(number), configs)
            wanted = self._landing(plugin, subject)
            others = {config.id: config for config in self._landing(plugin, changed(subject))}
            await bring_about(plugin, wanted, {Action.CREATE, Action.UPDATE})
            changes = [others[c.id] for c in wanted if c.id in others and others[c.id].place == c.place]
            await bring_about(plugin, changes, {Action.UPDATE, Action.NOTHING})
            await bring_about(plugin, wanted, {Action.UPDATE, Action.NOTHING})
            await take_away(plugin, wanted)

    def _telling(self) -> Iterator[tuple[OperationalPlugin, Subject]]:
        """As few subjects as show every kind."""
        seen: set[str] = set()
        for plugin, subject in self.subjects():
            kinds = {config.id.kind for config in plugin.generate_configs(subject)}
            if kinds - seen:
                seen |= kinds
                yield plugin, subject

    def _landing(self, plugin: OperationalPlugin, subject: Subject) -> list[Config]:
        """The configs that can be brought about here."""
        anywhere = type(self).runtime is not PluginConformance.runtime
        configs = plugin.generate_configs(subject)
        return [c for c in configs if anywhere or plugin.target(c.place.root) is plugin.files]

    async def _connected(self, settings: PluginSettings, folder: Path, configs: Sequence[Config]) -> OperationalPlugin:
        """The plugin with a repository for each root."""
        roots = sorted({config.place.root for config in configs})
        instead_of: dict[str, str] = {}
        for index, root in enumerate(roots):
            path = folder / f"{index}.git"
            await asyncio.to_thread(make_repository, path)
            instead_of[root] = str(path)
        repositories = Repositories(folder / "cache", "nthlayer-sync", (), instead_of=instead_of)
        runtime = self.runtime(repositories)
        if isinstance(runtime.files, FileTarget):
            runtime.files.serve(self.plugin.kinds)
        plugin = self.plugin(settings, runtime)
        for root in roots:
            seeds = {
                c.place.path: catalog_seed(c).encode()
                for c in configs
                if c.place.root == root and beside_of(plugin, c) is Beside.ENTITY
            }
            if seeds:
                repository: Repository = repositories.get(root)
                await repository.commit(dict(seeds), "by hand", author=_WRITER, expect=await repository.tree())
        return plugin


_ANOTHER_PROCESS = """
import ast, importlib, sys
from pathlib import Path
from nthlayer_sync.sdk.conformance import PluginConformance
module, name, cases, settings = sys.argv[1:]
class Here(PluginConformance):
    pass
Here.plugin = getattr(importlib.import_module(module), name)
Here.cases = Path(cases)
Here.settings = ast.literal_eval(settings)
sys.stdout.write(Here().summary())
"""
