"""What every plugin must keep, as tests that its author runs with pytest.

    class TestMine(PluginConformance):
        plugin = Plugin
        cases = Path(__file__).parent / "cases"

`cases` holds the golden cases, `<kind>/<case>/when.yaml` with a `then*` file for each config. A plugin whose configs
land elsewhere than in Git overrides `target` with one that writes to a stand-in of its system.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from graphlib import TopologicalSorter
from hashlib import blake2b
from inspect import getfile
from pathlib import Path
from typing import Any, ClassVar, cast

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git import Repository, check_path
from nthlayer_sync.model.config import Config, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Service, Subject
from nthlayer_sync.sdk.files import FileTarget, Repositories
from nthlayer_sync.sdk.kind import Beside, Category, FileKind, Kind
from nthlayer_sync.sdk.ownership import MARK, Blocks, Ownership, Whole
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.target import Target
from nthlayer_sync.sdk.testing import (
    HOSTILE,
    golden_texts,
    hostile_services,
    organisation_from,
    service_from,
    subject_of,
    team_from,
)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SECRET = re.compile(r"passw(or)?d|secret|token|api_?key|private_?key|credential", re.IGNORECASE)
_REFERS = re.compile(r"_(name|names|ref|refs|file|path|env)$")
_HEADINGS = ("## What it manages", "## Settings", "## Options", "## Order")
_WRITER = ("Conformance", "conformance@example.com")


class PluginConformance:
    """The suite. A subclass sets `plugin` and `cases`, and `settings` where the defaults are not enough."""

    plugin: ClassVar[type[OperationalPlugin]]
    cases: ClassVar[Path]
    settings: ClassVar[dict[str, Any]] = {}
    secret_names: ClassVar[frozenset[str]] = frozenset()
    """Fields of specs that sound like secrets and hold only names of them, or where they are kept."""

    def target(self, repositories: Repositories) -> Target:
        """What the plugin is given to land its configs in."""
        return FileTarget(repositories, _WRITER)

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
        own = {kind.name: [r for r in kind.requires if r.startswith(f"{self.plugin.name}/")] for kind in self._kinds}
        tuple(TopologicalSorter(own).static_order())
        for name, required in own.items():
            assert set(required) <= own.keys(), f"{name} requires {sorted(set(required) - own.keys())}: no such kind"

    def test_specs_hold_no_secrets(self) -> None:
        """Plans, diffs and the state file show specs; a secret belongs into none of them, its name may."""
        for kind in self._kinds:
            for field in _fields(kind.spec):
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
        for kind in self._kinds:
            assert f"`{kind.name}`" in text, f"{readme} does not name `{kind.name}`"

    # What it generates.

    def test_golden_cases(self) -> None:
        """Each kind has a case, and what comes out is what stands there; NTHLAYER_GOLDEN=write writes it anew."""
        plugin = self._plugin()
        for kind in self._kinds:
            found = sorted((self.cases / kind.name.partition("/")[2]).glob("*/when.yaml"))
            assert found, f"{kind.name} has no case below {self.cases}"
            for when in found:
                got = {name: text for name, (_, text) in golden_texts(plugin, kind.name, when).items()}
                if os.environ.get("NTHLAYER_GOLDEN") == "write":
                    for old in when.parent.glob("then*"):
                        old.unlink()
                    for name, text in got.items():
                        (when.parent / name).write_bytes(text.encode())
                wanted = {path.name: path.read_bytes().decode() for path in when.parent.glob("then*")}
                assert got == wanted, f"{when.parent} is not what comes out"

    def test_generation_is_deterministic(self) -> None:
        """The same subject gives the same bytes, in every process."""
        first, second = self._summary(), self._summary()
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
        plugin, subjects = self._plugin(), self._subjects()
        for subject in subjects:
            list(plugin.generate_configs(subject))
        with _Watch() as seen:
            for subject in subjects:
                list(plugin.generate_configs(subject))
        assert not seen, f"generating touched the outside: {sorted(set(seen))}"

    def test_specs_survive_json(self) -> None:
        """A spec that is written and read again is the same spec."""
        for config in self._configs():
            kind = self.plugin.kind(cast("Any", self.plugin), config.id.kind)
            assert isinstance(config.spec, kind.spec), f"{config.id}: {config.spec!r} is no {kind.spec.__name__}"
            again = msgspec.json.decode(msgspec.json.encode(config.spec), type=kind.spec)
            assert again == config.spec, f"{config.id}: its spec does not survive JSON"
            assert kind.digest(again) == config.digest

    def test_places_are_safe_and_single(self) -> None:
        """Every config has a place inside its root, and no two of a subject have one name or one whole file."""
        plugin = self._plugin()
        for subject in self._subjects():
            configs = list(plugin.generate_configs(subject))
            _assert_single(plugin, configs)
            for config in configs:
                _assert_safe(config)
                assert config.id.subject == subject.ref

    def test_content_bears_the_mark(self) -> None:
        """A whole file or a block is known again by its mark; a key is known by its name."""
        for config, _, content, owns in self._parts():
            if isinstance(owns, Whole | Blocks):
                text = owns.write(None, content)
                assert MARK in text, f"{config.id}: nothing in its file says {MARK}"
                assert not owns.foreign(text), f"{config.id}: our own file is taken for somebody else's"

    def test_ownership_keeps_its_promises(self) -> None:
        """Reading gives what was written, writing again changes nothing, removing gives back what people had."""
        for config, kind, content, owns in self._parts():
            seeds = [_seed(config)] if kind.beside is Beside.ENTITY else [None]
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
        plugin = self._plugin()
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
            _assert_safe(config)
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
        for number, subject in enumerate(self._telling()):
            wanted = list(self._plugin().generate_configs(subject))
            others = {config.id: config for config in self._plugin().generate_configs(_changed(subject))}
            plugin = await self._connected(folder / str(number), [*wanted, *others.values()])
            await _step(plugin, wanted, {Action.CREATE, Action.UPDATE})
            changes = [others[c.id] for c in wanted if c.id in others and others[c.id].place == c.place]
            await _step(plugin, changes, {Action.UPDATE, Action.NOTHING})
            await _step(plugin, wanted, {Action.UPDATE, Action.NOTHING})
            await _remove(plugin, wanted)

    def _telling(self) -> Iterator[Subject]:
        """As few subjects as show every kind."""
        seen: set[str] = set()
        for subject in self._subjects():
            kinds = {config.id.kind for config in self._plugin().generate_configs(subject)}
            if kinds - seen:
                seen |= kinds
                yield subject

    async def _connected(self, folder: Path, configs: Sequence[Config]) -> OperationalPlugin:
        """The plugin with a repository for each root."""
        roots = sorted({config.place.root for config in configs})
        instead_of: dict[str, str] = {}
        for index, root in enumerate(roots):
            path = folder / f"{index}.git"
            await asyncio.to_thread(_make_repository, path)
            instead_of[root] = str(path)
        repositories = Repositories(folder / "cache", "nthlayer-sync", (), instead_of=instead_of)
        target = self.target(repositories)
        if isinstance(target, FileTarget):
            target.serve(self.plugin.kinds)
        plugin = self.plugin(self._settings(), target)
        for root in roots:
            seeds = {
                c.place.path: _seed(c).encode()
                for c in configs
                if c.place.root == root and _beside(plugin, c) is Beside.ENTITY
            }
            if seeds:
                repository: Repository = repositories.get(root)
                await repository.commit(dict(seeds), "by hand", author=_WRITER, expect=await repository.tree())
        return plugin

    # Where the subjects come from.

    @property
    def _kinds(self) -> tuple[Kind[Any, Any], ...]:
        return self.plugin.kinds

    def _settings(self) -> PluginSettings:
        return self.plugin.settings_type.model_validate(self.settings)

    def _plugin(self) -> OperationalPlugin:
        return self.plugin(self._settings(), cast("Target", None))

    def _subjects(self) -> list[Subject]:
        """Ordinary subjects of every type, and those of the golden cases."""
        golden = [subject_of(when) for when in sorted(self.cases.glob("*/*/when.yaml"))]
        return [service_from({}), team_from({}), organisation_from({}), *golden]

    def _configs(self) -> Iterator[Config]:
        plugin = self._plugin()
        for subject in self._subjects():
            yield from plugin.generate_configs(subject)

    def _parts(self) -> Iterator[tuple[Config, FileKind[Any, Any], str, Ownership]]:
        plugin = self._plugin()
        for config in self._configs():
            kind = plugin.kind(config.id.kind)
            if isinstance(kind, FileKind):
                yield config, kind, kind.content(config.spec), kind.owns(config.id)

    def _summary(self) -> str:
        """The digest of all that comes out."""
        plugin, total = self._plugin(), blake2b(digest_size=16)
        for config in self._configs():
            row = (str(config.id), config.digest, str(config.place), plugin.kind(config.id.kind).content(config.spec))
            total.update(repr(row).encode())
        return total.hexdigest()


class _Watch:
    """What the interpreter reports of files, programs and connections while it is on."""

    _seen: ClassVar[list[str] | None] = None
    _hooked: ClassVar[bool] = False

    def __enter__(self) -> list[str]:
        if not _Watch._hooked:
            sys.addaudithook(_Watch._notice)
            _Watch._hooked = True
        _Watch._seen = []
        return _Watch._seen

    def __exit__(self, *_: object) -> None:
        _Watch._seen = None

    @staticmethod
    def _notice(event: str, arguments: tuple[object, ...]) -> None:
        if _Watch._seen is not None and event in ("open", "socket.connect", "subprocess.Popen", "os.system"):
            _Watch._seen.append(f"{event} {arguments[0]!r}")


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
sys.stdout.write(Here()._summary())
"""


