"""Memory in a PostgreSQL database, which several replicas share. Times of leases are those of its clock."""

from nthlayer_sync.state.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
