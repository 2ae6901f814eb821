"""What every test of live faults begins with."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.faults.live.company import Company, services, settings_of
from tests.faults.live.invariants import Invariants


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, which the test sets."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(["pagerduty"]) as sandbox:
        sandbox.pagerduty.token = "canary-0f343b0931126a20f133d67c2b018a3b"
        yield sandbox


@pytest.fixture
async def company(tmp_path: Path, sandbox: Sandbox, clock: list[float]) -> Company:
    """Six services and their team, settled."""
    company = Company(tmp_path, {"pagerduty": settings_of(sandbox.pagerduty)})
    company.says(services(6))
    await company.tick()
    clock[0] += 60
    plan, _ = await company.tick()
    assert plan.counts == {}, plan.counts
    return company


@pytest.fixture
def invariants(company: Company, sandbox: Sandbox) -> Invariants:
    return Invariants(company, sandbox)
