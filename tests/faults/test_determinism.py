"""The same input gives the same plan and the same bytes: in any order, in any process, at any time."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SCRIPT = """
import asyncio, json, random, sys
from pathlib import Path
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.sdk.discover import folder_plugins
from tests.faults.house import House, git, says, service

folder, seed = Path(sys.argv[1]), int(sys.argv[2])

async def main():
    plugins = [*folder_plugins()]
    chance = random.Random(seed)
    entities = [
        service(f"s{n}", tags=("b", "a"), labels={"y": "1", "x": "2"}) for n in range(12)
    ] + [Entity(ref=entity_ref("group", "team"), kind="Group", name="team", spec={"type": "team"})]
    for entity in entities[:12]:
        entity.spec["dependsOn"] = [f"component:s{n}" for n in range(3)] + ["resource:db"]
    chance.shuffle(entities)
    chance.shuffle(plugins)
    house = House(folder, plugins=tuple(plugins))
    house.build()
    house.catalog.said = says(entities)
    plan, results = await house.run()
    tree = git("rev-parse", "nthlayer-sync^{tree}", cwd=house.remote).strip()
    body = git("log", "-1", "--format=%B", "nthlayer-sync", cwd=house.remote)
    again, _ = await house.plan()
    print(json.dumps([plan.checksum, tree, body, plan.counts, len(results), again.pending]))

asyncio.run(main())
"""


def test_same_input_same_bytes(tmp_path: Path) -> None:
    seen = []
    for seed in ("0", "1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(folder), seed], capture_output=True, text=True, timeout=100, check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "TZ": f"UTC-{seed}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        seen.append(json.loads(done.stdout))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][4] > 100
    assert seen[0][5] == 0
