"""What is gone from Backstage is deleted late and with proof; a Backstage that begins anew causes no delete at all."""

import json
import os
import time
from typing import Any

import pytest

from tests.backstage.town import ORGANISATION, Town, component, until

FULL = os.environ.get("NTHLAYER_BACKSTAGE") == "full"
MANY = 5_000 if FULL else 200
FILES = 10
PATIENCE = 900 if FULL else 120
"""Seconds."""
pytestmark = pytest.mark.timeout(4 * PATIENCE)


def services(count: int) -> dict[str, list[dict[str, Any]]]:
    """Catalog files with so many services in all."""
    files: dict[str, list[dict[str, Any]]] = {f"services-{n}.yaml": [] for n in range(FILES)}
    for number in range(count):
        files[f"services-{number % FILES}.yaml"].append(component(f"svc-{number:05}"))
    return files


async def running(town: Town, count: int) -> dict[str, str]:
    """Both run, and everything has landed; gives that."""
    town.plugins = {"kubernetes": {"kinds": ["hpa"]}, "backstage": {"policy": "observe"}}
    town.commit({"org.yaml": ORGANISATION, **services(count)})
    await town.start_backstage()
    await ingested(town, count)
    await town.start_daemon()

    async def all_landed() -> bool:
        return sum("svc-" in path for path in town.landed()) >= count

    await until(all_landed, "everything has landed", PATIENCE)
    return town.landed()


async def ingested(town: Town, count: int) -> None:
    """Backstage has all of them."""

    async def all_there() -> bool:
        found = await town.backstage_get("catalog/entities/by-query?limit=0&filter=kind=component")
        return found["totalItems"] == count

    await until(all_there, f"Backstage has {count} components", PATIENCE)


async def test_what_is_gone_is_held_then_deleted_with_proof(town: Town) -> None:
    await running(town, 20)
    [kept, *rest] = services(20)["services-3.yaml"]
    gone = {entity["metadata"]["name"] for entity in rest}
    assert len(gone) == 1
    town.commit({"services-3.yaml": [kept]})
    await town.refresh("services-3.yaml")

    async def held() -> Any:
        findings = (await town.daemon_get("findings?limit=500"))["items"]
        return [finding for finding in findings if "2 reads" in json.dumps(finding)]

    [finding] = await until(held, "the entity stays in force until its absence is proven", PATIENCE)
    assert finding["entity"] in {f"component:default/{name}" for name in gone}
    assert town.removed() == []

    async def deleted() -> bool:
        return bool(town.removed())

    await until(deleted, "they are deleted", PATIENCE)
    assert {path for path in town.removed() if not any(name in path for name in gone)} == set()
    assert not any(name in path for path in town.landed() for name in gone)


async def test_a_backstage_that_begins_anew_causes_no_delete(town: Town) -> None:
    before = await running(town, MANY)
    await town.backstage.stop()
    await town.start_backstage()
    await ingested(town, MANY)

    async def read_again() -> bool:
        sources = {source["name"]: source for source in (await town.daemon_get("sources"))["items"]}
        return sources["backstage"]["complete"] and sources["backstage"]["stale"] <= 4

    await until(read_again, "the daemon has read all of it", PATIENCE)
    since = time.time()

    async def synced_twice() -> bool:
        return ((await town.daemon_get("status"))["synced"] or 0) > since + 8

    await until(synced_twice, "it has synced several times since", PATIENCE)
    assert town.removed() == []
    assert town.landed() == before
    assert (await town.daemon_get("held"))["items"] == []
