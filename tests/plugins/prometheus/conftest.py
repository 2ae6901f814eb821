"""Rules and their tests, written to a folder and held to promtool."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nthlayer_sync.plugins.prometheus import Plugin, PrometheusSettings
from nthlayer_sync.sdk.testing import service_from

ADDRESSES = {"backstage": "https://backstage.example.com", "grafana": "https://grafana.example.com/"}


def write(folder: Path, words: Mapping[str, Any], *kinds: str) -> Path:
    """The files of a service, by default of all kinds, in `folder`."""
    plugin = Plugin(PrometheusSettings(kinds=kinds or None, **ADDRESSES), None)
    folder.mkdir(parents=True, exist_ok=True)
    for config in plugin.generate_configs(service_from(words)):
        text = plugin.kind(config.id.kind).content(config.spec)
        (folder / Path(config.place.path).name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def promtool(tool: Callable[[str], str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs promtool on files: `promtool("check", paths)`, `promtool("test", paths)`."""
    program = tool("promtool")

    def run(verb: str, paths: list[Path]) -> subprocess.CompletedProcess[str]:
        command = [program, verb, "rules", *map(str, sorted(paths))]
        return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)

    return run


@pytest.fixture
def proved(promtool: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[[list[Path]], None]:
    """Checks all rules of some folders and runs all their tests, in one call each."""

    def prove(folders: list[Path]) -> None:
        for verb, pattern in (("check", "*.rules.yaml"), ("test", "*.tests.yaml")):
            paths = [path for folder in folders for path in folder.glob(pattern)]
            done = promtool(verb, paths)
            assert done.returncode == 0, done.stdout + done.stderr

    return prove
