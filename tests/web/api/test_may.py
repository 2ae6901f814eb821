"""Who asks, what they may do, and how much of the catalog is managed."""

from pathlib import Path

import pytest

from tests.web.api.conftest import PAYMENTS, Site, at
from tests.web.api.test_unsettled import CART, TOKENS, guarding, retier

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_tells_who_asks_and_what_they_may(tmp_path: Path) -> None:
    async with guarding(tmp_path / "demo") as site:
        await retier(site, "2")
        waiting = {
            change["key"]
            for change in (await site.found("waiting", entity=CART))["items"]
            if change["reason"].startswith("approval of ")
        }
        assert waiting
        for role, approves in (("viewer", set[str]()), ("operator", waiting), ("admin", waiting)):
            me = (await site.get("me", TOKENS[role])).json
            assert (me["name"], me["role"], me["groups"]) == (role, role, [])
            may = (await site.get(f"entities/{at(CART)}/may", TOKENS[role])).json
            assert (may["name"], may["role"], may["ask"]) == (role, role, role != "viewer")
            assert set(may["approve"]) == approves


async def test_what_waits_for_nobody_is_not_approved(site: Site) -> None:
    may = await site.found(f"entities/{at(PAYMENTS)}/may")
    assert may["approve"] == []
    assert may["ask"] is True
    assert (await site.get(f"entities/{at('component:default/nobody')}/may")).status == 404


async def test_counts_what_is_managed_by_kind_and_tier(site: Site) -> None:
    rows = (await site.found("coverage"))["items"]
    services = [row for row in rows if row["kind"] == "component"]
    listed = await site.all("entities", 100, kind="component")
    assert [row["tier"] for row in services if row["tier"]] == sorted(row["tier"] for row in services if row["tier"])
    for row in services:
        for standing in ("managed", "held", "unmanaged"):
            same = [e for e in listed if (e["tier"], e["standing"]) == (row["tier"], standing)]
            assert row[standing] == len(same)
    assert sum(row["managed"] for row in rows if row["kind"] == "group") == 3
