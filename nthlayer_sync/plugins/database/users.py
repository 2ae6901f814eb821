"""database/users: the roles of each service in each PostgreSQL database it depends on, and what they may do.

A service that writes has three: `<service>_owner` owns the tables and nobody logs in as it, `<service>_rw` is the
service itself, `<service>_ro` reads. Whoever else reads becomes a member of `<service>_ro`, which the owner of the data
says. A service that only reads has `<service>_ro` alone, and logs in as it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint import Roles
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.ref import DEFAULT_NAMESPACE, EntityRef, ref_parts
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK

INSTANCE = "default"
"""The name of an installation that was given none."""
TECHNOLOGY = "postgresql"
UNLIMITED = -1
"""PostgreSQL's own sign for no limit of connections."""

# https://www.postgresql.org/docs/current/ddl-priv.html
_ENTERS = ("CONNECT",)
_READS = ("SELECT",)
_WRITES = ("DELETE", "INSERT", "SELECT", "UPDATE")
_COUNTS = ("SELECT", "USAGE")

# NAMEDATALEN - 1, beyond which PostgreSQL cuts names: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
_LONGEST = 63
_encode = msgspec.json.Encoder(order="deterministic").encode
_STEM = re.compile(r"(?!pg_)[a-z_][a-z0-9_]*")
_DATABASE = re.compile(r"[a-z0-9][a-z0-9._-]*")


class Role(msgspec.Struct, frozen=True, omit_defaults=True):
    """One role of a service in one database.

    `tables` and `sequences` are privileges on those that are in the schema now and those that the owner role adds.
    `strays` tells of privileges beside these, `powers` of attributes such as SUPERUSER, `belongs` of memberships in
    roles that are not ours: we want none of them, and what is live may have some.
    """

    name: str
    login: bool = False
    connections: int = UNLIMITED
    settings: dict[str, str] = {}
    members: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    schema: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    powers: tuple[str, ...] = ()
    belongs: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()


class UsersSpec(Spec, frozen=True):
    """The roles of one service in one database; the owner role, where there is one, comes first."""

    database: EntityRef
    mark: str
    schema: str
    roles: tuple[Role, ...]


def mark(instance: str, service: EntityRef) -> str:
    """The comment that each of our roles bears."""
    return f"{MARK} {instance} {service}"


def generate(service: Service, instance: str = INSTANCE) -> Iterator[UsersSpec]:
    """One for each PostgreSQL database that the service needs."""
    for database in [n.ref for n in service.depends_on if n.technology == TECHNOLOGY and n.kind == "resource"]:
        database_key(database)
        yield UsersSpec(
            database=database,
            mark=mark(instance, service.ref),
            schema=service.blueprint.data.postgresql.search_path,
            roles=tuple(_roles(stem_of(service.ref), service.blueprint.data.postgresql)),
        )


def stem_of(service: EntityRef) -> str:
    """What the names of a service's roles begin with; PermanentError where no good name can be made of its own."""
    _, namespace, name = ref_parts(service)
    stem = re.sub(r"[-.]", "_", name if namespace == DEFAULT_NAMESPACE else f"{namespace}_{name}")
    if not _STEM.fullmatch(stem) or len(stem) > _LONGEST - len("_owner"):
        raise PermanentError(
            f"{service}: {stem[:80]!r} cannot begin the name of a role: letters, digits and _, not pg_ in front,"
            f" at most {_LONGEST - len('_owner')} of them"
        )
    return stem


def database_key(database: EntityRef) -> str:
    """What a database is called among those of one service, and in the names of files."""
    _, namespace, name = ref_parts(database)
    key = name if namespace == DEFAULT_NAMESPACE else f"{namespace}.{name}"
    if not _DATABASE.fullmatch(key) or len(key) > 200:
        raise PermanentError(f"{database} cannot name a file: a-z, 0-9 and ._- only")
    return key


def _roles(stem: str, asked: Roles) -> Iterator[Role]:
    settings = {
        "idle_in_transaction_session_timeout": f"{asked.idle_timeout.milliseconds}ms",
        "search_path": asked.search_path,
        "statement_timeout": f"{asked.statement_timeout.milliseconds}ms",
    }
    readers, owners = _sorted(asked.readers), _sorted(asked.migrators)
    if asked.access == "read-only":
        name = f"{stem}_ro"
        yield Role(
            name, login=True, connections=asked.connections, settings=settings, members=readers, database=_ENTERS
        )
        return
    usage = ("USAGE",)
    yield Role(f"{stem}_owner", members=owners, database=_ENTERS, schema=("CREATE", "USAGE"))
    yield Role(
        f"{stem}_rw",
        login=True,
        connections=asked.connections,
        settings=settings,
        database=_ENTERS,
        schema=usage,
        tables=_WRITES,
        sequences=_COUNTS,
    )
    yield Role(f"{stem}_ro", members=readers, database=_ENTERS, schema=usage, tables=_READS, sequences=_READS)


def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def content(spec: UsersSpec) -> str:
    """What is compared with a database itself."""
    return _encode(spec).decode()


def _script(spec: UsersSpec) -> str:
    from nthlayer_sync.plugins.database.sql import script

    return script(spec)


USERS = FileKind(
    name="database/users",
    version=1,
    summary="roles and privileges in PostgreSQL, by service",
    subject=Service,
    spec=UsersSpec,
    generate=generate,
    name_of=lambda spec: database_key(spec.database),
    path=lambda service, spec: f"database/{database_key(spec.database)}.users.sql",
    render=_script,
)
