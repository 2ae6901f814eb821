"""What an apply does to who is on call: nothing, until the next hand-off; judged by Opsgenie's stand-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nthlayer_sync.model.diff import Action
from tests.plugins.on_call import CHANGES, crew
from tests.plugins.opsgenie.conftest import Duties

CREWS = (
    ("ada", "grace"),
    ("ada", "grace", "ken"),
    ("grace", "ken"),
    ("edsger", "grace", "ken", "margaret"),
    ("edsger", "margaret"),
    ("ada", "edsger", "karen", "margaret"),
)
MOMENTS = tuple(datetime(2026, 10, 23, 6, 30, tzinfo=UTC) + timedelta(hours=31 * n, minutes=17 * n) for n in range(6))


async def rota(duties: Duties, *names: str, timezone: str = "Europe/Berlin") -> None:
    team = crew(*names, timezone=timezone)
    await duties.trial.bring_about(
        [c for c in duties.trial.configs(team) if c.id.kind in ("opsgenie/team", "opsgenie/schedule")]
    )


@pytest.mark.parametrize("timezone", ["Europe/Berlin", "America/New_York"])
async def test_members_come_and_go_and_nobodys_evening_changes(on_duty: Duties, timezone: str) -> None:
    on_duty.clock.now = MOMENTS[0]
    await rota(on_duty, *CREWS[0], timezone=timezone)
    for moment, names in zip(MOMENTS, (*CREWS[1:], CREWS[0]), strict=True):
        on_duty.clock.now = moment
        before = [on_duty.on_call(which) for which in ("primary", "secondary")]
        assert all(before)
        assert before[0] != before[1]
        overrides = [each["alias"] for which in ("primary", "secondary") for each in on_duty.overrides(which)]
        await rota(on_duty, *names, timezone=timezone)
        assert [on_duty.on_call(which) for which in ("primary", "secondary")] == before
        after = [each["alias"] for which in ("primary", "secondary") for each in on_duty.overrides(which)]
        assert set(overrides) <= set(after)
        assert on_duty.gaps("primary", moment, 60) == []
        assert on_duty.gaps("secondary", moment, 60) == []


@pytest.mark.parametrize(("timezone", "day"), CHANGES)
async def test_no_gap_when_clocks_change(on_duty: Duties, timezone: str, day: datetime) -> None:
    on_duty.clock.now = day - timedelta(days=3, hours=7)
    await rota(on_duty, "ada", "grace", "ken", timezone=timezone)
    for hours, names in ((50, ("ada", "grace")), (72, ("ada", "grace", "ken")), (100, ("grace", "ken"))):
        on_duty.clock.now = day - timedelta(days=3, hours=7) + timedelta(hours=hours)
        before = [on_duty.on_call(which) for which in ("primary", "secondary")]
        await rota(on_duty, *names, timezone=timezone)
        assert [on_duty.on_call(which) for which in ("primary", "secondary")] == before
        for which in ("primary", "secondary"):
            assert on_duty.gaps(which, on_duty.clock.now, 28) == []


async def test_time_alone_changes_nothing(on_duty: Duties) -> None:
    team = crew("ada", "grace", "ken")
    configs = [c for c in on_duty.trial.configs(team) if c.id.kind in ("opsgenie/team", "opsgenie/schedule")]
    await on_duty.trial.bring_about(configs)
    start = on_duty.clock.now
    revisions = set()
    for days in (1, 6, 8, 40, 130, 400):
        on_duty.clock.now = start + timedelta(days=days)
        for config in configs:
            assert (await on_duty.trial.diff(config)).action is Action.NOTHING
            observed = await on_duty.trial.observed(config)
            assert observed is not None
            revisions.add(observed.revision)
    assert len(revisions) == 3


async def test_holidays_are_covered_and_what_people_arranged_stays(on_duty: Duties) -> None:
    await rota(on_duty, "ada", "grace", "ken")
    users = on_duty.trial.tool.collections["users"]
    margaret = next(
        {"type": "user", "id": user["id"], "username": user["username"]}
        for user in users.everything()
        if user["username"] == "margaret@example.com"
    )
    arranged = {
        "alias": "by-hand",
        "startDate": "2026-12-25T00:00:00+01:00",
        "endDate": "2026-12-25T12:00:00+01:00",
        "user": margaret,
    }
    on_duty.trial.tool.collections["overrides"].add(arranged, on_duty.schedule("primary")["id"])

    team = crew("ada", "grace", "ken", holidays={"ada": "DE-BE", "grace": "DE-BE", "ken": "IN"})
    configs = [c for c in on_duty.trial.configs(team) if c.id.kind in ("opsgenie/team", "opsgenie/schedule")]
    await on_duty.trial.bring_about(configs)
    assert arranged in on_duty.overrides("primary")
    assert len(on_duty.overrides("primary")) > 1
    for hours in range(0, 24 * 30, 5):
        on_duty.clock.now = datetime(2026, 12, 20, tzinfo=UTC) + timedelta(hours=hours)
        assert on_duty.on_call("primary")
        assert on_duty.on_call("secondary")
    on_duty.clock.now = datetime(2026, 12, 25, 9, tzinfo=UTC)
    assert on_duty.on_call("primary") == ["margaret@example.com"]
    on_duty.clock.now = datetime(2026, 12, 26, 14, tzinfo=UTC)
    assert "ken@example.com" in on_duty.on_call("primary") + on_duty.on_call("secondary")

    contents = {config.id: (await on_duty.trial.diff(config)).after for config in configs}

    # A quarter later the covers of the next one are still to be added, and only those.
    on_duty.clock.now = datetime(2027, 1, 4, 12, tzinfo=UTC)
    held = {each["alias"] for which in ("primary", "secondary") for each in on_duty.overrides(which)}
    assert [(await on_duty.trial.diff(config)).action for config in configs] == [
        Action.NOTHING,
        Action.UPDATE,
        Action.UPDATE,
    ]
    for config in configs[1:]:
        observed = await on_duty.trial.observed(config)
        assert observed is not None
        assert observed.renewed == contents[config.id]  # nobody has edited it: it has run out
    await on_duty.trial.bring_about(configs)
    assert held < {each["alias"] for which in ("primary", "secondary") for each in on_duty.overrides(which)}
