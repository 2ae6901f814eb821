"""Slack's kinds against its stand-in."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Team
from nthlayer_sync.plugins import slack
from nthlayer_sync.plugins.slack.channel import LONGEST_PURPOSE, LONGEST_TOPIC, channel_name
from nthlayer_sync.plugins.slack.methods import checked, plain
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.http import Answer, Manners, Refused, Unsure
from nthlayer_sync.sdk.testing import HOSTILE, team_from
from tests.plugins.live import Trial, trial

ASKS = {"communication": {"channels": ["team", "incidents"], "user_group": True}}


class Hasty(slack.Plugin):
    """The plugin without Slack's limits, which would make tests wait."""

    manners = Manners(rate=math.inf)


@asynccontextmanager
async def connected(shared: Path) -> AsyncIterator[Trial]:
    async with trial(shared, Hasty, {"backstage": "https://backstage.example.com/"}) as tried:
        yield tried


def team_of(title: str = "Payments & <Co>", **contact: Any) -> Team:
    people = [
        {"ref": f"user:default/{each}", "name": each, "email": f"{each}@example.com"} for each in ("grace", "ada")
    ]
    given = {"ref": "group:default/payments-team", "name": "payments-team", "title": title, "people": people}
    services = [{"ref": "component:default/ledger", "name": "ledger", "kind": "component"}]
    words = {"contact": given | {"channel": "#payments-talk"} | contact, "services": services}
    return team_from(words | {"blueprint": ASKS})


def test_nobody_gets_a_channel_who_does_not_ask() -> None:
    assert list(slack.Plugin(slack.SlackSettings()).generate_configs(team_from({}))) == []


async def test_a_life(shared: Path) -> None:
    async with connected(shared) as tried:
        configs = tried.configs(team_of())
        paths = ["channels/payments-talk", "channels/payments-talk-incidents", "usergroups/payments-team"]
        assert [config.place.path for config in configs] == paths
        await tried.bring_about(configs)
        channel = tried.tool.collections["conversations"].find("name", "payments-talk")
        assert channel
        assert "https://backstage.example.com/catalog/default/group/payments-team" in channel["topic"]["value"]
        assert "[nthlayer-sync:default:payments-talk]" in channel["purpose"]["value"]
        assert len(tried.tool.collections["usergroups"].listed()[0]["users"]) == 2

        spec = msgspec.structs.replace(configs[0].spec, topic="another", purpose="Questions to nobody")
        renamed = msgspec.structs.replace(configs[2].spec, name="Payers", members=("ada@example.com",))
        changed = [msgspec.structs.replace(configs[0], spec=spec), msgspec.structs.replace(configs[2], spec=renamed)]
        await tried.bring_about(changed)
        await tried.take_away(configs)
        assert channel["id"] in {item["id"] for item in tried.tool.collections["conversations"].everything()}


async def test_what_was_archived_or_disabled_is_taken_back(shared: Path) -> None:
    async with connected(shared) as tried:
        configs = tried.configs(team_of())
        await tried.bring_about(configs)
        before = {c.id: await tried.observed(c) for c in configs}
        await tried.take_away(configs)
        await tried.bring_about(configs)
        after = {c.id: await tried.observed(c) for c in configs}
        assert {id: seen.remote for id, seen in after.items() if seen} == {
            id: seen.remote for id, seen in before.items() if seen
        }


@pytest.mark.parametrize("lost", ["conversations.create", "conversations.setPurpose", "conversations.setTopic"])
async def test_an_answer_that_is_lost_makes_no_second_channel(shared: Path, lost: str) -> None:
    async with connected(shared) as tried:
        config = tried.configs(team_of())[0]
        tried.tool.faults.add(Fault(method="POST", path=f"*/{lost}", reset=True, commit=True))
        await tried.apply(config, allowed=(Outcome.DONE, Outcome.UNKNOWN))
        await tried.bring_about([config])
        names = [item["name"] for item in tried.tool.collections["conversations"].everything()]
        assert names.count("payments-talk") == 1


