"""Redis and Valkey, as redis_exporter shows them."""

from nthlayer_sync.signals.alert import Query
from nthlayer_sync.signals.packs.pack import Pack, Sample, Watch

_HITS = (
    "sum by (instance) (rate(redis_keyspace_hits_total{$self}[$rate]))"
    " / sum by (instance) ("
    "rate(redis_keyspace_hits_total{$self}[$rate]) + rate(redis_keyspace_misses_total{$self}[$rate]))"
)

PACK = Pack(
    technology="redis",
    title="Redis",
    ports=(6379,),
    exporter="redis_exporter: https://github.com/oliver006/redis_exporter",
    presence="redis_up",
    watches=(
        Watch(
            name="RedisDown",
            expr="redis_up{$self} == 0",
            summary="Redis $name does not answer",
            meaning="The exporter cannot connect. What only caches in it becomes slow; what keeps data in it fails.",
            causes=(
                "The server has stopped or restarts.",
                "A fail-over is going on.",
                "The network or its password changed.",
            ),
            remedy=(
                "Look whether the server runs, and at its log.",
                "Look whether what stands behind the cache bears the load.",
            ),
            samples=(Sample("redis_up", at=1, per=-1),),
        ),
        Watch(
            name="RedisMemoryHigh",
            threshold="memory",
            # maxmemory is 0 where no limit is set
            expr="redis_memory_used_bytes{$self} / (redis_memory_max_bytes{$self} > 0) > $limit",
            unit="share",
            summary="Redis $name: more than $limit of its memory is in use",
            meaning="At the limit it throws out entries or refuses writes, as its policy says.",
            look=(Query("Memory in use", "redis_memory_used_bytes{$self}"), Query("Keys", "redis_db_keys{$self}")),
            causes=("Keys without an expiry.", "More data than before."),
            remedy=("Find keys that never expire.", "Give it more memory, or shorter expiries."),
            samples=(Sample("redis_memory_used_bytes", per=1e9), Sample("redis_memory_max_bytes", at=1e9)),
        ),
        Watch(
            name="RedisConnectionsHigh",
            threshold="connections",
            expr="redis_connected_clients{$self} / redis_config_maxclients{$self} > $limit",
            unit="share",
            summary="Redis $name: more than $limit of its connections are in use",
            meaning="When none is left, new connections are refused.",
            look=(Query("Connections", "redis_connected_clients{$self}"),),
            causes=("More copies or larger pools than it allows.", "Connections that are opened and not closed."),
            remedy=("Find out which client holds most.", "Make pools smaller, or raise maxclients."),
            samples=(Sample("redis_connected_clients", per=1000), Sample("redis_config_maxclients", at=1000)),
        ),
        Watch(
            name="RedisEvictions",
            threshold="evictions",
            expr="rate(redis_evicted_keys_total{$self}[$rate]) > $limit",
            unit="per second",
            summary="Redis $name throws out more than $limit entries per second",
            meaning="It has less memory than its data needs, so that look-ups miss what was there.",
            look=(Query("Entries thrown out per second", "rate(redis_evicted_keys_total{$self}[$rate])"),),
            causes=("More data than before.", "Keys without an expiry."),
            remedy=("Give it more memory.", "Shorten expiries."),
            samples=(Sample("redis_evicted_keys_total", per=1, counter=True),),
        ),
        Watch(
            name="RedisHitRatioLow",
            threshold="hit_ratio",
            below=True,
            expr=f"{_HITS} < $limit",
            unit="share",
            summary="Redis $name: less than $limit of look-ups find something",
            meaning="What stands behind the cache bears the rest of the load.",
            look=(Query("Share of look-ups that find something", _HITS),),
            causes=("A restart or a flush.", "A new version that builds its keys otherwise.", "Evictions."),
            remedy=("Look whether it was restarted or flushed.", "Look at evictions.", "Look at what was deployed."),
            samples=(
                Sample("redis_keyspace_hits_total", per=100, counter=True),
                Sample("redis_keyspace_misses_total", at=100, per=-100, counter=True),
            ),
        ),
    ),
)
