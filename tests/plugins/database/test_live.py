"""Roles in a real PostgreSQL: made, left alone, brought back, changed, taken away."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.diff import Action
from tests.plugins.database.conftest import DATABASE, NEEDED, OTHER, Admin, service
from tests.plugins.hand import Hand


async def test_roles_come_change_and_go(hand: Callable[..., Hand], admin: Admin) -> None:
    one = hand()
    config = await one.done(service())
    assert config.place.root == f"database:{DATABASE}"
    assert config.place.path == "users/payments"
    await admin.run("SET ROLE payments_owner; CREATE TABLE paid (id int)")
    await admin.run("INSERT INTO paid VALUES (1)", user="payments_rw")
    assert await admin.ask("SHOW statement_timeout", user="payments_rw") == "5s"
    assert (await one.diff(config)).action is Action.NOTHING, "a table of the owner's is nothing that moved"

    await admin.run("CREATE ROLE reporting LOGIN")
    config = await one.done(service(readers=["reporting"], statement_timeout="7s"))
    assert await admin.ask("SELECT count(*) FROM paid", user="reporting") == 1
    with pytest.raises(Exception, match="permission denied"):
        await admin.run("INSERT INTO paid VALUES (2)", user="reporting")

    removal = await one.removal(config)
    assert removal.action is Action.DELETE
    refused = await one.make(removal)
    assert refused.outcome == "failed"
    assert "payments_owner owns table paid" in refused.reason
    assert (await one.diff(config)).action is Action.NOTHING, "what cannot be taken away stays whole"
    await admin.run("DROP TABLE paid")
    assert (await one.make(await one.removal(config))).outcome == "done"
    assert await one.observed(config) is None
    assert await admin.ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'payments%'") == 0


BY_HAND = [
    "ALTER ROLE payments_rw CONNECTION LIMIT 500",
    "ALTER ROLE payments_rw SUPERUSER",
    "ALTER ROLE payments_ro LOGIN CREATEDB",
    "ALTER ROLE payments_rw SET statement_timeout = 0",
    "ALTER ROLE payments_rw IN DATABASE payments SET search_path = other",
    "ALTER ROLE payments_rw RESET ALL",
    "GRANT payments_rw TO stranger",
    "GRANT pg_write_all_data TO payments_ro",
    "GRANT stranger TO payments_rw",
    "GRANT INSERT ON paid TO payments_ro",
    "GRANT SELECT (secret) ON other.hidden TO payments_ro",
    "GRANT SELECT ON other.hidden TO payments_ro",
    "GRANT USAGE ON SCHEMA other TO payments_ro",
    "GRANT CREATE ON DATABASE payments TO payments_rw",
    "REVOKE SELECT ON paid FROM payments_ro",
    "REVOKE CONNECT ON DATABASE payments FROM payments_ro",
    "REVOKE USAGE ON SCHEMA public FROM payments_rw",
    "ALTER DEFAULT PRIVILEGES FOR ROLE payments_owner IN SCHEMA public REVOKE SELECT ON TABLES FROM payments_ro",
    "ALTER DEFAULT PRIVILEGES FOR ROLE stranger GRANT SELECT ON TABLES TO payments_ro",
    "CREATE TABLE mine (id int)",
    "DROP OWNED BY payments_ro; DROP ROLE payments_ro",
]


async def test_what_is_changed_by_hand_is_seen_and_put_right(hand: Callable[..., Hand], admin: Admin) -> None:
    await admin.run("CREATE ROLE stranger; CREATE SCHEMA other; CREATE TABLE other.hidden (id int, secret int)")
    one = hand()
    config = await one.done(service())
    await admin.run("SET ROLE payments_owner; CREATE TABLE paid (id int)")
    for change in BY_HAND:
        before = await one.observed(config)
        await admin.run(change)
        after = await one.observed(config)
        assert after.marked, change
        assert after.revision != before.revision, change
        await one.done(service())
    await admin.run("DROP TABLE paid")


async def test_a_schema_whose_name_is_a_word_of_sql(hand: Callable[..., Hand], admin: Admin) -> None:
    await admin.run('CREATE SCHEMA "order"; CREATE TABLE "order".lines (id int)')
    await hand().done(service(search_path="order"))
    assert await admin.ask("SELECT count(*) FROM lines", user="payments_rw") == 0
    await admin.run('DROP SCHEMA "order" CASCADE')
    [config] = hand().configs(service(search_path="order"))
    [missing] = hand().configs(service("other", search_path="nowhere"))
    assert (await hand().diff(config)).action is Action.UPDATE, "what it may do there is gone"
    result = await hand().make(await hand().diff(missing))
    assert (result.outcome, 'schema "nowhere" does not exist' in result.reason) == ("failed", True)


async def test_a_role_of_somebody_else_is_left_alone(hand: Callable[..., Hand], admin: Admin) -> None:
    await admin.run("CREATE ROLE payments_ro LOGIN")
    one = hand()
    [config] = one.configs(service())
    diff = await one.diff(config)
    assert diff.action is Action.REFUSE
    assert "mark" in diff.reason
    [blind] = one.configs(service())
    result = await one.make(one.plugin.reconcile(blind, None))
    assert (result.outcome, "mark" in result.reason) == ("failed", True)
    assert await admin.ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'payments%'") == 1


async def test_roles_of_another_installation_are_left_alone(hand: Callable[..., Hand]) -> None:
    config = await hand("other").done(service())
    assert (await hand().diff(hand().configs(service(statement_timeout="9s"))[0])).action is Action.REFUSE
    assert not (await hand().observed(config)).marked


async def test_two_services_whose_names_come_out_alike(hand: Callable[..., Hand]) -> None:
    one = hand()
    await one.done(service("a-b"))
    [config] = one.configs(service("a.b"))
    assert (await one.diff(config)).action is Action.REFUSE


async def test_two_databases_of_one_cluster_share_the_roles(hand: Callable[..., Hand], admin: Admin) -> None:
    one = hand()
    both = one.configs(service(needed=(NEEDED, OTHER)))
    for config in both:
        assert (await one.make(await one.diff(config))).outcome == "done"
    assert [(await one.diff(config)).action for config in both] == [Action.NOTHING] * 2
    first, second = both
    assert (await one.make(await one.removal(first))).outcome == "done"
    assert (await one.observed(first)).content is None
    assert (await one.diff(second)).action is Action.NOTHING
    assert (await one.make(await one.removal(second))).outcome == "done"
    assert await one.observed(second) is None


async def test_from_writing_to_reading(hand: Callable[..., Hand], admin: Admin) -> None:
    one = hand()
    await one.done(service())
    await one.done(service(access="read-only"))
    assert (
        await admin.ask("SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname LIKE 'payments%'") == "payments_ro"
    )


async def test_reading_what_another_service_owns(hand: Callable[..., Hand], admin: Admin) -> None:
    one = hand()
    reader = service("reporting", access="read-only")
    config = await one.done(reader)
    await one.done(service(readers=["reporting_ro"]))
    await admin.run("SET ROLE payments_owner; CREATE TABLE paid (id int)")
    assert await admin.ask("SELECT count(*) FROM paid", user="reporting_ro") == 0
    assert (await one.diff(config)).action is Action.NOTHING, "membership in a role of ours is the other side's affair"
    await admin.run("DROP TABLE paid")


async def test_one_change_that_fails_stops_no_other(hand: Callable[..., Hand], admin: Admin) -> None:
    one = hand()
    wrong, right = one.configs(service(readers=["nobody_here"]))[0], one.configs(service("ledger"))[0]
    batch = [one.plugin.reconcile(wrong, None), one.plugin.reconcile(right, None)]
    failed, done = await one.target.write(batch, "key")
    assert (failed.outcome, failed.reason) == ("failed", f'{DATABASE}: role "nobody_here" does not exist')
    assert done.outcome == "done"
    assert await admin.ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'payments%'") == 0


async def test_what_changed_since_the_plan_is_not_written(hand: Callable[..., Hand], admin: Admin) -> None:
    one = hand()
    await one.done(service())
    [config] = one.configs(service(connections=7))
    diff = await one.diff(config)
    await admin.run("ALTER ROLE payments_rw CONNECTION LIMIT 500")
    result = await one.make(diff)
    assert (result.outcome, result.temporary) == ("failed", True)
    assert "changed since the plan" in result.reason


async def test_names_of_people_are_literal(hand: Callable[..., Hand], admin: Admin) -> None:
    odd = ['a"b', "a'b", "a\\b", "$nthlayer$", "a; DROP TABLE x; --", "%I %s", "é漢😀", "A b", "$$", "x" * 63]
    for name in odd:
        quoted = name.replace('"', '""')
        await admin.run(f'CREATE ROLE "{quoted}"')
    one = hand()
    config = await one.done(service(readers=odd, migrators=odd))
    spec = (await one.observed(config)).content
    assert config.spec.roles[2].members == tuple(sorted(odd))
    assert spec == one.plugin.kind("database/users").content(config.spec)


async def test_a_first_password_is_set_and_never_shown(
    hand: Callable[..., Hand], admin: Admin, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = admin.folder / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local payments payments_rw scram-sha-256\n{before}")
    (tmp_path / "payments_rw").write_text("canary-0815'\\\n")
    one = hand(password=f"file:{tmp_path}/{{role}}")
    try:
        config = await one.done(service())
        await admin.run("SELECT pg_reload_conf()")
        dsn = admin.dsn(user="payments_rw")
        connection = await asyncpg.connect(dsn, password="canary-0815'\\")
        await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(dsn, password="another")
        stored = await admin.ask("SELECT rolpassword FROM pg_authid WHERE rolname = 'payments_rw'")
        assert "canary" not in str((config, await one.observed(config)))
        (tmp_path / "payments_rw").write_text("changed")
        await one.done(service(connections=3))
        assert await admin.ask("SELECT rolpassword FROM pg_authid WHERE rolname = 'payments_rw'") == stored
    finally:
        rules.write_text(before)
        await admin.run("SELECT pg_reload_conf()")


async def test_an_administrator_who_is_no_superuser(hand: Callable[..., Hand], admin: Admin) -> None:
    await admin.run("CREATE ROLE keeper LOGIN CREATEROLE; ALTER DATABASE payments OWNER TO keeper")
    await admin.run("ALTER SCHEMA public OWNER TO keeper")
    one = hand(user="keeper")
    if await admin.ask("SELECT current_setting('server_version_num')::int") < 160000:
        pytest.skip("before 16 one who may create roles may do so with all")
    config = await one.done(service())
    await admin.run("CREATE ROLE stranger")
    await admin.run("GRANT payments_rw TO stranger; ALTER ROLE payments_ro LOGIN", user="keeper")
    await one.done(service())
    await admin.run("GRANT payments_rw TO stranger")
    refused = await one.make(await one.diff(config))
    assert (refused.outcome, "granted by role" in refused.reason) == ("failed", True)
    await admin.run("REVOKE payments_rw FROM stranger")
    assert (await one.make(await one.removal(config))).outcome == "done"
    await admin.run("ALTER DATABASE payments OWNER TO postgres; ALTER SCHEMA public OWNER TO postgres")


async def test_the_place_says_what_is_wrong_with_a_connection(
    hand: Callable[..., Hand], admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = hand()
    root = f"database:{DATABASE}"
    for dsn, kind in (
        (f"postgresql://postgres:canary@/nowhere?host={admin.folder}", PermanentError),
        ("postgresql://postgres:canary@127.0.0.1:1/payments", TemporaryError),
        ("canary", PermanentError),
        ("postgresql://postgres:canary@/x?host=/nowhere", TemporaryError),
    ):
        one.target._secrets.forget("env:PAYMENTS_DSN")
        monkeypatch.setenv("PAYMENTS_DSN", dsn)
        with pytest.raises(kind) as caught:
            await one.target.revisions(root, None)
        assert "canary" not in str(caught.value)
        assert DATABASE in str(caught.value)
