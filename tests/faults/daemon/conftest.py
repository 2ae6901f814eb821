"""Replicas over one store, and a PagerDuty that knows who asks."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from nthlayer_sync.sandbox import Sandbox
from tests.faults.daemon.crew import Crew, Nursery
from tests.faults.daemon.judge import Judge, keep_history
from tests.faults.live.company import settings_of
from tests.state.contract.conftest import Home, SqliteHome, postgres, server

__all__ = ["postgres", "server"]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(["pagerduty"]) as sandbox:
        yield sandbox


@pytest.fixture
async def crew(tmp_path: Path, postgres: Home, sandbox: Sandbox, nursery: Nursery) -> AsyncIterator[Crew]:
    """Nobody works yet; the store is a PostgreSQL."""
    reach = settings_of(sandbox.pagerduty)
    async with postgres.store() as store:
        await keep_history(postgres)
        crew = Crew(nursery, tmp_path, postgres, store, reach)
        yield crew
        await crew.leave()


@pytest.fixture
async def file_crew(tmp_path: Path, sandbox: Sandbox, nursery: Nursery) -> AsyncIterator[Crew]:
    """Nobody works yet; the store is a file."""
    reach = settings_of(sandbox.pagerduty)
    home = SqliteHome(tmp_path / "state.db")
    async with home.store() as store:
        await keep_history(home)
        crew = Crew(nursery, tmp_path, home, store, reach)
        yield crew
        await crew.leave()


@pytest.fixture
async def judge(request: pytest.FixtureRequest, sandbox: Sandbox) -> Judge:
    name = "file_crew" if "file_crew" in request.fixturenames else "crew"
    judge = Judge(request.getfixturevalue(name).home)
    sandbox.pagerduty.watch = judge.hear
    return judge
