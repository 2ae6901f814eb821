"""Hostile values through every live kind: what was made is read back as it was meant, or refused with a reason."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest

from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.sandbox import Sandbox
from nthlayer_sync.sdk.testing import HOSTILE
from tests.faults.live.company import FULL, Company, settings_of
from tests.faults.live.invariants import Invariants, objects
from tests.faults.live.tools import ASKS, BESIDE, live_plugins
from tests.faults.test_hostile import PLACES, hostile

VALUES = list(dict.fromkeys([*HOSTILE, *(f"{a}{b}" for a in HOSTILE[:60] for b in ("x", " ", "\n", '"', "{{"))]))[:300]
QUICK = 60
WHOLE = {"title", "group"}
"""Places at which the full run puts every value: what most kinds show of a service, and of its team."""
CHUNK = 30
"""Values in one organisation at a time."""


def people(value: str, number: int) -> list[Entity]:
    """A team with a person whose names are hostile, and a service of theirs."""
    spec = {"profile": {"email": "ada@example.com", "displayName": value}, "memberOf": [f"g{number}"]}
    service, group = hostile("group", number, value)
    person = Entity(ref=entity_ref("user", f"p{number}"), kind="User", name=f"p{number}", title=value, spec=spec)
    return [service, group, person]


def catalogue(place: str, values: Sequence[str]) -> list[Entity]:
    if place == "group":
        return [entity for number, value in enumerate(values) for entity in people(value, number)]
    return [entity for number, value in enumerate(values) for entity in hostile(place, number, value)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("plugin", live_plugins())
async def test_hostile_values(tmp_path: Path, clock: list[float], plugin: str) -> None:
    """Three times: made, then nothing to do but what was refused, and no object that nobody asked for."""
    made: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    sample = QUICK // len(PLACES)
    async with Sandbox([plugin]) as sandbox:
        for at, place in enumerate(PLACES):
            values = VALUES if FULL and place in WHOLE else [*islice(VALUES, at, None, len(VALUES) // sample)][:sample]
            for begin in range(0, len(values), CHUNK):
                sandbox.reset()
                folder = tmp_path / f"{place} {begin}"
                folder.mkdir()
                reach = settings_of(getattr(sandbox, plugin)) | BESIDE.get(plugin, {})
                company = Company(folder, {plugin: reach}, plugins=(live_plugins()[plugin],), tiers=ASKS)
                company.says(catalogue(place, values[begin : begin + CHUNK]))
                invariants = Invariants(company, sandbox)
                before = len(objects(sandbox))
                _, results = await company.tick()
                for result in results:
                    assert not result.reason.startswith("bug"), result
                    (made if result.made else refused)[result.id.kind] += 1
                clock[0] += 3600
                at_rest = len(objects(sandbox))
                plan, again = await company.tick()
                assert not any(result.made and result.outcome == "done" for result in again), [*plan.counts.items()]
                assert len(objects(sandbox)) == at_rest
                assert at_rest >= before
                invariants.no_secret()
    print(f"hostile values, {plugin}: made {dict(made)}, refused {dict(refused)}")
