"""A real Backstage, a real daemon and a Git repository between them, all on this machine."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.backstage.town import Town

WORKSPACE = Path(__file__).parents[2] / "backstage-plugin"


def _missing(reason: str) -> str:
    if os.environ.get("CI"):
        pytest.fail(f"CI must have it: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> str:
    """Node 22 or newer, with the packages of the workspace installed."""
    found = os.environ.get("NTHLAYER_NODE") or shutil.which("node")
    if not found:
        return _missing("there is no Node; Backstage needs 22 or 24")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < 22:
        return _missing(f"Node is {version}; Backstage needs 22 or 24 (NTHLAYER_NODE names another one)")
    if not (WORKSPACE / "node_modules/@backstage/backend-defaults").is_dir():
        return _missing("the packages of backstage-plugin are not installed: npm ci --prefix backstage-plugin")
    return found


@pytest_asyncio.fixture
async def town(node: str, tmp_path: Path) -> AsyncIterator[Town]:
    """An empty one; everything in it is stopped at the end."""
    town = Town(tmp_path, node, WORKSPACE)
    async with town.open():
        yield town
