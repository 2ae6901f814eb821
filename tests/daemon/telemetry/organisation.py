"""A daemon of a small organisation, in a folder of the test's own."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nthlayer_sync.app import App
from nthlayer_sync.daemon.daemon import Daemon
from nthlayer_sync.daemon.telemetry.metrics import Metrics

CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: cart
  annotations: {nthlayer.dev/tier: "2"}
spec: {type: service, lifecycle: production, owner: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop}
spec: {type: team, children: []}
"""
SETTINGS = """\
organisation: acme
sources: [{type: directory, path: catalog}]
landing: {central: operations.git}
plugins: {grafana: {}, prometheus: {}}
code: false
"""


@asynccontextmanager
async def small(folder: Path) -> AsyncIterator[Daemon]:
    """The daemon, not running yet."""
    _lay_out(folder)
    app = App.load(folder / "nthlayer-sync.yaml")
    async with app.engine() as engine:
        yield Daemon(engine, engine.store, app.settings, "replica-1", Metrics(app.web.tools))  # type: ignore[arg-type]


def _lay_out(folder: Path) -> None:
    (folder / "catalog").mkdir()
    (folder / "catalog" / "catalog-info.yaml").write_text(CATALOG)
    (folder / "nthlayer-sync.yaml").write_text(SETTINGS)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", "operations.git"], cwd=folder, check=True)
