"""Elasticsearch and OpenSearch, as elasticsearch_exporter shows them."""

from nthlayer_sync.signals.alert import Query
from nthlayer_sync.signals.packs.pack import Pack, Sample, Watch

_HEAP = 'elasticsearch_jvm_memory_used_bytes{$self,area="heap"} / elasticsearch_jvm_memory_max_bytes{$self,area="heap"}'
_DISK = "1 - elasticsearch_filesystem_data_available_bytes{$self} / elasticsearch_filesystem_data_size_bytes{$self}"

PACK = Pack(
    technology="elasticsearch",
    title="Elasticsearch",
    ports=(9200,),
    exporter="elasticsearch_exporter: https://github.com/prometheus-community/elasticsearch_exporter",
    presence="elasticsearch_cluster_health_status",
    watches=(
        Watch(
            name="ElasticsearchRed",
            expr='max(elasticsearch_cluster_health_status{$self,color="red"}) == 1',
            summary="Elasticsearch $name: a part of the data cannot be reached",
            meaning="At least one primary shard has no node. Searches are incomplete, writes to it fail.",
            look=(Query("Nodes", "elasticsearch_cluster_health_number_of_nodes{$self}"),),
            causes=("A node has stopped.", "Disks are full.", "A shard is damaged."),
            remedy=(
                "Ask the cluster to explain the allocation of the shard.",
                "Bring the missing node back.",
                "Make room on disk.",
            ),
            samples=(Sample("elasticsearch_cluster_health_status", {"color": "red"}, per=1),),
        ),
        Watch(
            name="ElasticsearchHeapHigh",
            threshold="heap",
            expr=f"{_HEAP} > $limit",
            unit="share",
            summary="Elasticsearch $name: more than $limit of a node's heap is in use",
            meaning="The node spends its time on collecting garbage, then drops out.",
            look=(Query("Heap by node", _HEAP),),
            causes=("Heavy searches or aggregations.", "Too many shards on a node."),
            remedy=("Find and stop heavy searches.", "Spread or shrink shards."),
            samples=(
                Sample("elasticsearch_jvm_memory_used_bytes", {"area": "heap"}, per=1e9),
                Sample("elasticsearch_jvm_memory_max_bytes", {"area": "heap"}, at=1e9),
            ),
        ),
        Watch(
            name="ElasticsearchDiskHigh",
            threshold="disk",
            expr=f"{_DISK} > $limit",
            unit="share",
            summary="Elasticsearch $name: more than $limit of a node's disk is in use",
            meaning="Above its watermarks the node gets no more shards, then its indices become read-only.",
            look=(Query("Disk by node", _DISK),),
            causes=("Indices that are kept too long.", "More data than before."),
            remedy=("Delete or move old indices.", "Add disk or nodes."),
            samples=(
                Sample("elasticsearch_filesystem_data_available_bytes", at=1e12, per=-1e12),
                Sample("elasticsearch_filesystem_data_size_bytes", at=1e12),
            ),
        ),
    ),
)
