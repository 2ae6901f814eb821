"""MongoDB, as Percona's mongodb_exporter shows it."""

from nthlayer_sync.signals.alert import Query
from nthlayer_sync.signals.packs.pack import Pack, Sample, Watch

# Times of the last operation applied, in milliseconds.
_LAG = (
    '(max by (rs_nm) (mongodb_rs_members_optimeDate{$self,member_state="PRIMARY"})'
    ' - min by (rs_nm) (mongodb_rs_members_optimeDate{$self,member_state="SECONDARY"})) / 1000'
)

PACK = Pack(
    technology="mongodb",
    title="MongoDB",
    ports=(27017,),
    exporter="mongodb_exporter: https://github.com/percona/mongodb_exporter",
    presence="mongodb_up",
    watches=(
        Watch(
            name="MongodbDown",
            expr="mongodb_up{$self} == 0",
            summary="MongoDB $name does not answer",
            meaning="The exporter cannot connect to the database. What needs it fails, unless another one took over.",
            causes=(
                "The server has stopped or restarts.",
                "An election is going on.",
                "The network or its credentials changed.",
            ),
            remedy=("Look at the state of the replica set.", "Look whether the server runs, and at its log."),
            samples=(Sample("mongodb_up", at=1, per=-1),),
        ),
        Watch(
            name="MongodbConnectionsHigh",
            threshold="connections",
            expr=(
                'sum by (instance) (mongodb_ss_connections{$self,conn_type="current"})'
                ' / sum by (instance) (mongodb_ss_connections{$self,conn_type=~"current|available"}) > $limit'
            ),
            unit="share",
            summary="MongoDB $name: more than $limit of its connections are in use",
            meaning="When none is left, new connections are refused.",
            look=(Query("Connections", "mongodb_ss_connections{$self}"),),
            causes=("More copies or larger pools than the server allows.", "Slow operations that hold connections."),
            remedy=("Look at the current operations and end what hangs.", "Make pools smaller."),
            samples=(
                Sample("mongodb_ss_connections", {"conn_type": "current"}, per=200),
                Sample("mongodb_ss_connections", {"conn_type": "available"}, at=200, per=-200),
            ),
        ),
        Watch(
            name="MongodbReplicationLag",
            threshold="replication_lag",
            expr=f"{_LAG} > $limit",
            unit="seconds",
            summary="MongoDB $name: a secondary is more than $limit behind",
            meaning="Reads from the secondary are old, and writes that wait for a majority are slow.",
            look=(Query("Lag of the slowest secondary", _LAG),),
            causes=("A burst of writes.", "An index build.", "A slow disk or network."),
            remedy=("Look at what the secondary does.", "Read from the primary until it has caught up."),
            samples=(
                Sample("mongodb_rs_members_optimeDate", {"member_state": "PRIMARY", "rs_nm": "rs0"}, at=10_000_000),
                Sample(
                    "mongodb_rs_members_optimeDate",
                    {"member_state": "SECONDARY", "rs_nm": "rs0"},
                    at=10_000_000,
                    per=-1000,
                ),
            ),
        ),
    ),
)
