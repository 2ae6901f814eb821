"""PostgreSQL, as postgres_exporter shows it."""

from nthlayer_sync.signals.alert import Query
from nthlayer_sync.signals.packs.pack import Pack, Sample, Watch

PACK = Pack(
    technology="postgresql",
    title="PostgreSQL",
    ports=(5432,),
    exporter="postgres_exporter: https://github.com/prometheus-community/postgres_exporter",
    presence="pg_up",
    watches=(
        Watch(
            name="PostgresqlDown",
            expr="pg_up{$self} == 0",
            summary="PostgreSQL $name does not answer",
            meaning="The exporter cannot connect to the database. Whatever needs it fails.",
            causes=(
                "The server has stopped or restarts.",
                "Its connections are used up.",
                "The network or its credentials changed.",
            ),
            remedy=("Look whether the server runs, and at its log.", "Fail over when it does not come back."),
            samples=(Sample("pg_up", at=1, per=-1),),
        ),
        Watch(
            name="PostgresqlConnectionsHigh",
            threshold="connections",
            expr=(
                "sum by (instance) (pg_stat_database_numbackends{$self})"
                " / max by (instance) (pg_settings_max_connections{$self}) > $limit"
            ),
            unit="share",
            summary="PostgreSQL $name: more than $limit of its connections are in use",
            meaning="When none is left, new connections are refused.",
            look=(Query("Connections by database", "sum by (datname) (pg_stat_database_numbackends{$self})"),),
            causes=("More copies or larger pools than the server allows.", "Transactions that stay open."),
            remedy=(
                "Find sessions that idle in a transaction and end them.",
                "Make pools smaller, or put a pooler in front.",
            ),
            samples=(
                Sample("pg_stat_database_numbackends", {"datname": "app"}, per=200),
                Sample("pg_settings_max_connections", at=200),
            ),
        ),
        Watch(
            name="PostgresqlReplicationLag",
            threshold="replication_lag",
            expr="max by (instance) (pg_replication_lag_seconds{$self}) > $limit",
            unit="seconds",
            summary="PostgreSQL $name: a replica is more than $limit behind",
            meaning="Reads from the replica are old, and a fail-over now would lose what it has not received.",
            look=(Query("Lag of each replica", "pg_replication_lag_seconds{$self}"),),
            causes=("A burst of writes.", "A long query on the replica.", "A slow disk or network."),
            remedy=("End long queries on the replica.", "Read from the primary until it has caught up."),
            samples=(Sample("pg_replication_lag_seconds", per=1),),
        ),
    ),
)
