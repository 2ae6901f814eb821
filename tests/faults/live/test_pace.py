"""A tool that bears little is asked gently, and one that is down holds up no other."""

import time
from pathlib import Path

from nthlayer_sync.plugins.pagerduty import Plugin as PagerDuty
from nthlayer_sync.sandbox import Sandbox
from nthlayer_sync.sdk.http import Manners
from tests.faults.live.company import FULL, PAGERDUTY, Company, at_pace, services, settings_of
from tests.faults.live.invariants import Invariants

RATE = 10.0
OPERATIONS = 1000 if FULL else 150


async def test_a_limit_is_kept(tmp_path: Path, sandbox: Sandbox) -> None:
    """Eight at a time under a limit of ten a second: at most one in a hundred is told to wait."""
    tool = sandbox.pagerduty
    manners = Manners(rate=RATE, burst=2, at_once=8)
    company = Company(tmp_path, {"pagerduty": settings_of(tool)}, plugins=(at_pace(PagerDuty, manners),))
    tool.rate = RATE
    company.says(services(OPERATIONS))
    start = time.perf_counter()
    _, results = await company.tick()
    seconds = time.perf_counter() - start
    assert all(result.made for result in results)
    traffic = sandbox.ledger.of("pagerduty")
    asked = traffic.reads + traffic.writes
    print(
        f"under a limit of {RATE:g} a second: {asked} requests in {seconds:.1f} s, {traffic.limited} answered with 429"
    )
    assert traffic.limited <= asked / 100
    assert seconds <= 1.25 * (asked - RATE) / RATE + 1
    tool.rate = 0
    company.plugins = (PAGERDUTY,)
    await Invariants(company, sandbox).now()
