"""How a plugin is tried: on a real repository, and watched while it generates."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git import check_path
from nthlayer_sync.model.config import Config, Observed
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Service, Subject
from nthlayer_sync.sdk.kind import Beside, FileKind
from nthlayer_sync.sdk.ownership import Whole
from nthlayer_sync.sdk.plugin import OperationalPlugin


class Watch:
    """What the interpreter reports of files, programs and connections while it is on."""

    _seen: ClassVar[list[str] | None] = None
    _hooked: ClassVar[bool] = False

    def __enter__(self) -> list[str]:
        """Begin to listen; gives the list that fills."""
        if not Watch._hooked:
            sys.addaudithook(Watch._notice)
            Watch._hooked = True
        Watch._seen = []
        return Watch._seen

    def __exit__(self, *_: object) -> None:
        Watch._seen = None

    @staticmethod
    def _notice(event: str, arguments: tuple[object, ...]) -> None:
        if Watch._seen is not None and event in ("open", "socket.connect", "subprocess.Popen", "os.system"):
            Watch._seen.append(f"{event} {arguments[0]!r}")


async def bring_about(plugin: OperationalPlugin, configs: Sequence[Config], allowed: Collection[Action]) -> None:
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


async def take_away(plugin: OperationalPlugin, configs: Sequence[Config]) -> None:
    """Delete `configs`; afterwards nothing of them is left."""
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
    return (await plugin.target(place.root).read(place.root, {config.id: place.path})).get(config.id)


def make_repository(path: Path) -> None:
    """An empty repository, to land in."""
    path.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True, timeout=60)


def changed(subject: Subject) -> Subject:
    """The subject with other words for everything that people write."""
    if not isinstance(subject, Service):
        return subject
    return msgspec.structs.replace(
        subject, title="Another title", description="Another description.", tags=("another",), links=(), owner=None
    )


def beside_of(plugin: OperationalPlugin, config: Config) -> Beside | None:
    """What the path of a file is relative to; None where it is no file."""
    kind = plugin.kind(config.id.kind)
    return kind.beside if isinstance(kind, FileKind) else None


def catalog_seed(config: Config) -> str:
    """A catalog file as people write it."""
    kind, _, rest = config.id.subject.partition(":")
    namespace, _, name = rest.partition("/")
    return (
        f"# By hand.\napiVersion: backstage.io/v1alpha1\nkind: {kind.title()}\nmetadata:\n"
        f"  name: {name}\n  namespace: {namespace}\nspec:\n  type: service\n"
    )


def assert_safe(config: Config) -> None:
    """The config lands at a path inside its root."""
    assert config.place.root, f"{config.id} has no root"
    try:
        check_path(config.place.path)
    except PermanentError as error:
        raise AssertionError(f"{config.id}: {error}") from error


def assert_single(plugin: OperationalPlugin, configs: Sequence[Config]) -> None:
    """No two configs share an id or a whole file."""
    ids = [config.id for config in configs]
    assert len(set(ids)) == len(ids), f"two configs have one id: {sorted(map(str, ids))}"
    whole = [
        config.place
        for config in configs
        if isinstance(kind := plugin.kind(config.id.kind), FileKind) and isinstance(kind.owns(config.id), Whole)
    ]
    assert len(set(whole)) == len(whole), f"two configs have one file: {sorted(map(str, whole))}"


def fields_of(spec: type[Any]) -> Iterator[str]:
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
