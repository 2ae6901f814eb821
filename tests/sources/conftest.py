"""Catalogs in folders."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nthlayer_sync.model.snapshot import Snapshot
from nthlayer_sync.sources.directory import directory_source

Tree = Callable[[dict[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes files below a folder that is no Git work tree."""

    def write(files: dict[str, str]) -> Path:
        for path, text in files.items():
            file = tmp_path / "catalog" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path / "catalog"

    return write


def component(name: str, *, spec: str = "", metadata: str = "") -> str:
    """A component as people write it."""
    return f"""apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {name}
{metadata}
spec:
  type: service
  lifecycle: production
  owner: team-a
{spec}"""


async def read(path: Path, **options: list[str]) -> Snapshot:
    return await directory_source("files", path, **options).read()