async def _step(plugin: OperationalPlugin, configs: Sequence[Config], allowed: Collection[Action]) -> None:
    """Bring `configs` about; afterwards there is nothing to do, and doing it again changes nothing."""
    for number, config in enumerate(configs):
        diff = await _diff(plugin, config)
        assert diff.action in allowed, f"{diff.id}: {diff.action} {diff.reason}"
        if not diff.action.writes:
            continue
        result = await plugin.apply(diff, f"{diff.id}")
        assert result.outcome is not Outcome.FAILED, f"{diff.id}: {result.reason}"
        if number == 0:
            result = await plugin.apply(diff, f"{diff.id}")
            assert result.outcome is Outcome.UNCHANGED, f"{diff.id}, once more: {result.outcome} {result.reason}"
    for config in configs:
        diff = await _diff(plugin, config)
        assert diff.action is Action.NOTHING, f"{diff.id}: after writing it there is still to {diff.action} it"


async def _remove(plugin: OperationalPlugin, configs: Sequence[Config]) -> None:
    for config in configs:
        if not plugin.kind(config.id.kind).deletable:
            continue
        observed = await _observed(plugin, config)
        if observed is None or observed.content is None:
            continue  # it went with another that shares its file
        result = await plugin.apply(plugin.reconcile(None, observed), f"remove {config.id}")
        assert result.outcome is Outcome.DONE, f"{config.id}: {result.reason}"
        left = await _observed(plugin, config)
        assert left is None or left.content is None, f"{config.id} is still there after it was deleted"


