"""Confluence's kind against its stand-in."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from pydantic import ValidationError

from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.result import Outcome
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins import confluence
from nthlayer_sync.plugins.confluence.storage import block, cell, read, write
from nthlayer_sync.sandbox import Fault
from nthlayer_sync.sdk.testing import HOSTILE, hostile_services, service_from
from tests.plugins.live import Trial, trial

SPACE = "OPE"
WIKI = {"documentation": {"wiki": True}}


@asynccontextmanager
async def connected(shared: Path) -> AsyncIterator[Trial]:
    async with trial(shared, confluence.Plugin, {"space": SPACE}) as tried:
        yield tried


def service_of(**words: Any) -> Service:
    return service_from({"blueprint": WIKI, "description": "Takes <money> & gives it back", **words})


def page_of(tried: Trial) -> dict[str, Any]:
    return next(page for page in tried.tool.collections["pages"].everything() if page["title"] == "payments overview")


def test_nobody_gets_a_page_who_does_not_ask() -> None:
    assert not list(confluence.Plugin(confluence.ConfluenceSettings()).generate_configs(service_from({})))


def test_a_token_needs_a_space() -> None:
    with pytest.raises(ValidationError, match="where the pages go"):
        confluence.ConfluenceSettings(token="env:TOKEN", url="https://example.atlassian.net", user="a@example.com")


async def test_a_life(shared: Path) -> None:
    async with connected(shared) as tried:
        [config] = configs = tried.configs(service_of())
        assert config.place.path == "pages/payments overview"
        await tried.bring_about(configs)
        page = page_of(tried)
        assert page["version"]["number"] == 1
        assert page["body"]["value"].endswith("<p>[nthlayer-sync:default:payments+overview]</p>")
        [changed] = tried.configs(service_of(description="Something else"))
        await tried.bring_about([changed])
        assert page_of(tried)["version"]["number"] == 2
        await tried.take_away([changed])


async def test_what_confluence_adds_is_no_change_and_what_people_change_is(shared: Path) -> None:
    async with connected(shared) as tried:
        [config] = tried.configs(service_of())
        await tried.apply(config)
        page = page_of(tried)
        stored = page["body"]["value"]
        for ours, theirs in (
            (
                "<table>",
                '<table data-layout="default" ac:local-id="1"><colgroup><col style="width: 9px;" /></colgroup>',
            ),
            ("<h2>", '<h2 local-id="2">'),
            ("<td>", "<td>\n<p>"),
            ("</td>", "</p></td>"),
            ("<p>[nthlayer", '<p local-id="3">[nthlayer'),
            ("&amp;", "&#38;"),
        ):
            assert ours in stored
            stored = stored.replace(ours, theirs)
        page["body"] = page["body"] | {"value": stored}
        assert (await tried.diff(config)).action is Action.NOTHING
        before = await tried.observed(config)
        page["body"] = page["body"] | {"value": stored.replace("What it is", "What it <em>really</em> is")}
        after = await tried.observed(config)
        assert before
        assert after
        assert (after.marked, after.revision != before.revision) == (True, True)
        assert "What it <em>really is" in [
            each["text"] for found in json.loads(after.content or "")["blocks"] for each in found["cells"]
        ]


async def test_a_page_that_changed_meanwhile_is_not_overwritten(shared: Path) -> None:
    async with connected(shared) as tried:
        [config] = tried.configs(service_of())
        await tried.apply(config)
        [changed] = tried.configs(service_of(description="Something else"))
        diff = await tried.diff(changed)
        tried.tool.faults.add(Fault(method="PUT", path="*/pages/*", status=409, body={"errors": []}))
        result = (await tried.target.write([diff], "k"))[0]
        assert (result.outcome, result.temporary, "plan again" in result.reason) == (Outcome.FAILED, True, True)


async def test_an_answer_that_is_lost_makes_no_second_page(shared: Path) -> None:
    async with connected(shared) as tried:
        [config] = tried.configs(service_of())
        tried.tool.faults.add(Fault(method="POST", path="*/pages", reset=True, commit=True))
        await tried.apply(config)
        assert (await tried.diff(config)).action is Action.NOTHING
        [changed] = tried.configs(service_of(description="Something else"))
        tried.tool.faults.add(Fault(method="PUT", path="*/pages/*", reset=True, commit=True))
        await tried.apply(changed, allowed=(Outcome.DONE, Outcome.FAILED, Outcome.UNKNOWN))
        assert (await tried.diff(changed)).action is Action.NOTHING


async def test_a_page_that_people_wrote_is_left_alone(shared: Path) -> None:
    async with connected(shared) as tried:
        [config] = tried.configs(service_of())
        await tried.apply(config)
        page = page_of(tried)
        page["body"] = page["body"] | {"value": "<p>by hand</p>"}
        tried.remembered.clear()
        diff = await tried.diff(config)
        assert diff.action is Action.REFUSE
        result = (await tried.target.write([msgspec.structs.replace(diff, action=Action.CREATE, actual=None)], "k"))[0]
        assert (result.outcome, "does not bear our mark" in result.reason) == (Outcome.FAILED, True)


async def test_a_space_that_is_not_there_is_named(shared: Path) -> None:
    async with trial(shared, confluence.Plugin, {"space": "NOPE"}) as tried:
        [config] = tried.configs(service_of())
        with pytest.raises(Exception, match="no space 'NOPE'"):
            await tried.diff(config)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_texts_stay_text(value: str) -> None:
    plugin = confluence.Plugin(confluence.ConfluenceSettings())
    for service in hostile_services(value):
        asked = msgspec.structs.replace(service, blueprint=service_of().blueprint)
        for config in plugin.generate_configs(asked):
            stored = write(config.spec.blocks)
            assert read(stored) == json.loads(msgspec.json.encode(config.spec.blocks))
            tree = ElementTree.fromstring(f"<page>{stored}</page>")
            assert {each.tag for each in tree.iter()} <= {
                "page",
                "h2",
                "p",
                "ul",
                "li",
                "table",
                "tbody",
                "tr",
                "td",
                "a",
            }
            links = [each.get("href") or "" for each in tree.iter("a")]
            assert all(link.startswith(("https://", "http://", "mailto:")) for link in links)


def test_a_link_leads_to_the_web_or_nowhere() -> None:
    assert cell("a", "javascript:alert(1)").link == ""
    assert cell("a", 'https://x.example/"onload').link == ""
    assert write([block("li", cell("a", "https://x.example/?a=1&b=2"))]) == (
        '<ul><li><a href="https://x.example/?a=1&amp;b=2">a</a></li></ul>'
    )
