"""What a dependency runs on, and what a service is written in, read from the words people use for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.snapshot import CodeFacts

TECHNOLOGIES: Mapping[str, str] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "pgsql": "postgresql",
    "cloudnativepg": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "percona": "mysql",
    "mongodb": "mongodb",
    "mongo": "mongodb",
    "documentdb": "mongodb",
    "redis": "redis",
    "valkey": "redis",
    "memcached": "memcached",
    "memcache": "memcached",
    "kafka": "kafka",
    "msk": "kafka",
    "redpanda": "kafka",
    "rabbitmq": "rabbitmq",
    "rabbit": "rabbitmq",
    "elasticsearch": "elasticsearch",
    "opensearch": "elasticsearch",
    "elastic": "elasticsearch",
}
"""Words that name a product, and the alert pack for it."""
HINTS: Mapping[str, str] = {"elasticache": "redis", "memorystore": "redis", "topic": "kafka"}
"""Words that leave a choice: ElastiCache may be Memcached. They count when nothing names a product."""
ELSEWHERE = frozenset({"sns", "pubsub", "eventgrid", "servicebus", "nats", "pulsar", "kinesis"})
"""Products without a pack whose topics are not Kafka's."""
LANGUAGES: Mapping[str, str] = {
    "c#": "csharp",
    "csharp": "csharp",
    "dotnet": "csharp",
    "elixir": "elixir",
    "go": "go",
    "golang": "go",
    "java": "java",
    "javascript": "javascript",
    "kotlin": "kotlin",
    "node": "javascript",
    "nodejs": "javascript",
    "php": "php",
    "python": "python",
    "ruby": "ruby",
    "rust": "rust",
    "scala": "scala",
    "swift": "swift",
    "typescript": "typescript",
}
"""Words that name a programming language, and the one name we use for it."""

_EXTERNAL = frozenset({"external", "externalservice", "thirdparty", "saas"})
_BREAKS = re.compile(r"[^a-z0-9]+|(?<=[a-z])(?=[0-9])")


def technology(entity: Entity | None, kind: str, name: str) -> str:
    """The alert pack for what `name` runs on, "" when nothing tells.

    A component's tags and name tell what it uses, not what it is, so that only its type counts.
    """
    if kind == "api":
        return ""
    said = [entity.type] if entity else []
    if kind != "component":
        if entity:
            said += [*entity.tags, *entity.labels.values()]
        said.append(name)
    words = [_words(text) for text in said]
    for table in (TECHNOLOGIES, HINTS):
        for found in words:
            for word in found:
                if word in table and not (table is HINTS and ELSEWHERE.intersection(*[found])):
                    return table[word]
    return ""


def language(entity: Entity, facts: CodeFacts | None) -> str:
    """The programming language of a component, "" when nothing tells."""
    said = (
        entity.labels.get("language", ""),
        entity.text("language"),
        *entity.tags,
        *(facts.technologies if facts else ()),
    )
    return next((LANGUAGES[word.lower()] for word in said if word.lower() in LANGUAGES), "")


def is_external(entity: Entity) -> bool:
    """Whether it lies outside the organisation: by its type (`external`, `third-party`, `saas`), a tag or a label."""
    return (
        re.sub(r"[^a-z]", "", entity.type.lower()) in _EXTERNAL
        or "external" in entity.tags
        or entity.labels.get("external") == "true"
    )


def _words(text: str) -> Iterable[str]:
    return [word for word in _BREAKS.split(text.lower()[:200]) if word]
