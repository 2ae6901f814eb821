"""A tool that is down holds up no other."""

import time
from collections.abc import Iterator
from pathlib import Path

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.sandbox import Fault, Sandbox
from nthlayer_sync.sdk.http import Manners
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import Account, Collection, InText, Json, RestKind, RestPlugin
from tests.faults.live.company import PAGERDUTY, QUICKLY, Company, services, settings_of


class OtherSpec(Spec, frozen=True):
    name: str


def generate(service: Service) -> Iterator[OtherSpec]:
    yield OtherSpec(name=service.name)


def encode(spec: OtherSpec, account: Account, live: Json | None) -> Json:
    return {"type": "team", "name": f"other {spec.name}"}


def decode(body: Json, account: Account) -> Json:
    return {"name": body["name"].removeprefix("other ")}


TEAMS = Collection("teams", "/teams", many="teams", one="team", mark=InText())
OTHER = RestKind(
    name="other/team", version=1, summary="a team", subject=Service, spec=OtherSpec, generate=generate,
    collection=TEAMS, key=lambda service, spec: spec.name, encode=encode, decode=decode,
)  # fmt: skip


class Other(RestPlugin):
    """Another account, in a sandbox of its own."""

    name, version, category, summary = "other", "1", Category.INCIDENT, "another tool, to test with"
    kinds = (OTHER,)
    manners = QUICKLY
    scheme = "Token token={}"


async def test_the_others_are_on_time(tmp_path: Path, sandbox: Sandbox, clock: list[float]) -> None:
    """Row 22: one tool answers with 500 for ever; its breaker opens, and another gets all that is due."""
    async with Sandbox(["pagerduty"]) as second:
        reach = {"pagerduty": settings_of(sandbox.pagerduty)}
        second.pagerduty.name = "other"
        reach["other"] = settings_of(second.pagerduty)
        down = Manners(rate=QUICKLY.rate, at_once=8, tries=3, pause=0.001, trip=10, rest=600.0)
        company = Company(tmp_path, reach, plugins=(type("Down", (PAGERDUTY,), {"manners": down}), Other))
        company.says(services(20))
        await company.tick()
        made = len(sandbox.ledger.committed())
        assert len(second.ledger.committed()) == 20

        sandbox.pagerduty.faults.add(Fault(status=500, times=0))
        before = sandbox.ledger.of("pagerduty").reads
        company.says(services(40))
        start = time.perf_counter()
        plan, _ = await company.tick()
        seconds = time.perf_counter() - start
        assert len(second.ledger.committed()) == 40
        assert plan.counts["pagerduty/service"]["refuse"] >= 20
        asked = sandbox.ledger.of("pagerduty").reads + sandbox.ledger.of("pagerduty").writes - before
        print(f"one tool down: it was asked {asked} times, the other had all of its writes in {seconds:.1f} s")
        assert asked < 60
        assert len(sandbox.ledger.committed()) == made

        sandbox.pagerduty.faults.clear()
        clock[0] += 60
        for _ in range(2):
            await company.tick()
        plan, _ = await company.tick()
        assert plan.counts == {}
