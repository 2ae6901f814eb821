"""import through the command line: what is listed, what is asked, exit codes."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nthlayer_sync.sandbox import Sandbox

CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: pay
  annotations: {{nthlayer.dev/tier: "1", github.com/project-slug: acme/payments}}
spec: {{type: service, lifecycle: production, owner: payments-team}}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {{name: payments-team}}
spec: {{type: team, children: []}}
"""
SETTINGS = """\
organisation: Acme
code_host: acme
code: false
sources: [{{type: directory, path: catalog}}]
landing: {{central: central.git}}
plugins:
  github: {{url: "{url}", token: env:HUB_TOKEN, organisation: acme, repositories: [payments], kinds: [environment]}}
"""


@dataclass
class Installation:
    folder: Path
    sandbox: Sandbox

    async def run(self, *words: str) -> tuple[int, str]:
        """Exit code and everything that was printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from nthlayer_sync.cli import main; main()", *words),
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1", "HUB_TOKEN": self.sandbox.github.token},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await process.communicate())[0].decode()
        assert process.returncode is not None
        assert "Traceback" not in output, output
        return process.returncode, output


@pytest.fixture
async def installed(tmp_path: Path) -> AsyncIterator[Installation]:
    """A catalog of one service, in whose repository a person made two environments."""
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog/catalog-info.yaml").write_text(CATALOG.format())
    async with Sandbox(["github"]) as sandbox:
        (tmp_path / "nthlayer-sync.yaml").write_text(SETTINGS.format(url=sandbox.github.url))
        held = sandbox.github.collections["environments"]
        for number, name in enumerate(("production", "staging")):
            item = {"id": number, "name": name, "created_at": "2026-01-05T09:00:00Z", "protection_rules": []}
            held.add(item, "acme/payments")
        yield Installation(tmp_path, sandbox)


async def test_what_could_be_bound_is_listed_and_bound_on_request(installed: Installation) -> None:
    code, output = await installed.run("plan")
    assert (code, "import it" in output) == (1, True)
    code, output = await installed.run("import")
    assert code == 0
    assert "github/environment component:default/pay: environments/acme/payments/production" in output
    assert "environments/acme/payments/staging (acme/payments#staging:1)" in output
    assert "1 object to bind, 1 unmanaged." in output
    code, output = await installed.run("import", "--all")
    assert (code, "nobody is there to ask" in output) == (1, True)

    code, output = await installed.run("import", "github/environment pay")
    assert (code, "1 object bound" in output) == (0, True)
    assert installed.sandbox.ledger.committed() == []
    code, output = await installed.run("plan")
    assert (code, "1 to update" in output) == (2, True)
    code, output = await installed.run("apply", "--yes")
    assert code == 0, output
    code, output = await installed.run("plan")
    assert code == 0, output
    assert json.loads((await installed.run("import", "--format", "json"))[1])["waiting"] == []


async def test_it_is_told_what_is_wrong(installed: Installation) -> None:
    for words, said in (
        (("github/environment",), "names no config"),
        (("github/environment pai",), "did you mean 'github/environment component:default/pay'?"),
        (("github/environment pay", "--as", "acme/payments#old:7"), "none of the 2 environments"),
        (("github/environment pay", "--all"), "or say --all"),
    ):
        code, output = await installed.run("import", *words)
        assert (code, said in output) == (1, True), output


async def test_all_of_it(installed: Installation) -> None:
    code, output = await installed.run("import", "--all", "--yes", "--format", "json")
    assert code == 0
    [bound] = json.loads(output)["bound"]
    assert (bound["remote"], bound["trouble"]) == ("acme/payments#production:0", "")
