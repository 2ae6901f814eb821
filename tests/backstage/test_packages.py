"""What `npm pack` makes of the packages can be published."""

import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.backstage.conftest import WORKSPACE

PLUGINS = sorted(path.parent.name for path in WORKSPACE.glob("plugins/*/package.json"))
pytestmark = pytest.mark.timeout(600)


def npm(node: str, *words: str, folder: Path) -> str:
    """What npm says, with the Node of the tests. Its own scripts have to run: they put dist in the place of src."""
    env = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["npm", *words], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(node: str) -> Path:
    """The workspace, with every package built."""
    npm(node, "run", "build", folder=WORKSPACE)
    return WORKSPACE


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_package_has_what_it_needs_and_nothing_else(plugin: str, node: str, built: Path, tmp_path: Path) -> None:
    words = ("pack", "--json", "--ignore-scripts=false", "--pack-destination", str(tmp_path))
    npm(node, *words, folder=built / "plugins" / plugin)
    [tarball] = tmp_path.glob("*.tgz")
    with tarfile.open(tarball) as tar:
        names = {name.removeprefix("package/") for name in tar.getnames()}
        file = tar.extractfile("package/package.json")
        assert file
        package: dict[str, Any] = json.load(file)
    assert {"README.md", "CHANGELOG.md", package["main"], package["types"]} <= names
    assert package["main"].startswith("dist/")
    assert package["license"] == "Apache-2.0"
    assert package["backstage"]["role"]
    schema = (built / "plugins" / plugin / "config.d.ts").exists()
    assert schema == ("configSchema" in package)
    assert not schema or package["configSchema"] in names
    assert not [name for name in names if ".test." in name or name.startswith(("src/", "node_modules/"))]
    assert tarball.stat().st_size < 1_000_000
    own = json.loads((built / "plugins" / plugin / "package.json").read_text())
    assert own["main"] == "src/index.ts", "packing must leave the workspace as it was"
