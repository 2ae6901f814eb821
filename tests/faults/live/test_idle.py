"""Nothing is written while nothing changes, whatever a tool makes of what it is given."""

from pathlib import Path

import pytest

from nthlayer_sync.sandbox import Fault, Sandbox
from tests.faults.live.company import FULL, Company, services, settings_of
from tests.faults.live.invariants import Invariants

TICKS = 1000 if FULL else 40
TEXT = "  A Text,  With SPACES and Capitals  "

NORMALISED = [
    *(("/services*", "description", how) for how in ("lower", "upper", "strip", "collapse")),
    *(("/services*", "name", how) for how in ("lower", "upper", "collapse")),
    ("/services*", "alert_creation", "default"),
    ("/services*", "auto_resolve_timeout", "default"),
    *(("/escalation_policies*", "description", how) for how in ("lower", "upper", "strip", "collapse")),
    *(("/escalation_policies*", "name", how) for how in ("upper", "strip")),
    ("/escalation_policies*", "num_loops", "float"),
    ("/escalation_policies*", "escalation_rules", "reverse"),
    ("/escalation_policies*", "targets", "sort"),
    ("/teams*", "description", "upper"),
    ("/teams*", "name", "upper"),
]


@pytest.mark.timeout(600)
async def test_idle_ticks(tmp_path: Path, sandbox: Sandbox, clock: list[float]) -> None:
    """Twenty normalisations, all at once on what each is about, and one after the other."""
    assert len(NORMALISED) == 20
    ticks = 0
    for number, (path, field, how) in enumerate(NORMALISED):
        sandbox.reset()
        folder = tmp_path / str(number)
        folder.mkdir()
        company = Company(folder, {"pagerduty": settings_of(sandbox.pagerduty)})
        company.says(services(2, TEXT))
        value = 14400 if field == "auto_resolve_timeout" else "create_alerts_and_incidents"
        sandbox.pagerduty.faults.add(
            Fault(method="P*", path=path, field=field, normalise=how, value=value, times=0)  # type: ignore[arg-type]
        )
        _, results = await company.tick()
        assert all(result.made for result in results), results
        clock[0] += 60
        await company.tick()
        company.says(services(2, TEXT + " changed"))
        await company.tick()
        clock[0] += 60
        writes = sandbox.ledger.of("pagerduty").writes
        for _ in range(TICKS // len(NORMALISED)):
            clock[0] += 60
            plan, _ = await company.tick()
            assert plan.writes == 0, f"{field} {how}: {plan.counts}"
            ticks += 1
        assert sandbox.ledger.of("pagerduty").writes == writes, f"{field} {how}"
        await Invariants(company, sandbox).now()
    print(f"idle ticks against {len(NORMALISED)} normalisations: {ticks}, 0 writes")
