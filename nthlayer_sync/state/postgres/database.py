"""The connections to the database: bounded in number and time, and with failures that say what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.state.migrations import migrations
from nthlayer_sync.state.records import Damaged

CONNECT_WITHIN = 10.0
ANSWER_WITHIN = 60.0
"""Seconds for one statement; the longest stores the chunk of a plan."""
CONNECTIONS = 8
"""Transactions at once: all are short, and a server has some hundred connections for everybody."""
TURNS = 80
"""Connections that hold a turn to apply, one for each batch at once; they are opened when they are needed."""
LISTEN_AGAIN = 10.0
"""Seconds between two attempts to listen; until one succeeds, work of other replicas is found by looking."""

CHANNEL = "nthlayer_work"
_LOCKS = 0x6E74686C
"""Our advisory locks in the database: this number with one of the next."""
_MIGRATING, _APPLYING = 1, 2

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""What is over after a while: a lost connection, a failover, a deadlock, a server that is full or starting."""


class Database:
    """A database. `url` has no password in it.

    Behind a pooler that gives each transaction another session, such as PgBouncer, statements are not prepared and
    nothing is listened to. Nothing else rests on a session.
    """

    def __init__(self, url: str, password: str | None) -> None:
        self._url = url
        self._password = password
        self._pool: Pool | None = None
        self._turns: Pool | None = None
        self._listener: asyncpg.Connection[asyncpg.Record] | None = None
        self._listen_at = 0.0
        self._pooled = False
        self.pruned = float("-inf")
        """When old lines of the journal were last looked for, by the monotonic clock."""

    async def open(self) -> None:
        """Connect, and bring the schema up to date; PermanentError where it is newer than this version."""
        with explained():
            first = await self._connect()
            try:
                # A pooler gives a number of its own to each client.
                self._pooled = first.get_server_pid() != await first.fetchval("select pg_backend_pid()")
                await _migrate(first)
            finally:
                first.terminate()
            self._pool = await self._connections(1, CONNECTIONS)
            self._turns = await self._connections(0, TURNS)

    async def close(self) -> None:
        """Close every connection."""
        for pool in (self._turns, self._pool):
            if pool is not None:
                pool.terminate()
        if self._listener is not None:
            self._listener.terminate()
        self._pool = self._turns = self._listener = None

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[Connection]:
        """A connection; each statement on it is a transaction of its own."""
        with explained():
            async with _open(self._pool).acquire(timeout=CONNECT_WITHIN) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A connection with a transaction that is committed at the end, unless there was an error."""
        with explained():
            async with self.around() as connection:
                yield connection

    @asynccontextmanager
    async def around(self, pool: Pool | None = None) -> AsyncGenerator[Connection]:
        """A transaction around other work, whose errors are not those of the database."""
        pool = pool or _open(self._pool)
        with explained():
            connection = await pool.acquire(timeout=CONNECT_WITHIN)
        try:
            transaction = connection.transaction()
            with explained():
                await transaction.start()
            try:
                yield connection
            except BaseException:
                with suppress(*_PASSING):
                    await transaction.rollback()
                raise
            with explained():
                await transaction.commit()
        finally:
            await pool.release(connection)

    @asynccontextmanager
    async def turn(self, *, alone: bool) -> AsyncGenerator[Connection | None]:
        """A turn to apply, alone or beside others that are not alone; None where it is somebody else's.

        It lasts as long as the connection: a lock of a transaction, for one of a session would stay behind in a pooler.
        """
        async with self.around(_open(self._turns)) as connection:
            with explained():
                await connection.execute("set local idle_in_transaction_session_timeout = 0")
                mode = "" if alone else "_shared"
                sql = f"select pg_try_advisory_xact_lock{mode}($1, $2)"
                taken = await connection.fetchval(sql, _LOCKS, _APPLYING)
            yield connection if taken else None

    async def listen(self, heard: Callable[[], None]) -> None:
        """See that `heard` is called when another replica tells of work; it may be called without need."""
        now = asyncio.get_running_loop().time()
        gone = self._listener is None or self._listener.is_closed()
        if self._pooled or not gone or now < self._listen_at:
            return
        self._listen_at = now + LISTEN_AGAIN

        def told(*_: object) -> None:
            heard()

        with explained():
            listener = self._listener = await self._connect()
            await listener.add_listener(CHANNEL, told)

    async def _connect(self) -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(self._url, **self._words(), statement_cache_size=0)

    async def _connections(self, least: int, most: int) -> Pool:
        return await asyncpg.create_pool(
            self._url,
            **self._words(),
            min_size=least,
            max_size=most,
            reset=_reset,
            statement_cache_size=0 if self._pooled else 256,
        )

    def _words(self) -> dict[str, Any]:
        return {
            "password": self._password,
            "timeout": CONNECT_WITHIN,
            "command_timeout": ANSWER_WITHIN,
            "server_settings": {"application_name": "nthlayer-sync"},
        }


@contextmanager
def explained() -> Generator[None]:
    """Say what an error means for whoever keeps the database."""
    try:
        yield
    except _PASSING as error:
        text = str(error) or "no answer in time"
        raise TemporaryError(f"the state in PostgreSQL cannot be used now: {text}", delay=5) from error
    except (asyncpg.PostgresError, ValueError) as error:
        if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
            raise PermanentError(f"the state in PostgreSQL is damaged: {error}") from error
        raise PermanentError(f"the state in PostgreSQL cannot be used: {error}") from error
    except Damaged as error:
        raise PermanentError(f"the state in PostgreSQL is damaged: {error}") from error


async def _reset(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Nothing of a session outlives a transaction of ours, so that a connection goes back without a question."""
    if connection.is_in_transaction():
        await connection.reset()


async def _migrate(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Make the steps that are missing, each in a transaction, while other replicas that start wait for it."""
    while True:
        async with connection.transaction():
            await connection.execute(f"select pg_advisory_xact_lock({_LOCKS}, {_MIGRATING})")
            await connection.execute("create table if not exists schema_version (version int not null)")
            version = await connection.fetchval("select max(version) from schema_version") or 0
            steps = migrations(__package__ or "", version)
            if not steps:
                return
            for statement in steps[0].statements:
                await connection.execute(statement)
            await connection.execute(f"insert into schema_version values ({steps[0].version})")


def _open(pool: Pool | None) -> Pool:
    if pool is None:
        raise RuntimeError("the store is not open")
    return pool
