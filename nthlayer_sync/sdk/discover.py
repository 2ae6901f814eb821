"""Finding plugins: the folders of this package, and entry points that others install."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.plugin import OperationalPlugin

GROUP = "nthlayer_sync.plugins"
"""The entry-point group of third-party plugins."""


def folder_names() -> tuple[str, ...]:
    """The names of the plugins that come with this package."""
    package = importlib.import_module(GROUP)
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg))


def installed() -> dict[str, EntryPoint]:
    """Entry points by plugin name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def load(name: str) -> type[OperationalPlugin]:
    """The plugin called `name`; nothing is imported before it is asked for."""
    if name in folder_names():
        return _checked(name, importlib.import_module(f"{GROUP}.{name}").Plugin)
    entry = installed().get(name)
    if entry is None:
        known = sorted({*folder_names(), *installed()})
        raise PermanentError(f"there is no plugin {name!r}; these are installed: {', '.join(known)}")
    try:
        return _checked(name, entry.load())
    except ImportError as error:
        extras = f"[{','.join(entry.extras)}]" if entry.extras else ""
        package = entry.dist.name if entry.dist else name
        raise PermanentError(
            f"plugin {name} cannot be imported ({error}); try: pip install '{package}{extras}'"
        ) from error


def folder_plugins() -> Iterable[type[OperationalPlugin]]:
    """The plugins that come with this package."""
    return [load(name) for name in folder_names()]


def _checked(name: str, found: object) -> type[OperationalPlugin]:
    if not (isinstance(found, type) and issubclass(found, OperationalPlugin)):
        raise PermanentError(f"plugin {name}: {found!r} is no OperationalPlugin class")
    if found.name != name:
        raise PermanentError(f"plugin {name} calls itself {found.name!r}; the two must agree")
    return found
