"""Our own plugins keep what we ask of others'."""

from pathlib import Path

import pytest

from nthlayer_sync.sdk.conformance import PluginConformance
from nthlayer_sync.sdk.discover import folder_names, load

CASES = Path(__file__).parents[1] / "plugins"
SECRET_NAMES = {"aws": frozenset({"secret", "secrets"}), "github": frozenset({"secrets"})}
PROMISES = sorted(name for name in vars(PluginConformance) if name.startswith("test_"))


@pytest.mark.parametrize("name", folder_names())
@pytest.mark.parametrize("promise", PROMISES)
def test_own_plugin(name: str, promise: str) -> None:
    words = {"plugin": load(name), "cases": CASES / name, "secret_names": SECRET_NAMES.get(name, frozenset())}
    suite = type("Own", (PluginConformance,), words)()
    getattr(suite, promise)()