async def _diff(plugin: OperationalPlugin, config: Config) -> Diff:
    return plugin.reconcile(config, await _observed(plugin, config))


async def _observed(plugin: OperationalPlugin, config: Config) -> Observed | None:
    place = config.place
    return (await plugin.target.read(place.root, {config.id: place.path})).get(config.id)


def _make_repository(path: Path) -> None:
    path.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True, timeout=60)


def _changed(subject: Subject) -> Subject:
    """The subject with other words for everything that people write."""
    if not isinstance(subject, Service):
        return subject
    return msgspec.structs.replace(
        subject, title="Another title", description="Another description.", tags=("another",), links=(), owner=None
    )


def _beside(plugin: OperationalPlugin, config: Config) -> Beside | None:
    kind = plugin.kind(config.id.kind)
    return kind.beside if isinstance(kind, FileKind) else None


def _seed(config: Config) -> str:
    """A catalog file as people write it."""
    kind, _, rest = config.id.subject.partition(":")
    namespace, _, name = rest.partition("/")
    return (
        f"# By hand.\napiVersion: backstage.io/v1alpha1\nkind: {kind.title()}\nmetadata:\n"
        f"  name: {name}\n  namespace: {namespace}\nspec:\n  type: service\n"
    )


def _assert_safe(config: Config) -> None:
    assert config.place.root, f"{config.id} has no root"
    try:
        check_path(config.place.path)
    except PermanentError as error:
        raise AssertionError(f"{config.id}: {error}") from error


def _assert_single(plugin: OperationalPlugin, configs: Sequence[Config]) -> None:
    ids = [config.id for config in configs]
    assert len(set(ids)) == len(ids), f"two configs have one id: {sorted(map(str, ids))}"
    whole = [
        config.place
        for config in configs
        if isinstance(kind := plugin.kind(config.id.kind), FileKind) and isinstance(kind.owns(config.id), Whole)
    ]
    assert len(set(whole)) == len(whole), f"two configs have one file: {sorted(map(str, whole))}"


def _fields(spec: type[Any]) -> Iterator[str]:
    """The names of a spec's fields, at any depth."""
    seen: set[type[Any]] = set()
    due: list[Any] = [spec]
    while due:
        one = due.pop()
        due.extend(getattr(one, "__args__", ()))
        if isinstance(one, type) and issubclass(one, msgspec.Struct) and one not in seen:
            seen.add(one)
            for field in msgspec.structs.fields(one):
                yield field.name
                due.append(field.type)
