"""The oracle sees what is not as the vendor has it."""

from pathlib import Path

import aiohttp
import pytest

from nthlayer_sync.sandbox import Fault, Sandbox
from nthlayer_sync.sandbox.vendors import TOOLS
from tests.sandbox.conftest import Caller
from tests.sandbox.oracle import Oracle
from tests.sandbox.waivers import SPECS


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"team": {"type": "team", "name": "x", "descripton": "y"}}, "request: unknown field /team/descripton"),
        ({"team": {"type": "team", "name": "x", "default_role": "king"}}, "'king' is not one of"),
        ({"team": {"name": "x"}}, "'type' is a required property"),
    ],
)
async def test_a_wrong_request_is_seen(
    shared: Path, session: aiohttp.ClientSession, body: dict[str, object], complaint: str
) -> None:
    async with Sandbox(["pagerduty"]) as sandbox:
        call = Caller(session, sandbox.pagerduty, {"Authorization": f"Token token={sandbox.pagerduty.token}"})
        with pytest.raises(AssertionError, match=complaint), Oracle(shared, sandbox):
            await call("POST", "/teams", body, 201)


async def test_what_a_fault_answers_is_not_held_against_the_vendor(
    shared: Path, session: aiohttp.ClientSession
) -> None:
    async with Sandbox(["pagerduty"]) as sandbox:
        headers = {"Authorization": f"Token token={sandbox.pagerduty.token}", "Content-Type": "application/json"}
        headers["Accept"] = "application/vnd.pagerduty+json;version=2"
        call = Caller(session, sandbox.pagerduty, headers)
        sandbox.pagerduty.faults.add(Fault(status=200, body="<html>"))
        with Oracle(shared, sandbox) as oracle:
            assert await call.status("GET", "/teams") == 200
            await call("GET", "/teams")
        assert oracle.seen == {"pagerduty GET /teams 200"}


def test_every_tool_has_a_specification() -> None:
    assert set(SPECS) == set(TOOLS)
