"""A secret for each tool, every command, tools that fail and repeat what they are sent, logs at DEBUG: none shows."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from nthlayer_sync.sandbox import Fault, Sandbox
from tests.engine.conftest import git
from tests.faults.live.company import FULL, SECRETS
from tests.faults.live.tools import BESIDE, live_plugins

ROOT = Path(__file__).parents[3]
TOOLS = tuple(live_plugins()) if FULL else ("confluence", "datadog", "opsgenie", "pagerduty")
"""One for each way to fail."""
CANARY = "canary0f343b09{number:02}31126a20f133d67c2b018a3b"

SCRIPT = """
import asyncio, logging, shlex, sys
from nthlayer_sync.sdk.http.manners import SystemClock
from nthlayer_sync.sdk.http.pace import Pace
async def at_once(self):
    return 0.0
Pace.turn = at_once
SystemClock.sleep = lambda self, seconds: asyncio.sleep(seconds / 50)
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
from nthlayer_sync.cli import commands, tune
from nthlayer_sync.errors import Failure
for line in sys.stdin.read().splitlines():
    print("$", line, flush=True)
    try:
        commands.app(shlex.split(line), standalone_mode=False)
    except BaseException as error:
        logging.exception("ended with %s", error)
"""

FIRST = (
    "plan --out plan.json --diff --all",
    "apply plan.json",
    "plan --format json",
    "drift --diff",
    "import",
    "import --all --yes",
)
FAILING = (
    "plan --diff --all",
    "apply --yes",
    "drift --format json",
    "import",
    "undo --yes",
    "apply --yes --format json",
)

CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {name}
  description: {text}
  annotations: {{nthlayer.dev/tier: "1"}}
spec: {{type: service, lifecycle: production, owner: team}}
"""
STAFF = """\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ada}
spec: {profile: {email: ada@example.com}, memberOf: [team]}
"""


def lay_out(folder: Path, sandbox: Sandbox) -> dict[str, str]:
    """Settings of every tool, a catalog and a central repository; gives the secrets by variable."""
    git("init", "-q", "--bare", "-b", "main", "central.git", cwd=folder)
    secrets: dict[str, str] = {}
    plugins: dict[str, Any] = {"techdocs": {}, "prometheus": {}}
    for name in TOOLS:
        tool = sandbox.tools[name]
        tool.token = CANARY.format(number=len(secrets))
        reach: dict[str, Any] = tool.settings() | BESIDE.get(name, {})
        for field in SECRETS & reach.keys():
            if reach[field] != tool.token:
                continue
            variable = f"CANARY_{name}_{field}".upper()
            secrets[variable], reach[field] = reach[field], f"env:{variable}"
        for field in SECRETS & reach.keys():
            if not reach[field].startswith("env:"):
                variable = f"CANARY_{name}_{field}".upper()
                secrets[variable], reach[field] = reach[field], f"env:{variable}"
        plugins[name] = reach
    settings = {
        "organisation": "acme",
        "sources": [{"type": "directory", "name": "catalog", "path": "catalog"}],
        "landing": {"central": "central.git"},
        "plugins": plugins,
        "defaults": {"documentation": {"wiki": True}, "communication": {"channels": ["team"], "user_group": True}},
    }
    (folder / "nthlayer-sync.yaml").write_bytes(msgspec.json.encode(settings))
    (folder / "catalog").mkdir()
    (folder / "catalog" / "staff.catalog-info.yaml").write_text(STAFF)
    return secrets


def say(folder: Path, text: str) -> None:
    for number in range(3):
        (folder / "catalog" / f"s{number}").mkdir(exist_ok=True)
        file = folder / "catalog" / f"s{number}" / "catalog-info.yaml"
        file.write_text(CATALOG.format(name=f"s{number}", text=text) + ("---\n" + STAFF if number == 0 else ""))


async def run(folder: Path, secrets: dict[str, str], commands: tuple[str, ...]) -> bytes:
    """What all of them print."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | secrets | {"PYTHONPATH": str(ROOT), "PYTHONASYNCIODEBUG": "1"},
    )  # fmt: skip
    printed, _ = await process.communicate("\n".join(commands).encode())
    return printed


def written(folder: Path) -> dict[str, bytes]:
    """Every file, and all that is packed into repositories."""
    found = {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    for repository in (folder / "central.git", *(folder / ".nthlayer" / "cache").rglob("*.git")):
        found[f"{repository} history"] = git("log", "-p", "--all", cwd=repository).encode()
    return found


@pytest.mark.timeout(300)
async def test_no_secret_in_any_sink(tmp_path: Path) -> None:
    async with Sandbox(TOOLS) as sandbox:
        secrets = lay_out(tmp_path, sandbox)
        say(tmp_path, "hello")
        printed = await run(tmp_path, secrets, FIRST)
        assert sandbox.ledger.committed("pagerduty", "services"), printed[-4000:].decode()

        say(tmp_path, "new")
        for number, tool in enumerate(sandbox.tools.values()):
            echo = {"error": {"message": f"no such token: {tool.token}; Authorization: Bearer {tool.token}"}}
            tool.faults.add(
                (
                    Fault(status=401, body=echo, times=0),
                    Fault(method="P*", status=400, body=echo, times=0),
                    Fault(method="P*", status=500, body=f"<html>{tool.token}</html>", times=0),
                    Fault(method="P*", reset=True, times=0),
                )[number % 4]
            )
        printed += await run(tmp_path, secrets, FAILING)
        async with aiohttp.ClientSession() as session:
            pages = ["ledger", *(f"{name}/objects" for name in sandbox.tools)]
            answers = [await (await session.get(f"{sandbox.admin.url}/{page}")).read() for page in pages]
    sinks = {"printed": printed, "admin": b"".join(answers), "ledger": repr(sandbox.ledger.entries).encode()}
    sinks |= written(tmp_path)
    hits = [
        (variable, sink)
        for variable, secret in secrets.items()
        for sink, text in sinks.items()
        if secret.encode() in text
    ]
    size = sum(map(len, sinks.values()))
    print(f"secrets: {len(secrets)} canaries, {len(sinks)} sinks, {size:,} bytes, {len(hits)} hits")
    for command in (*FIRST, *FAILING):
        assert f"$ {command}".encode() in printed
    assert b"DEBUG" in printed
    assert hits == []
