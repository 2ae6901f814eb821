"""Writers that are killed, connections that break: afterwards all of a change is there, or nothing."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from nthlayer_sync.errors import TemporaryError
from nthlayer_sync.model.diff import Action
from tests.plugins.database.conftest import DATABASE, Admin, service
from tests.plugins.hand import Hand

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'transactionid'"


async def test_a_connection_that_breaks_leaves_nothing(hand: Callable[..., Hand], admin: Admin) -> None:
    holder = await asyncpg.connect(admin.dsn())
    await holder.execute("BEGIN; CREATE ROLE payments_rw")
    one = hand()
    [config] = one.configs(service())
    writing = asyncio.create_task(one.make(await one.diff(config)))
    while not (pid := await admin.ask(WAITING)):
        assert not writing.done()
    await admin.run(f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(TemporaryError):
        await writing
    await holder.close()
    await one.done(service())


@pytest.mark.parametrize("carried_out", [True, False])
async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)


@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_commit_without_an_answer_is_looked_into(
    hand: Callable[..., Hand], admin: Admin, monkeypatch: pytest.MonkeyPatch, carried_out: bool
) -> None:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_server = await asyncio.open_unix_connection(f"{admin.folder}/.s.PGSQL.5432")
        back = asyncio.create_task(copy(there, writer))
        while b"COMMIT" not in (data := await reader.read(1 << 16)):
            to_server.write(data)
        back.cancel()
        await asyncio.wait([back])
        if carried_out:
            to_server.write(data)
            await there.read(1)
        for end in (to_server, writer):
            end.close()
            await end.wait_closed()

    one = hand()
    [config] = one.configs(service())
    diff = await one.diff(config)
    with TemporaryDirectory() as folder:
        proxy = await asyncio.start_unix_server(pass_on, f"{folder}/.s.PGSQL.5432")
        one.target._secrets.forget("env:PAYMENTS_DSN")
        monkeypatch.setenv("PAYMENTS_DSN", f"postgresql://postgres@/payments?host={folder}")
        result = await one.make(diff)
        proxy.close()
        await proxy.wait_closed()
    assert (result.outcome, result.temporary) == ("unknown", True)
    again = hand()
    assert (await again.diff(config)).action is (Action.NOTHING if carried_out else Action.CREATE)


async def test_a_killed_writer_leaves_nothing_half_done(hand: Callable[..., Hand], admin: Admin) -> None:
    """The writer has made one role and waits to make the next, when it is killed."""
    holder = await asyncpg.connect(admin.dsn())
    await holder.execute("BEGIN; CREATE ROLE payments_rw")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, env={**os.environ, "PAYMENTS_DSN": admin.dsn()}
    )
    while not await admin.ask(WAITING):
        assert process.returncode is None
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await holder.execute("ROLLBACK")
    await holder.close()
    one = hand()
    [config] = one.configs(service())
    assert (await one.diff(config)).action is Action.CREATE
    await one.done(service())


WRITER = f"""
import asyncio
from nthlayer_sync.plugins.database import DatabaseSettings, Plugin
from nthlayer_sync.sdk.runtime import Runtime
from tests.plugins.database.conftest import service

runtime = Runtime(None)
databases = [{{"resource": "{DATABASE}", "dsn": "env:PAYMENTS_DSN"}}]
plugin = Plugin(DatabaseSettings(databases=databases), runtime)
[config] = plugin.generate_configs(service())
asyncio.run(plugin.connect(runtime).write([plugin.reconcile(config, None)], "key"))
"""
