"""Thresholds of the alerts on the technologies that a service depends on."""

from __future__ import annotations

from pydantic import Field

from nthlayer_sync.model.blueprint.metrics import Selector, filled
from nthlayer_sync.model.blueprint.section import Count, Factor, Section, Severity, Span
from nthlayer_sync.model.units import Duration, Percent


class Database(Section):
    """Thresholds for a relational or document database; null: no such alert."""

    connections: Percent | None = None
    """Share of the allowed connections in use."""
    replication_lag: Span | None = None
    """How far a replica is behind."""


class Cache(Section):
    """Thresholds for a cache; null: no such alert."""

    memory: Percent | None = None
    """Share of the allowed memory in use."""
    connections: Percent | None = None
    """Share of the allowed connections in use."""
    evictions: Factor | None = None
    """Entries thrown out per second."""
    hit_ratio: Percent | None = None
    """Share of look-ups that find something, below which an alert fires."""


class Stream(Section):
    """Thresholds for an event stream; null: no such alert."""

    consumer_lag: Count | None = None
    """Messages a consumer group is behind."""
    under_replicated: Count | None = None
    """Partitions with too few replicas, above which an alert fires."""


class Queue(Section):
    """Thresholds for a message queue; null: no such alert."""

    messages: Count | None = None
    """Messages that wait in a queue."""
    memory: Percent | None = None
    """Share of the allowed memory in use."""


class Search(Section):
    """Thresholds for a search cluster; null: no such alert."""

    heap: Percent | None = None
    """Share of the Java heap in use."""
    disk: Percent | None = None
    """Share of the disk in use."""


class Packs(Section):
    """Thresholds of the alerts that come with the technologies the service depends on."""

    for_: Duration = Field(alias="for")
    """How long a threshold must be crossed before the alert fires."""
    severity: Severity
    """Whether somebody is woken or a ticket is opened."""
    selector: Selector = Field(min_length=1, examples=[{"service": "{name}"}])
    """Labels that pick the series of one dependency; `{name}` and `{namespace}` are its own, null removes a label."""
    postgresql: Database
    """PostgreSQL."""
    mysql: Database
    """MySQL and MariaDB."""
    mongodb: Database
    """MongoDB."""
    redis: Cache
    """Redis and Valkey."""
    memcached: Cache
    """Memcached."""
    kafka: Stream
    """Apache Kafka."""
    rabbitmq: Queue
    """RabbitMQ."""
    elasticsearch: Search
    """Elasticsearch and OpenSearch."""

    def select(self, name: str, namespace: str) -> dict[str, str]:
        """Label values that pick the series of one dependency, as plain texts."""
        return filled(self.selector, name, namespace)
