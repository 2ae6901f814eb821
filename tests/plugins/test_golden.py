"""Every golden case: the text that comes out is the text that stands there.

`NTHLAYER_GOLDEN=write pytest tests/plugins` writes them anew, for you to read in the diff.
"""

import os
from pathlib import Path

import pytest

from nthlayer_sync.sdk.discover import folder_plugins
from nthlayer_sync.sdk.testing import golden_cases, golden_texts, settings_of

HERE = Path(__file__).parent
PLUGINS = {plugin.name: plugin for plugin in folder_plugins()}
CASES = golden_cases(HERE)


@pytest.mark.parametrize("when", CASES, ids=[str(case.parent.relative_to(HERE)) for case in CASES])
def test_golden(when: Path) -> None:
    plugin_name, kind = when.parts[-4], when.parts[-3]
    plugin_type = PLUGINS[plugin_name]
    plugin = plugin_type(plugin_type.settings_type.model_validate(settings_of(when)))
    got = {name: text for name, (_, text) in golden_texts(plugin, f"{plugin_name}/{kind}", when).items()}
    if os.environ.get("NTHLAYER_GOLDEN") == "write":
        for old in when.parent.glob("then*"):
            old.unlink()
        for name, text in got.items():
            (when.parent / name).write_bytes(text.encode())
    wanted = {path.name: path.read_bytes().decode() for path in when.parent.glob("then*")}
    assert got == wanted


@pytest.mark.parametrize(
    "kind", [f"{plugin.name}/{kind.name.partition('/')[2]}" for plugin in PLUGINS.values() for kind in plugin.kinds]
)
def test_every_kind_has_a_golden_case_and_a_line_in_its_readme(kind: str) -> None:
    plugin, _, name = kind.partition("/")
    assert list((HERE / plugin / name).glob("*/when.yaml")), f"{kind} has no golden case"
    readme = Path(__import__(PLUGINS[plugin].__module__, fromlist=["x"]).__file__).parent / "README.md"
    assert f"`{kind}`" in readme.read_text()
