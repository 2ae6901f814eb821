"""Connections to the databases that the settings name: bounded in time, and with failures that say what to do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from types import UnionType
from typing import TYPE_CHECKING

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.redact import redacted
from nthlayer_sync.sdk.secrets import Secrets

if TYPE_CHECKING:
    from asyncpg import Connection, Record

CONNECT_WITHIN = 10.0
ANSWER_WITHIN = 60.0
"""Seconds for one statement; the roles of a whole schema are read with one."""


class Databases:
    """The databases by the reference of their resource; each value names the secret that holds its DSN."""

    def __init__(self, addresses: Mapping[str, str], secrets: Secrets) -> None:
        self._addresses = addresses
        self._secrets = secrets

    @asynccontextmanager
    async def connected(self, database: str) -> AsyncGenerator[Connection[Record]]:
        """A connection for as long as it is needed; what PostgreSQL refuses becomes a Failure without the DSN."""
        if database not in self._addresses:
            raise PermanentError(f"the settings name no connection to {database}")
        try:
            import asyncpg
        except ImportError as error:
            raise PermanentError("databases need asyncpg: pip install 'nthlayer-sync[postgres]'") from error
        dsn = await self._secrets.value(self._addresses[database])
        try:
            connection = await asyncpg.connect(
                dsn,
                timeout=CONNECT_WITHIN,
                command_timeout=ANSWER_WITHIN,
                statement_cache_size=0,  # a pooler between us and the server may give each statement another session
                server_settings={"application_name": "nthlayer-sync"},
            )
        except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise failure(error, database) from None
        try:
            yield connection
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise failure(error, database) from None
        finally:
            connection.terminate()


def failure(error: Exception, database: str) -> Failure:
    """What an error of the connection or of the server means."""
    import asyncpg

    text = redacted(str(error)) or type(error).__name__
    if isinstance(error, TimeoutError):
        return TemporaryError(f"{database}: no answer in time")
    if isinstance(error, ValueError):
        # Its text may repeat the DSN, and with it a password.
        return PermanentError(f"{database}: its DSN is none; write postgresql://user:password@host/name")
    if isinstance(error, OSError | asyncpg.InterfaceError | _passing()):
        return TemporaryError(f"{database}: {text}")
    return PermanentError(f"{database}: {text}")


def _passing() -> UnionType:
    """What PostgreSQL says when trying again can help. https://www.postgresql.org/docs/current/errcodes-appendix.html"""
    import asyncpg

    return (
        asyncpg.PostgresConnectionError
        | asyncpg.InsufficientResourcesError
        | asyncpg.OperatorInterventionError
        | asyncpg.TransactionRollbackError
        | asyncpg.LockNotAvailableError
    )
