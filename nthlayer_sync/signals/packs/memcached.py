"""Memcached, as memcached_exporter shows it."""

from nthlayer_sync.signals.alert import Query
from nthlayer_sync.signals.packs.pack import Pack, Sample, Watch

_HITS = (
    'sum by (instance) (rate(memcached_commands_total{$self,command="get",status="hit"}[$rate]))'
    ' / sum by (instance) (rate(memcached_commands_total{$self,command="get"}[$rate]))'
)

PACK = Pack(
    technology="memcached",
    title="Memcached",
    ports=(11211,),
    exporter="memcached_exporter: https://github.com/prometheus/memcached_exporter",
    presence="memcached_up",
    watches=(
        Watch(
            name="MemcachedDown",
            expr="memcached_up{$self} == 0",
            summary="Memcached $name does not answer",
            meaning="The exporter cannot connect. What stands behind the cache bears the whole load.",
            causes=("The server has stopped or restarts.", "The network changed."),
            remedy=("Look whether the server runs.", "Look whether what stands behind the cache bears the load."),
            samples=(Sample("memcached_up", at=1, per=-1),),
        ),
        Watch(
            name="MemcachedMemoryHigh",
            threshold="memory",
            expr="memcached_current_bytes{$self} / memcached_limit_bytes{$self} > $limit",
            unit="share",
            summary="Memcached $name: more than $limit of its memory is in use",
            meaning="At the limit it throws out entries that are still valid.",
            look=(Query("Memory in use", "memcached_current_bytes{$self}"),),
            causes=("More data than before.", "Longer expiries."),
            remedy=("Give it more memory.", "Shorten expiries."),
            samples=(Sample("memcached_current_bytes", per=1e9), Sample("memcached_limit_bytes", at=1e9)),
        ),
        Watch(
            name="MemcachedConnectionsHigh",
            threshold="connections",
            expr="memcached_current_connections{$self} / memcached_max_connections{$self} > $limit",
            unit="share",
            summary="Memcached $name: more than $limit of its connections are in use",
            meaning="When none is left, new connections wait.",
            look=(Query("Connections", "memcached_current_connections{$self}"),),
            causes=("More copies or larger pools than it allows.",),
            remedy=("Make pools smaller, or raise its limit.",),
            samples=(Sample("memcached_current_connections", per=1000), Sample("memcached_max_connections", at=1000)),
        ),
        Watch(
            name="MemcachedEvictions",
            threshold="evictions",
            expr="rate(memcached_items_evicted_total{$self}[$rate]) > $limit",
            unit="per second",
            summary="Memcached $name throws out more than $limit entries per second",
            meaning="It has less memory than its data needs, so that look-ups miss what was there.",
            look=(Query("Entries thrown out per second", "rate(memcached_items_evicted_total{$self}[$rate])"),),
            causes=("More data than before.", "Longer expiries."),
            remedy=("Give it more memory.", "Shorten expiries."),
            samples=(Sample("memcached_items_evicted_total", per=1, counter=True),),
        ),
        Watch(
            name="MemcachedHitRatioLow",
            threshold="hit_ratio",
            below=True,
            expr=f"{_HITS} < $limit",
            unit="share",
            summary="Memcached $name: less than $limit of look-ups find something",
            meaning="What stands behind the cache bears the rest of the load.",
            look=(Query("Share of look-ups that find something", _HITS),),
            causes=("A restart.", "A new version that builds its keys otherwise.", "Evictions."),
            remedy=("Look whether it was restarted.", "Look at evictions.", "Look at what was deployed."),
            samples=(
                Sample("memcached_commands_total", {"command": "get", "status": "hit"}, per=100, counter=True),
                Sample(
                    "memcached_commands_total", {"command": "get", "status": "miss"}, at=100, per=-100, counter=True
                ),
            ),
        ),
    ),
)
