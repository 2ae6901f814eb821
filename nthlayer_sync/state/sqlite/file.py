"""The open state file: connections that write, read and tidy, each in a thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.state.migrations import migrations
from nthlayer_sync.state.records import Damaged, entry_of, journal_row

ALWAYS_CHECKED = 16 << 20
"""A state file up to this size is checked whenever it is opened; it takes seconds for one of 10,000 services.

A larger one is checked after a crash, and each row that a delete rests on has a checksum of its own."""

BUSY_SECONDS = 10.0
"""How long another process may be writing before we give up."""

TIDY_AFTER = 20
"""Transactions after which the write-ahead log is copied into the file, beside the writer: it takes some milliseconds,
for which a writer that does so itself (by default, after each 1,000 pages) keeps everybody waiting."""
LONGEST_LOG = 16_000
"""Pages of 4 kB after which the writer copies all the same."""

T = TypeVar("T")


class File:
    """A state file. Reads see what was committed, also while a long transaction is being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = _Connection("state")
        self._reader = _Connection("state-read")
        self._tidier = _Connection("state-tidy")
        self._turn = asyncio.Lock()
        self._untidy = 0
        self._tidying: asyncio.Task[None] | None = None
        self.pruned = float("-inf")
        """When old lines of the journal were last looked for, by the monotonic clock."""

    async def open(self) -> None:
        """Open the file, making it when it is not there; PermanentError when it cannot be used."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            await self._writer.open(partial(_open_database, self.path))
            for connection in (self._reader, self._tidier):
                await connection.open(partial(_connect, self.path))
        except (OSError, sqlite3.Error) as error:
            await self.close()
            raise PermanentError(
                f"the state in {self.path} cannot be used ({error}); restore a copy, or remove the file: what is live "
                "is then found again by its marks, and nothing is deleted before that"
            ) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the file."""
        if self._tidying is not None:
            await self._tidying
        for connection in (self._tidier, self._reader, self._writer):
            await connection.close()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on what was committed."""
        with self._explained():
            return await self._reader.run(work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one durable transaction."""
        with self._explained():
            async with self._turn:
                result = await self._writer.run(partial(_in_transaction, work))
        self._tidy()
        return result

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Callable[[Callable[[sqlite3.Connection], Any]], Any]]:
        """For a transaction in several steps: gives what runs one. It is theirs to begin and commit; an error rolls
        it back.
        """

        async def run(work: Callable[[sqlite3.Connection], Any]) -> Any:
            with self._explained():
                return await self._writer.run(work)

        async with self._turn:
            try:
                yield run
            except BaseException:
                await run(roll_back)
                raise
        self._tidy()

    def _tidy(self) -> None:
        """After some transactions, copy the write-ahead log into the file while others go on."""
        self._untidy += 1
        if self._untidy >= TIDY_AFTER and (self._tidying is None or self._tidying.done()):
            self._untidy = 0
            self._tidying = asyncio.create_task(self._tidier.run(_copy_log), name="state-tidy")

    @contextmanager
    def _explained(self) -> Generator[None]:
        """Say what an error means for whoever keeps the file."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise TemporaryError(f"another process is writing to {self.path}", delay=1) from error
            raise PermanentError(f"the state in {self.path} cannot be written: {error}") from error
        except (sqlite3.DatabaseError, Damaged, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PermanentError(f"the state in {self.path} is damaged: {error}") from error


class _Connection:
    """A connection with the thread that owns it."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._db: sqlite3.Connection | None = None

    async def open(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._db = await asyncio.get_running_loop().run_in_executor(self._thread, connect)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._db is None:
            raise RuntimeError("the store is not open")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._db)

    async def close(self) -> None:
        if self._db is not None:
            await self.run(sqlite3.Connection.close)
            self._db = None
        self._thread.shutdown()


def roll_back(db: sqlite3.Connection) -> None:
    """Give up the transaction, where SQLite has not done so itself, as it does when the disk is full."""
    if db.in_transaction:
        db.execute("rollback")


def _copy_log(db: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # the log grows until the writer has to, and says what is wrong
        db.execute("pragma wal_checkpoint(passive)")


def _in_transaction(work: Callable[[sqlite3.Connection], T], db: sqlite3.Connection) -> T:
    """One transaction, taken for writing at once so that it cannot fail half way for a lock."""
    db.execute("begin immediate")
    try:
        result = work(db)
        db.execute("commit")
    except BaseException:
        roll_back(db)
        raise
    return result


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)


def _open_database(path: Path) -> sqlite3.Connection:
    """A connection to the state file, made ready; sqlite3.Error and PermanentError say why there is none."""
    # A write-ahead log that is left over tells that the last process did not close the file, or that one has it open.
    doubtful = path.with_name(f"{path.name}-wal").exists() or (path.exists() and path.stat().st_size < ALWAYS_CHECKED)
    db = _connect(path)
    try:
        _prepare(db, doubtful)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, doubtful: bool) -> None:
    log = f"wal_autocheckpoint = {LONGEST_LOG}"
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", log):
        db.execute(f"pragma {pragma}")
    version = _version(db)
    steps = migrations(__package__ or "", version)
    if version and doubtful and (problem := db.execute("pragma quick_check(1)").fetchone()[0]) != "ok":
        raise sqlite3.DatabaseError(str(problem))
    if steps:
        db.create_function("entry_column", 2, _entry_column, deterministic=True)
    for step in steps:
        _in_transaction(lambda db, step=step: _migrate(db, step.version, step.statements), db)


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("pragma user_version").fetchone()[0])


def _migrate(db: sqlite3.Connection, version: int, statements: tuple[str, ...]) -> None:
    """Make one step, unless another process did so in the meantime."""
    if _version(db) >= version:
        return
    for statement in statements:
        db.execute(statement)
    db.execute(f"pragma user_version = {version}")


def _entry_column(entry: bytes, column: str) -> str | float:
    """A column of a journal line, for scripts that add it to lines that are there."""
    return getattr(journal_row(entry_of(entry)), column)