async def test_a_channel_that_was_made_and_never_described_is_finished(shared: Path) -> None:
    async with connected(shared) as tried:
        config = tried.configs(team_of())[0]
        tried.tool.faults.add(Fault(method="POST", path="*/conversations.setPurpose", status=400, body={"ok": False}))
        await tried.apply(config, allowed=(Outcome.FAILED, Outcome.UNKNOWN))
        assert (await tried.diff(config)).action is Action.CREATE
        await tried.bring_about([config])


async def test_a_group_whose_answer_is_lost_is_not_made_twice(shared: Path) -> None:
    async with connected(shared) as tried:
        config = tried.configs(team_of())[2]
        tried.tool.faults.add(Fault(method="POST", path="*/usergroups.create", reset=True, commit=True))
        await tried.apply(config)
        assert len(tried.tool.collections["usergroups"]) == 1


async def test_what_people_made_or_changed_is_seen_and_theirs_is_left_alone(shared: Path) -> None:
    async with connected(shared) as tried:
        ours, theirs = tried.configs(team_of())[0], tried.configs(team_of(channel="#payments"))[0]
        await tried.bring_about([ours])
        assert (await tried.diff(theirs)).action is Action.REFUSE
        result = (await tried.target.write([msgspec.structs.replace(await tried.diff(theirs), actual=None)], "k"))[0]
        assert (result.outcome, "does not bear our mark" in result.reason) == (Outcome.FAILED, True)

        before = await tried.observed(ours)
        channel = tried.tool.collections["conversations"].find("name", "payments-talk")
        assert before
        assert channel
        channel["topic"] = channel["topic"] | {"value": "see <https://example.com|our page> &amp; more"}
        after = await tried.observed(ours)
        assert after
        assert (after.marked, after.revision != before.revision) == (True, True)
        assert msgspec.json.decode(after.content or "")["topic"] == "see https://example.com & more"


async def test_a_member_without_an_account_is_named(shared: Path) -> None:
    async with connected(shared) as tried:
        people = [{"ref": "user:default/x", "name": "X", "email": "x@example.com"}]
        config = tried.configs(team_of(people=people))[2]
        result = await tried.apply(config, allowed=(Outcome.FAILED,))
        assert "'x@example.com' among its users" in result.reason


async def test_hostile_texts_come_back_as_they_were_sent(shared: Path) -> None:
    async with connected(shared) as tried:
        seen: set[str] = set()
        for number, value in enumerate(HOSTILE[::3]):
            team = team_of(title=value, channel=f"#hostile-{number}", name=f"team-{number}", email=value)
            for config in tried.configs(team)[:2]:
                seen.add(config.id.name)
                assert len(config.spec.purpose) <= LONGEST_PURPOSE
                assert len(config.spec.topic) <= LONGEST_TOPIC
                await tried.apply(config)
                assert (await tried.diff(config)).action is Action.NOTHING, value
        assert seen == {"team", "incidents"}


@pytest.mark.parametrize("value", HOSTILE)
def test_every_text_gives_a_name_that_slack_takes(value: str) -> None:
    name = channel_name(value)
    assert 0 < len(name) <= 80
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


def test_what_slack_refuses_with_200_is_a_refusal() -> None:
    def answer(error: str) -> Answer:
        return Answer(200, {}, msgspec.json.encode({"ok": False, "error": error}))

    for error, kind in (("ratelimited", TemporaryError), ("fatal_error", Unsure), ("invalid_auth", Refused)):
        with pytest.raises(kind, match=error):
            checked("conversations.create", answer(error))


def test_texts_are_read_as_they_were_written() -> None:
    assert plain("ask <mailto:a@b.example|a@b.example> &lt;or&gt; <https://x.example>") == (
        "ask a@b.example <or> https://x.example"
    )
