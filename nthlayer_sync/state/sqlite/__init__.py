"""Memory in one SQLite file: durable at every commit, readable while it is written."""

from nthlayer_sync.state.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
