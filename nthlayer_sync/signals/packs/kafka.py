"""Apache Kafka, as kafka_exporter shows it."""

from nthlayer_sync.signals.alert import Query
from nthlayer_sync.signals.packs.pack import Pack, Sample, Watch

PACK = Pack(
    technology="kafka",
    title="Kafka",
    ports=(9092, 9093, 9094, 9096, 9098),  # its own, plain and with TLS; then those of Amazon MSK: TLS, SCRAM, IAM
    exporter="kafka_exporter: https://github.com/danielqsj/kafka_exporter",
    presence="kafka_brokers",
    watches=(
        Watch(
            name="KafkaDown",
            expr="max(kafka_brokers{$self}) < 1",
            summary="Kafka $name has no broker",
            meaning="The exporter sees no broker. Nothing can be sent or received.",
            causes=("The brokers have stopped or restart.", "The network or its credentials changed."),
            remedy=("Look whether the brokers run, and at their logs.",),
            samples=(Sample("kafka_brokers", at=1, per=-1),),
        ),
        Watch(
            name="KafkaConsumerLag",
            threshold="consumer_lag",
            expr="sum by (consumergroup, topic) (kafka_consumergroup_lag{$self}) > $limit",
            unit="count",
            summary="Kafka $name: a consumer group is more than $limit messages behind",
            meaning="Messages arrive faster than the group reads them, or it has stopped reading.",
            look=(
                Query("Lag by group and topic", "sum by (consumergroup, topic) (kafka_consumergroup_lag{$self})"),
                Query(
                    "Messages read per second",
                    "sum by (consumergroup, topic) (rate(kafka_consumergroup_current_offset{$self}[$rate]))",
                ),
            ),
            causes=(
                "The consumer has stopped or fails on a message.",
                "A burst of messages.",
                "Too few copies of the consumer.",
            ),
            remedy=(
                "Look whether the group still reads.",
                "When one partition stands out, look at the message it is stuck on.",
                "Add copies, up to the number of partitions.",
            ),
            samples=(
                Sample(
                    "kafka_consumergroup_lag", {"consumergroup": "orders", "topic": "orders", "partition": "0"}, per=1
                ),
            ),
        ),
        Watch(
            name="KafkaUnderReplicated",
            threshold="under_replicated",
            expr="sum(kafka_topic_partition_under_replicated_partition{$self}) > $limit",
            unit="count",
            summary="Kafka $name: more than $limit partitions have too few replicas",
            meaning="If one more broker stops, messages may be lost or refused.",
            look=(
                Query(
                    "Partitions by topic", "sum by (topic) (kafka_topic_partition_under_replicated_partition{$self})"
                ),
            ),
            causes=("A broker has stopped.", "A broker's disk or network is slow."),
            remedy=(
                "Find the broker that is missing from the replicas.",
                "Let it come back before anything else is changed.",
            ),
            samples=(
                Sample(
                    "kafka_topic_partition_under_replicated_partition", {"topic": "orders", "partition": "0"}, per=1
                ),
            ),
        ),
    ),
)
