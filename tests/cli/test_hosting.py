"""Pull requests through the command line: settings, token, what is printed, exit codes."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from nthlayer_sync.errors import InputError
from nthlayer_sync.settings import load_settings
from tests.sdk.hosting.stand_in import GitHubStandIn, git

TOKEN = "canary-4f1c7a"
CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: pay
  annotations: {nthlayer.dev/tier: "1"}
spec: {type: service, lifecycle: production, owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
"""
SETTINGS = """\
organisation: Acme
code_host: acme
sources: [{{type: directory, path: catalog}}]
landing:
  central: https://git.example.com/acme/central.git
  instead_of: {{"https://git.example.com/": ./}}
  hosting:
    - {{type: github, host: git.example.com, url: "{url}", token: env:FORGE_TOKEN, labels: [operational]}}
plugins: {{openslo: {{}}}}
"""


@dataclass
class Installation:
    folder: Path
    host: GitHubStandIn

    async def run(self, *words: str) -> tuple[int, str]:
        """Exit code and everything that was printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from nthlayer_sync.cli import main; main()", *words),
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1", "FORGE_TOKEN": TOKEN},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await process.communicate())[0].decode()
        assert process.returncode is not None
        assert TOKEN not in output
        assert "Traceback" not in output
        return process.returncode, output


def holding(folder: Path, text: str) -> list[Path]:
    """The files in which the text stands."""
    return [file for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


def let_in(request: web.Request) -> web.Response | None:
    return None if request.headers["Authorization"] == f"Bearer {TOKEN}" else web.Response(status=401)


@pytest.fixture
async def installed(tmp_path: Path, shared: Path) -> AsyncIterator[Installation]:
    remote = tmp_path / "acme/central.git"
    remote.parent.mkdir()
    git("init", "-q", "--bare", "-b", "main", str(remote), cwd=tmp_path)
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    tree = git("hash-object", "-wt", "tree", "/dev/null", cwd=remote)
    first = git(*who, "commit-tree", "-m", "first", tree, cwd=remote)
    git("update-ref", "refs/heads/main", first, cwd=remote)
    host = GitHubStandIn(remote, shared)
    host.fault = let_in
    async with TestServer(host.application()) as server:
        (tmp_path / "catalog").mkdir()
        (tmp_path / "catalog/catalog-info.yaml").write_text(CATALOG)
        (tmp_path / "nthlayer-sync.yaml").write_text(SETTINGS.format(url=f"http://{server.host}:{server.port}"))
        yield Installation(tmp_path, host)
    assert host.wrong == []
    assert not holding(tmp_path / ".nthlayer", TOKEN)


async def test_apply_proposes_and_a_closed_one_is_told(installed: Installation) -> None:
    code, output = await installed.run("apply", "--yes")
    assert code == 0
    assert "opened https://git.example.com/acme/central/pull/1 (1 file)" in output
    [pull] = installed.host.pulls
    assert (pull.labels, pull.reviewers) == (["operational"], ["acme/payments"])
    assert (await installed.run("plan"))[0] == 0
    assert "opened" not in (await installed.run("apply", "--yes"))[1]

    installed.host.close(1)
    code, output = await installed.run("plan")
    assert code == 0
    assert "declined: #1 closed by ann on 2026-11-22" in output
    assert (await installed.run("apply", "--yes"))[0] == 0
    assert len(installed.host.pulls) == 1


async def test_undo_closes_it(installed: Installation) -> None:
    await installed.run("apply", "--yes", "--format", "json")
    code, output = await installed.run("undo", "--yes", "--format", "json")
    assert code == 0
    assert [proposed["did"] for proposed in json.loads(output)["proposals"]] == ["closed"]


async def test_one_that_cannot_be_opened_is_a_failure_that_the_next_apply_mends(installed: Installation) -> None:
    installed.host.fault = lambda request: web.Response(status=403) if request.method == "POST" else let_in(request)
    code, output = await installed.run("apply", "--yes")
    assert code == 1
    assert "no pull request: github: POST /repos/acme/central/pulls" in output
    assert "the next apply tries again" in output
    installed.host.fault = let_in
    code, output = await installed.run("apply", "--yes")
    assert code == 0
    assert "opened https://git.example.com/acme/central/pull/1" in output


@pytest.mark.parametrize(
    ("hosting", "says"),
    [
        ("[{type: github, token: ghp_abcdef}]", "a secret is named by where it is"),
        ("[{type: gitea, token: env:T}]", "allowed: github, gitlab"),
        ("[{type: github}]", "token"),
        ("[{type: github, token: env:T}, {type: gitlab, host: GitHub.com, token: env:T}]", "github.com is named twice"),
        ("[{type: github, token: env:T, land: never}]", "allowed: propose, commit"),
    ],
)
def test_settings_that_are_wrong_are_explained(tmp_path: Path, hosting: str, says: str) -> None:
    file = tmp_path / "nthlayer-sync.yaml"
    file.write_text(
        f"organisation: Acme\nsources: [{{type: directory, path: .}}]\nlanding:\n  hosting: {hosting}\nplugins: {{}}\n"
    )
    with pytest.raises(InputError) as caught:
        load_settings(file)
    assert says in str(caught.value)
    assert "ghp_" not in str(caught.value)
    assert all(diagnosis.line == 4 for diagnosis in caught.value.diagnoses)
