"""Live objects behind a REST API: what is ours, what is there, and never a second one."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.plugins.pagerduty import Plugin
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.rest import RestTarget
from nthlayer_sync.sdk.rest.mark import InTags, InText, mark_of, read_mark
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.testing import team_from
from tests.plugins.live import Trial, trial

POLICIES = "/escalation_policies"


@pytest.fixture
async def pd(shared: Path) -> AsyncIterator[Trial]:
    async with trial(shared, Plugin) as trying:
        trying.plugin.active = tuple(k for k in trying.plugin.active if k.name == "pagerduty/escalation_policy")
        teams = trying.tool.teams  # type: ignore[attr-defined]
        for name in ("payments-team", "billing"):
            teams.collection.add(teams.made({"type": "team", "name": name}))
        yield trying


def policy(pd: Trial, name: str = "payments-team") -> Config:
    email = next(user["email"] for user in pd.tool.snapshot()["users"])
    people = [{"ref": "user:default/ada", "name": "Ada", "email": email}]
    return pd.configs(team_from({"contact": {"ref": f"group:default/{name}", "name": name, "people": people}}))[0]


def other(config: Config) -> Config:
    return msgspec.structs.replace(config, spec=msgspec.structs.replace(config.spec, loops=7))


def anew(pd: Trial, instance: str = "default") -> RestTarget:
    """The same account, as another process or another installation sees it."""
    runtime = Runtime(files=None, instance=instance, web=pd.runtime.web)  # type: ignore[arg-type]
    plugin = Plugin(pd.plugin.settings, runtime)
    assert isinstance(plugin.live, RestTarget)
    return plugin.live


async def write(pd: Trial, diff: Diff) -> Result:
    return (await pd.target.write([diff], "key"))[0]


def stored(pd: Trial) -> list[dict[str, object]]:
    return list(pd.tool.collections["escalation_policies"].everything())


def ours(pd: Trial) -> list[dict[str, object]]:
    return [item for item in stored(pd) if "nthlayer-sync" in str(item["description"])]


async def test_a_list_that_is_behind_makes_no_second_object(pd: Trial) -> None:
    config = policy(pd)
    created = await pd.diff(config)
    pd.forward, pd.tool.lag = 7200, 3600
    result = await write(pd, created)
    assert result.outcome is Outcome.DONE
    assert (await pd.diff(config)).action is Action.NOTHING, "it was made a moment ago"
    assert (await write(pd, created)).outcome is Outcome.UNCHANGED

    later = anew(pd)
    assert not await later.revisions("pagerduty", [config.place.path])
    found = await later.confirm("pagerduty", {config.place.path: result.remote})
    assert found == {config.place.path: result.revision}
    assert (await later.read("pagerduty", {config.id: config.place.path}))[config.id].remote == result.remote
    assert len(ours(pd)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="POST", path=POLICIES, reset=True, commit=True),
        Fault(method="POST", path=POLICIES, status=504, commit=True),
        Fault(method="POST", path=POLICIES, status=201, body="", commit=True),
        Fault(method="POST", path=POLICIES, status=200, body={"error": {"message": "later"}}, commit=True),
        Fault(method="POST", path=POLICIES, cut=True, commit=True),
    ],
    ids=["reset", "504", "201 and nothing", "200 and an error", "cut"],
)
async def test_an_answer_that_is_lost_makes_no_second_object(pd: Trial, fault: Fault) -> None:
    config = policy(pd)
    pd.tool.faults.add(fault)
    result = await write(pd, await pd.diff(config))
    assert result.outcome is Outcome.DONE, result.reason
    assert len(ours(pd)) == 1
    assert (await pd.diff(config)).action is Action.NOTHING


async def test_what_was_perhaps_made_and_is_not_shown_is_unknown(pd: Trial) -> None:
    config = policy(pd)
    diff = await pd.diff(config)
    pd.tool.lag = 3600
    pd.tool.faults.add(Fault(method="POST", path=POLICIES, reset=True, commit=True))
    assert (await write(pd, diff)).outcome is Outcome.UNKNOWN


async def test_a_request_that_never_arrived_is_made_by_the_next_run(pd: Trial) -> None:
    config = policy(pd)
    pd.tool.faults.add(Fault(method="POST", path=POLICIES, reset=True))
    assert (await write(pd, await pd.diff(config))).outcome is Outcome.UNKNOWN
    await pd.apply(config)
    assert len(ours(pd)) == 1


async def test_another_installation_keeps_its_objects(pd: Trial) -> None:
    config = policy(pd)
    await pd.apply(config)
    staging = anew(pd, "staging")
    observed = (await staging.read("pagerduty", {config.id: config.place.path}))[config.id]
    assert not observed.marked
    for diff in (
        Diff(config.id, Action.CREATE, config, None, after="{}"),
        Diff(config.id, Action.UPDATE, other(config), observed, after="{}"),
        Diff(config.id, Action.DELETE, None, observed),
    ):
        result = (await staging.write([diff], "key"))[0]
        assert result.outcome is Outcome.FAILED
        assert "belongs to the installation 'default'" in result.reason
    assert len(ours(pd)) == 1


async def test_two_objects_with_one_mark_are_for_a_person(pd: Trial) -> None:
    config = policy(pd)
    await pd.apply(config)
    [made] = ours(pd)
    collection = pd.tool.collections["escalation_policies"]
    collection.add({**made, "name": "a copy", "id": "PCOPY00"})
    observed = await pd.observed(config)
    assert observed is not None
    assert "several objects bear our mark" in observed.trouble
    assert "PCOPY00" in observed.trouble


async def test_a_change_since_the_plan_is_not_written_over(pd: Trial) -> None:
    config = policy(pd)
    await pd.apply(config)
    diff = await pd.diff(other(config))
    ours(pd)[0]["num_loops"] = 5
    result = await write(pd, diff)
    assert result.outcome is Outcome.FAILED
    assert result.temporary
    assert "changed since the plan" in result.reason
    assert ours(pd)[0]["num_loops"] == 5


async def test_an_object_that_people_renamed_is_still_ours(pd: Trial) -> None:
    config = policy(pd)
    await pd.apply(config)
    ours(pd)[0]["name"] = "Payments, by hand"
    diff = await pd.diff(config)
    assert diff.action is Action.UPDATE
    assert "Payments, by hand" in (diff.before or "")
    await write(pd, diff)
    assert [item["name"] for item in ours(pd)] == ["payments-team"]


async def test_a_config_that_is_called_otherwise_renames_its_object(pd: Trial) -> None:
    config, renamed = policy(pd), policy(pd, "billing")
    made = await pd.apply(config)
    observed = await pd.observed(config)
    assert observed is not None
    after = pd.plugin.kind(renamed.id.kind).content(renamed.spec)
    result = await write(pd, Diff(renamed.id, Action.UPDATE, renamed, None, after=after, was=config.place))
    assert result.outcome is Outcome.DONE, result.reason
    assert result.remote == made.remote
    assert [item["name"] for item in ours(pd)] == ["billing"]
    assert (await pd.diff(renamed)).action is Action.NOTHING


async def test_what_the_system_drops_is_said_once_and_then_stands(pd: Trial) -> None:
    config = policy(pd)
    pd.tool.faults.add(Fault(method="POST", path=POLICIES, field="num_loops", drop=True, times=0))
    result = await pd.apply(config)
    assert result.content is not None
    assert result.content != (await pd.diff(config)).after
    await pd.target.moved("pagerduty", "")
    assert (await pd.target.revisions("pagerduty", None))[config.place.path] == result.revision


async def test_a_list_that_goes_in_circles_or_breaks_off_shows_nothing(pd: Trial) -> None:
    config = policy(pd)
    await pd.apply(config)
    page = {"escalation_policies": [], "more": True, "offset": 0, "limit": 100, "total": None}
    pd.tool.faults.add(Fault(method="GET", path=POLICIES, status=200, body=page, times=0))
    await pd.target.moved("pagerduty", "")
    with pytest.raises(TemporaryError, match="circles"):
        await pd.target.revisions("pagerduty", None)
    pd.tool.faults.clear()
    pd.tool.faults.add(Fault(method="GET", path=POLICIES, status=200, body="<html>Log in</html>", times=0))
    with pytest.raises(Exception, match="JSON"):
        await pd.target.revisions("pagerduty", None)


def test_marks_survive_what_people_write_around_them() -> None:
    mark = mark_of("default", "payments primary")
    assert read_mark(mark) == ("default", "payments primary")
    text, tags = {"description": "For people."}, {"tags": ["tier:1"]}
    InText().put(text, mark)
    InTags().put(tags, mark)
    assert InText().take(text) == mark
    assert InTags().take(tags) == mark
    assert text == {"description": "For people."}
    assert tags == {"tags": ["tier:1"]}
    assert InText().take({"description": "written behind\n\n[nthlayer-sync:default:x] by hand"}) == ""
    assert InText().take({"description": None}) == ""
