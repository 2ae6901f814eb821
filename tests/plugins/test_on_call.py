"""What an apply does to who is on call: nothing, until the next hand-off; judged by the stand-ins of both vendors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.service import Team
from tests.plugins.live import Trial
from tests.plugins.on_call import CHANGES, Clock, crew
from tests.plugins.opsgenie.duties import duties as opsgenie
from tests.plugins.pagerduty.duties import duties as pagerduty

CREWS = (
    ("ada", "grace"),
    ("ada", "grace", "ken"),
    ("grace", "ken"),
    ("edsger", "grace", "ken", "margaret"),
    ("edsger", "margaret"),
    ("ada", "edsger", "karen", "margaret"),
)
MOMENTS = tuple(datetime(2026, 10, 23, 6, 30, tzinfo=UTC) + timedelta(hours=31 * n, minutes=17 * n) for n in range(6))
BOTH = ("primary", "secondary")


class Duties(Protocol):
    """A trial, its clock, and who the stand-in says is on call. `which` is the primary or the secondary schedule."""

    trial: Trial
    clock: Clock

    def configs(self, team: Team) -> list[Config]:
        """The schedules, and what they need."""
        ...

    def on_call(self, which: str) -> set[str]:
        """The addresses of all whom the vendor would call now."""
        ...

    def gaps(self, which: str, start: datetime, days: int) -> list[str]:
        """When nobody is on call."""
        ...

    def overrides(self, which: str) -> set[str]:
        """What the vendor calls each override."""
        ...

    def arrange(self, which: str, email: str, start: str, end: str) -> str:
        """An override by hand; gives what the vendor calls it."""
        ...


@pytest.fixture(params=[opsgenie, pagerduty], ids=["opsgenie", "pagerduty"])
async def on_duty(request: pytest.FixtureRequest, shared: Path) -> AsyncIterator[Duties]:
    async with request.param(shared, Clock()) as found:
        yield found


async def rota(duties: Duties, *names: str, timezone: str = "Europe/Berlin") -> None:
    await duties.trial.bring_about(duties.configs(crew(*names, timezone=timezone)))


def called(duties: Duties) -> list[set[str]]:
    return [duties.on_call(which) for which in BOTH]


def overrides(duties: Duties) -> set[str]:
    return {each for which in BOTH for each in duties.overrides(which)}


def schedules(configs: Iterable[Config]) -> list[Config]:
    return [config for config in configs if config.id.kind.endswith("/schedule")]


@pytest.mark.parametrize("timezone", ["Europe/Berlin", "America/New_York"])
async def test_members_come_and_go_and_nobodys_evening_changes(on_duty: Duties, timezone: str) -> None:
    on_duty.clock.now = MOMENTS[0]
    await rota(on_duty, *CREWS[0], timezone=timezone)
    for moment, names in zip(MOMENTS, (*CREWS[1:], CREWS[0]), strict=True):
        on_duty.clock.now = moment
        before, held = called(on_duty), overrides(on_duty)
        assert all(before)
        assert before[0] != before[1]
        await rota(on_duty, *names, timezone=timezone)
        assert called(on_duty) == before
        assert held <= overrides(on_duty)
        for which in BOTH:
            assert on_duty.gaps(which, moment, 60) == []


@pytest.mark.parametrize(("timezone", "day"), CHANGES)
async def test_no_gap_when_clocks_change(on_duty: Duties, timezone: str, day: datetime) -> None:
    on_duty.clock.now = start = day - timedelta(days=3, hours=7)
    await rota(on_duty, "ada", "grace", "ken", timezone=timezone)
    for hours, names in ((50, ("ada", "grace")), (72, ("ada", "grace", "ken")), (100, ("grace", "ken"))):
        on_duty.clock.now = start + timedelta(hours=hours)
        before = called(on_duty)
        await rota(on_duty, *names, timezone=timezone)
        assert called(on_duty) == before
        for which in BOTH:
            assert on_duty.gaps(which, on_duty.clock.now, 28) == []


async def test_time_alone_changes_nothing(on_duty: Duties) -> None:
    configs = on_duty.configs(crew("ada", "grace", "ken"))
    await on_duty.trial.bring_about(configs)
    start = on_duty.clock.now
    revisions: set[str] = set()
    for days in (1, 6, 8, 40, 130, 400):
        on_duty.clock.now = start + timedelta(days=days)
        for config in configs:
            assert (await on_duty.trial.diff(config)).action is Action.NOTHING
            observed = await on_duty.trial.observed(config)
            assert observed is not None
            revisions.add(observed.revision)
    assert len(revisions) == len(configs)


async def test_holidays_are_covered_and_what_people_arranged_stays(on_duty: Duties) -> None:
    await rota(on_duty, "ada", "grace", "ken")
    arranged = on_duty.arrange(
        "primary", "margaret@example.com", "2026-12-25T00:00:00+01:00", "2026-12-25T12:00:00+01:00"
    )
    configs = on_duty.configs(crew("ada", "grace", "ken", holidays={"ada": "DE-BE", "grace": "DE-BE", "ken": "IN"}))
    await on_duty.trial.bring_about(configs)
    assert {arranged} < on_duty.overrides("primary")
    for hours in range(0, 24 * 30, 5):
        on_duty.clock.now = datetime(2026, 12, 20, tzinfo=UTC) + timedelta(hours=hours)
        assert all(called(on_duty))
    on_duty.clock.now = datetime(2026, 12, 25, 9, tzinfo=UTC)
    assert on_duty.on_call("primary") == {"margaret@example.com"}
    on_duty.clock.now = datetime(2026, 12, 26, 14, tzinfo=UTC)
    assert "ken@example.com" in set.union(*called(on_duty))

    contents = {config.id: (await on_duty.trial.diff(config)).after for config in configs}

    # A quarter later the covers of the next one are still to be added, and only those.
    on_duty.clock.now = datetime(2027, 1, 4, 12, tzinfo=UTC)
    held = overrides(on_duty)
    due = [config for config in configs if (await on_duty.trial.diff(config)).action is Action.UPDATE]
    assert due == schedules(configs)
    for config in due:
        observed = await on_duty.trial.observed(config)
        assert observed is not None
        assert observed.renewed == contents[config.id]  # nobody has edited it: it has run out
    await on_duty.trial.bring_about(configs)
    assert held < overrides(on_duty)
