"""`oncall`, and the names of the next weeks in a plan."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from nthlayer_sync.sandbox import Sandbox

CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: pay, annotations: {nthlayer.dev/tier: "1"}}
spec: {type: service, lifecycle: production, owner: billing}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: billing}
spec: {type: team, children: [], members: [ada, grace]}
"""
USER = """\
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {{name: {name}}}
spec: {{profile: {{email: {name}@example.com, displayName: {name}}}, memberOf: [billing]}}
"""
SETTINGS = """\
organisation: Acme
sources: [{type: directory, path: catalog}]
landing: {central: https://git.example.com/acme/central.git}
plugins:
"""


async def run(folder: Path, *words: str, **env: str) -> tuple[int, str]:
    """Exit code and everything that was printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from nthlayer_sync.cli import main; main()", *words),
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "catalog").mkdir()
    people = "".join(USER.format(name=name) for name in ("ada", "grace"))
    (tmp_path / "catalog/catalog-info.yaml").write_text(CATALOG + people)
    (tmp_path / "nthlayer-sync.yaml").write_text(f"{SETTINGS}  openslo: {{}}\n")
    return tmp_path


async def test_the_names_of_the_next_weeks(folder: Path) -> None:
    code, out = await run(folder, "oncall", "billing", "--weeks", "4")
    assert code == 0, out
    assert "billing primary (UTC)" in out
    assert "billing secondary (UTC)" in out
    assert "ada@example.com" in out
    assert "no tool for on-call is connected" in out


async def test_a_team_that_is_not_there(folder: Path) -> None:
    code, out = await run(folder, "oncall", "billin")
    assert code == 1
    assert "group:default/billin is no team" in out
    assert "billing" in out.replace("group:default/billin ", "")


async def test_a_plan_tells_them_and_after_the_apply_they_are_the_same(folder: Path) -> None:
    async with Sandbox(["pagerduty"]) as sandbox:
        connection = f"{{url: '{sandbox.pagerduty.url}', token: 'env:PD'}}"
        (folder / "nthlayer-sync.yaml").write_text(f"{SETTINGS}  pagerduty: {connection}\n")
        env = {"PD": sandbox.pagerduty.token}
        _, plan = await run(folder, "plan", "--diff", "--format", "markdown", **env)
        assert len(_hand_offs(plan)) == 2 * 2 * 8
        code, out = await run(folder, "apply", "--yes", **env)
        assert code == 0, out
        code, out = await run(folder, "oncall", "billing", **env)
        assert code == 0, out
        assert "no tool" not in out
        assert _hand_offs(out) == _hand_offs(plan)
        code, out = await run(folder, "plan", **env)
        assert code == 0, out


def _hand_offs(text: str) -> list[str]:
    """The ends of turns, with who had them; the first row begins and the last one ends at the minute of the call."""
    return [line.partition(" to ")[2] for line in text.splitlines() if " 09:00  " in line]
