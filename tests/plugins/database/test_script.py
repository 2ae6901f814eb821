"""The SQL file, run on a real PostgreSQL."""

from typing import Any

import asyncpg
import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.database import DatabaseSettings, Plugin
from nthlayer_sync.plugins.database.sql import literal, name
from nthlayer_sync.plugins.database.users import stem_of
from nthlayer_sync.sdk.testing import HOSTILE
from tests.plugins.database.conftest import NEEDED, Admin, service


def script(**asked: Any) -> str:
    plugin = Plugin(DatabaseSettings(), None)
    [config] = plugin.generate_configs(service(**asked))
    assert config.place.path.endswith("database/payments-db.users.sql")
    return plugin.kind("database/users").content(config.spec)


async def test_it_can_be_run_again_and_again(admin: Admin) -> None:
    await admin.run("CREATE ROLE stranger; CREATE TABLE old (id serial)")
    for asked in ({}, {}, {"readers": ["stranger"]}, {"connections": 3}):
        await admin.run(script(**asked))
    await admin.run("SET ROLE payments_owner; CREATE TABLE fresh (id serial)")
    await admin.run("INSERT INTO old DEFAULT VALUES; INSERT INTO fresh DEFAULT VALUES", user="payments_rw")
    await admin.run("ALTER ROLE payments_ro LOGIN")
    for statement in ("INSERT INTO old DEFAULT VALUES", "CREATE TABLE mine (id int)", "DROP TABLE fresh"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await admin.run(statement, user="payments_ro")
    assert await admin.ask("SELECT count(*) FROM old, fresh", user="payments_ro") == 1
    assert await admin.ask("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'payments_rw'") == 3
    assert not await admin.ask("SELECT pg_has_role('stranger', 'payments_ro', 'MEMBER')"), "no longer a reader"
    await admin.run("DROP TABLE old, fresh")


async def test_it_stops_at_a_role_of_somebody_else(admin: Admin) -> None:
    await admin.run("CREATE ROLE payments_ro")
    with pytest.raises(asyncpg.RaiseError, match="payments_ro exists and does not bear the mark"):
        await admin.run(script())
    assert await admin.ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'payments%'") == 1


async def test_every_text_is_quoted_so_that_it_comes_back(admin: Admin) -> None:
    for text in HOSTILE:
        try:
            quoted = literal(text)
        except PermanentError:
            assert "\0" in text
            continue
        for conforming in ("on", "off"):
            connection = await asyncpg.connect(admin.dsn())
            await connection.execute(f"SET standard_conforming_strings = {conforming}; SET escape_string_warning = off")
            assert await connection.fetchval(f"SELECT {quoted}") == text
            await connection.close()
        try:
            identifier = name(text)
        except PermanentError:
            continue
        assert await admin.ask(f"SELECT {identifier} FROM (SELECT 7) AS t({identifier})") == 7
        row = await admin.ask(f"SELECT row_to_json(t)::text FROM (SELECT 7 AS {identifier}) t")
        assert __import__("json").loads(row) == {text: 7}


@pytest.mark.parametrize("hostile", ["pg_read", "a b", 'a"b', "1st", "x" * 60, "a;b", "é", ""])
def test_a_name_that_cannot_be_a_role_is_refused(hostile: str) -> None:
    with pytest.raises(PermanentError):
        stem_of(f"component:default/{hostile}")


def test_who_gets_roles() -> None:
    plugin = Plugin(DatabaseSettings(), None)
    other = {**NEEDED, "ref": "resource:default/cache", "technology": "redis"}
    assert not list(plugin.generate_configs(service(needed=(other,))))
    elsewhere = {**NEEDED, "ref": "resource:eu/payments-db"}
    names = [config.id.name for config in plugin.generate_configs(service(needed=(NEEDED, elsewhere)))]
    assert names == ["payments-db", "eu.payments-db"]
