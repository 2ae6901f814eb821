"""Which packages show which technology: the table behind `CodeFacts.technologies`. Names are those of the alert packs.

Keys are names of packages, or their beginnings where they end in `*`; of Maven packages, the artefact's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

POSTGRESQL, MYSQL, MONGODB, REDIS = "postgresql", "mysql", "mongodb", "redis"
MEMCACHED, KAFKA, RABBITMQ, ELASTICSEARCH, SQS = "memcached", "kafka", "rabbitmq", "elasticsearch", "sqs"

PACKAGES: Mapping[str, Mapping[str, str]] = {
    "python": {
        **dict.fromkeys(("psycopg*", "asyncpg", "pg8000", "aiopg"), POSTGRESQL),
        **dict.fromkeys(("pymysql", "mysqlclient", "mysql-connector*", "aiomysql", "asyncmy", "mariadb"), MYSQL),
        **dict.fromkeys(("pymongo", "motor", "mongoengine", "beanie", "odmantic"), MONGODB),
        **dict.fromkeys(("redis", "aioredis", "coredis", "valkey*", "django-redis", "hiredis"), REDIS),
        **dict.fromkeys(("pymemcache", "python-memcached", "pylibmc", "aiomcache"), MEMCACHED),
        **dict.fromkeys(("kafka-python*", "confluent-kafka", "aiokafka", "faust*"), KAFKA),
        **dict.fromkeys(("pika", "aio-pika", "kombu", "amqp", "aiormq"), RABBITMQ),
        **dict.fromkeys(("elasticsearch*", "opensearch-py", "opensearch-dsl"), ELASTICSEARCH),
        **dict.fromkeys(("boto3-sqs", "sqs-*", "aiosqs"), SQS),
    },
    "javascript": {
        **dict.fromkeys(("pg", "pg-promise", "postgres", "pg-native", "@neondatabase/serverless"), POSTGRESQL),
        **dict.fromkeys(("mysql", "mysql2", "mariadb"), MYSQL),
        **dict.fromkeys(("mongodb", "mongoose", "mongoist"), MONGODB),
        **dict.fromkeys(("redis", "ioredis", "@redis/*", "iovalkey", "bull", "bullmq"), REDIS),
        **dict.fromkeys(("memcached", "memjs"), MEMCACHED),
        **dict.fromkeys(("kafkajs", "node-rdkafka", "kafka-node", "@confluentinc/kafka-javascript"), KAFKA),
        **dict.fromkeys(("amqplib", "amqp-connection-manager", "rascal"), RABBITMQ),
        **dict.fromkeys(("@elastic/elasticsearch", "elasticsearch", "@opensearch-project/opensearch"), ELASTICSEARCH),
        **dict.fromkeys(("@aws-sdk/client-sqs", "sqs-consumer", "sqs-producer"), SQS),
    },
    "go": {
        **dict.fromkeys(("github.com/lib/pq", "github.com/jackc/pgx*", "github.com/go-pg/*"), POSTGRESQL),
        **dict.fromkeys(("github.com/go-sql-driver/mysql", "gorm.io/driver/mysql"), MYSQL),
        "gorm.io/driver/postgres": POSTGRESQL,
        "go.mongodb.org/mongo-driver*": MONGODB,
        **dict.fromkeys(
            ("github.com/redis/*", "github.com/go-redis/*", "github.com/gomodule/redigo", "github.com/valkey-io/*"),
            REDIS,
        ),
        "github.com/bradfitz/gomemcache": MEMCACHED,
        **dict.fromkeys(
            (
                *("github.com/segmentio/kafka-go", "github.com/ibm/sarama", "github.com/shopify/sarama"),
                *("github.com/confluentinc/confluent-kafka-go*", "github.com/twmb/franz-go"),
            ),
            KAFKA,
        ),
        **dict.fromkeys(("github.com/rabbitmq/*", "github.com/streadway/amqp"), RABBITMQ),
        **dict.fromkeys(("github.com/elastic/go-elasticsearch*", "github.com/opensearch-project/*"), ELASTICSEARCH),
        "github.com/olivere/elastic*": ELASTICSEARCH,
        "github.com/aws/aws-sdk-go-v2/service/sqs": SQS,
    },
    "java": {
        **dict.fromkeys(("postgresql", "r2dbc-postgresql", "quarkus-jdbc-postgresql", "pgjdbc-ng"), POSTGRESQL),
        **dict.fromkeys(("mysql-connector*", "mariadb-java-client", "quarkus-jdbc-mysql", "r2dbc-mysql"), MYSQL),
        **dict.fromkeys(("mongodb-driver*", "mongo-java-driver", "spring-boot-starter-data-mongodb*"), MONGODB),
        **dict.fromkeys(("jedis", "lettuce-core", "redisson*", "spring-boot-starter-data-redis*"), REDIS),
        **dict.fromkeys(("spymemcached", "xmemcached"), MEMCACHED),
        **dict.fromkeys(("kafka-clients", "kafka-streams", "spring-kafka", "reactor-kafka", "quarkus-kafka*"), KAFKA),
        **dict.fromkeys(("amqp-client", "spring-rabbit", "spring-boot-starter-amqp"), RABBITMQ),
        **dict.fromkeys(
            ("elasticsearch*", "opensearch-java", "spring-boot-starter-data-elasticsearch", "opensearch-rest*"),
            ELASTICSEARCH,
        ),
        **dict.fromkeys(("sqs", "aws-java-sdk-sqs", "spring-cloud-aws-starter-sqs"), SQS),
    },
    "rust": {
        **dict.fromkeys(("postgres", "tokio-postgres", "sqlx-postgres", "deadpool-postgres"), POSTGRESQL),
        **dict.fromkeys(("mysql", "mysql_async", "sqlx-mysql"), MYSQL),
        "mongodb": MONGODB,
        **dict.fromkeys(("redis", "fred", "deadpool-redis"), REDIS),
        "memcache": MEMCACHED,
        **dict.fromkeys(("rdkafka", "kafka"), KAFKA),
        **dict.fromkeys(("lapin", "amqprs"), RABBITMQ),
        **dict.fromkeys(("elasticsearch", "opensearch"), ELASTICSEARCH),
        "aws-sdk-sqs": SQS,
    },
    "ruby": {
        **dict.fromkeys(("pg", "sequel_pg"), POSTGRESQL),
        **dict.fromkeys(("mysql2", "trilogy"), MYSQL),
        **dict.fromkeys(("mongo", "mongoid"), MONGODB),
        **dict.fromkeys(("redis", "redis-client", "sidekiq"), REDIS),
        "dalli": MEMCACHED,
        **dict.fromkeys(("ruby-kafka", "rdkafka", "karafka"), KAFKA),
        **dict.fromkeys(("bunny", "sneakers"), RABBITMQ),
        **dict.fromkeys(("elasticsearch*", "searchkick", "opensearch-ruby"), ELASTICSEARCH),
        **dict.fromkeys(("aws-sdk-sqs", "shoryuken"), SQS),
    },
    "php": {
        "ext-pgsql": POSTGRESQL,
        "ext-pdo_pgsql": POSTGRESQL,
        **dict.fromkeys(("ext-mysqli", "ext-pdo_mysql"), MYSQL),
        **dict.fromkeys(("mongodb/mongodb", "ext-mongodb", "doctrine/mongodb-odm"), MONGODB),
        **dict.fromkeys(("predis/predis", "ext-redis"), REDIS),
        "ext-memcached": MEMCACHED,
        **dict.fromkeys(("ext-rdkafka", "mateusjunges/laravel-kafka"), KAFKA),
        **dict.fromkeys(("php-amqplib/php-amqplib", "ext-amqp"), RABBITMQ),
        **dict.fromkeys(("elasticsearch/elasticsearch", "ruflin/elastica"), ELASTICSEARCH),
    },
    "csharp": {
        **dict.fromkeys(("npgsql*",), POSTGRESQL),
        **dict.fromkeys(("mysql.data*", "mysqlconnector", "pomelo.entityframeworkcore.mysql"), MYSQL),
        "mongodb.driver*": MONGODB,
        **dict.fromkeys(("stackexchange.redis", "microsoft.extensions.caching.stackexchangeredis"), REDIS),
        "enyimmemcachedcore": MEMCACHED,
        "confluent.kafka": KAFKA,
        **dict.fromkeys(("rabbitmq.client", "masstransit.rabbitmq"), RABBITMQ),
        **dict.fromkeys(("elastic.clients.elasticsearch", "nest", "opensearch.client"), ELASTICSEARCH),
        "awssdk.sqs": SQS,
    },
}


def technologies(language: str, packages: Iterable[str]) -> Iterator[str]:
    """The technologies that the packages of a language show; a package may show none."""
    exact, beginnings = _split(language)
    for package in packages:
        name = package.lower()
        if name in exact:
            yield exact[name]
        else:
            yield from (shown for beginning, shown in beginnings if name.startswith(beginning))


@lru_cache(maxsize=32)
def _split(language: str) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    table = PACKAGES.get(language, {})
    exact = {key: shown for key, shown in table.items() if not key.endswith("*")}
    return exact, tuple((key[:-1], shown) for key, shown in table.items() if key.endswith("*"))
