"""RabbitMQ, as its own rabbitmq_prometheus plugin shows it."""

from nthlayer_sync.signals.alert import Query
from nthlayer_sync.signals.packs.pack import Pack, Sample, Watch

PACK = Pack(
    technology="rabbitmq",
    title="RabbitMQ",
    ports=(5671, 5672),
    exporter="rabbitmq_prometheus, a part of RabbitMQ: https://www.rabbitmq.com/docs/prometheus",
    presence="rabbitmq_identity_info",
    watches=(
        Watch(
            name="RabbitmqMemoryHigh",
            threshold="memory",
            expr="rabbitmq_process_resident_memory_bytes{$self} / rabbitmq_resident_memory_limit_bytes{$self} > $limit",
            unit="share",
            summary="RabbitMQ $name: more than $limit of its memory is in use",
            meaning="At the limit it stops all publishers.",
            look=(Query("Memory in use", "rabbitmq_process_resident_memory_bytes{$self}"),),
            causes=("Messages pile up.", "Many connections or channels."),
            remedy=("Look which queue grows, and whether its consumers run.", "Close connections that are not needed."),
            samples=(
                Sample("rabbitmq_process_resident_memory_bytes", per=1e9),
                Sample("rabbitmq_resident_memory_limit_bytes", at=1e9),
            ),
        ),
        Watch(
            name="RabbitmqMessagesWaiting",
            threshold="messages",
            expr="sum(rabbitmq_queue_messages_ready{$self}) > $limit",
            unit="count",
            summary="RabbitMQ $name: more than $limit messages wait",
            meaning="Messages arrive faster than they are consumed, or a consumer has stopped.",
            look=(
                Query("Messages that wait", "rabbitmq_queue_messages_ready{$self}"),
                Query("Consumers", "rabbitmq_queue_consumers{$self}"),
            ),
            causes=(
                "The consumer has stopped or fails on a message.",
                "A burst of messages.",
                "Too few copies of the consumer.",
            ),
            remedy=("Look whether the consumer runs.", "Look at what it rejects.", "Add copies of it."),
            samples=(Sample("rabbitmq_queue_messages_ready", per=1),),
        ),
    ),
)
