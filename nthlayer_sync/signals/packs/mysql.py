"""MySQL and MariaDB, as mysqld_exporter shows them."""

from nthlayer_sync.signals.alert import Query
from nthlayer_sync.signals.packs.pack import Pack, Sample, Watch

# Since MySQL 8.0.22 the server speaks of sources where it spoke of masters, and the exporter's names follow.
_LAG = "mysql_slave_status_seconds_behind_source{$self} or mysql_slave_status_seconds_behind_master{$self}"

PACK = Pack(
    technology="mysql",
    title="MySQL",
    ports=(3306,),
    exporter="mysqld_exporter: https://github.com/prometheus/mysqld_exporter",
    presence="mysql_up",
    watches=(
        Watch(
            name="MysqlDown",
            expr="mysql_up{$self} == 0",
            summary="MySQL $name does not answer",
            meaning="The exporter cannot connect to the database. Whatever needs it fails.",
            causes=(
                "The server has stopped or restarts.",
                "Its connections are used up.",
                "The network or its credentials changed.",
            ),
            remedy=("Look whether the server runs, and at its error log.", "Fail over when it does not come back."),
            samples=(Sample("mysql_up", at=1, per=-1),),
        ),
        Watch(
            name="MysqlConnectionsHigh",
            threshold="connections",
            expr=(
                "mysql_global_status_threads_connected{$self} / mysql_global_variables_max_connections{$self} > $limit"
            ),
            unit="share",
            summary="MySQL $name: more than $limit of its connections are in use",
            meaning="When none is left, new connections are refused.",
            look=(Query("Connections", "mysql_global_status_threads_connected{$self}"),),
            causes=("More copies or larger pools than the server allows.", "Slow queries that hold connections."),
            remedy=("Look at the process list and end what hangs.", "Make pools smaller, or put a proxy in front."),
            samples=(
                Sample("mysql_global_status_threads_connected", per=200),
                Sample("mysql_global_variables_max_connections", at=200),
            ),
        ),
        Watch(
            name="MysqlReplicationLag",
            threshold="replication_lag",
            expr=f"max by (instance) ({_LAG}) > $limit",
            unit="seconds",
            summary="MySQL $name: a replica is more than $limit behind",
            meaning="Reads from the replica are old, and a fail-over now would lose what it has not applied.",
            look=(Query("Lag of each replica", _LAG),),
            causes=("A burst of writes.", "A large transaction that one thread applies.", "A slow disk."),
            remedy=(
                "Wait when it shrinks; otherwise look at what the applier does.",
                "Read from the primary until then.",
            ),
            samples=(Sample("mysql_slave_status_seconds_behind_source", per=1),),
        ),
    ),
)
