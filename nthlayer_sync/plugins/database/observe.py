"""What the roles of services are and may do in one database now, in the shape in which it is asked for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from nthlayer_sync.plugins.database.users import Role

if TYPE_CHECKING:
    from asyncpg import Connection, Record

ENDINGS = ("owner", "rw", "ro")
"""What the names of our roles end with, the owner's first."""
_SHOWN = 20
"""Strays that are told one by one: a schema may have thousands of tables."""

# Column names of newer versions are looked up by name, so that an older server is not asked for what it has not.
_ROLES = """
SELECT r.oid, r.rolname AS name, r.rolcanlogin AS login, r.rolconnlimit AS connections,
  coalesce(shobj_description(r.oid, 'pg_authid'), '') AS mark,
  array_remove(ARRAY[CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
    CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
    CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS powers,
  ARRAY(SELECT unnest(s.setconfig) FROM pg_db_role_setting s WHERE s.setrole = r.oid
    AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY s.setdatabase) AS settings,
  ARRAY(SELECT m.rolname::text FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member
    WHERE a.roleid = r.oid AND m.rolname <> current_user
    AND coalesce(to_jsonb(a) ->> 'set_option', to_jsonb(a) ->> 'inherit_option', 'true') = 'true') AS members,
  ARRAY(SELECT g.rolname::text FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid
    WHERE a.member = r.oid AND coalesce(shobj_description(g.oid, 'pg_authid'), '') NOT LIKE 'nthlayer-sync %'
  ) AS belongs
FROM pg_roles r WHERE CASE WHEN $1::text[] IS NULL THEN r.rolname ~ '_(owner|rw|ro)$' ELSE r.rolname = ANY ($1) END
"""
_GRANTS = """
SELECT a.grantee, 'database' AS what, NULL AS schema, NULL AS name, a.privilege_type AS privilege
FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = current_database() AND a.grantee = ANY ($1)
UNION ALL
SELECT a.grantee, 'schema', n.nspname, n.nspname, a.privilege_type
FROM pg_namespace n, aclexplode(n.nspacl) a WHERE a.grantee = ANY ($1) AND n.nspowner <> a.grantee
UNION ALL
SELECT a.grantee, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname, c.relname, a.privilege_type
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
WHERE a.grantee = ANY ($1) AND c.relowner <> a.grantee
UNION ALL
SELECT a.grantee, 'column', n.nspname, c.relname || '.' || t.attname, a.privilege_type
FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
  aclexplode(t.attacl) a
WHERE a.grantee = ANY ($1) AND c.relowner <> a.grantee
UNION ALL
SELECT a.grantee, 'new ' || CASE d.defaclobjtype WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'function'
  WHEN 'T' THEN 'type' ELSE 'schema' END, coalesce(n.nspname, '*'), d.defaclrole::regrole::text, a.privilege_type
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
WHERE a.grantee = ANY ($1) AND d.defaclrole <> a.grantee
"""
_THERE = """
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS what, n.nspname AS schema, c.relname AS name,
  c.relowner AS owner
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""

Grants = Mapping[tuple[str, str, str], frozenset[str]]
"""Privileges of one role by what sort of thing, its schema and its name."""


class Found(msgspec.Struct, frozen=True):
    """The roles of one service as they are; `marks` are the comments they bear."""

    stem: str
    marks: frozenset[str]
    schema: str
    roles: tuple[Role, ...]

    @property
    def absent(self) -> bool:
        """Whether they have nothing to do with this database; another one of the cluster may be theirs."""
        return not any(r.database or r.schema or r.tables or r.sequences or r.strays for r in self.roles)


def names_of(stem: str) -> list[str]:
    """What the roles of a service can be called."""
    return [f"{stem}_{ending}" for ending in ENDINGS]


async def find(connection: Connection[Record], stems: Collection[str] | None) -> dict[str, Found]:
    """The roles of these services (None: of all), by what their names begin with."""
    wanted = None if stems is None else [name for stem in stems for name in names_of(stem)]
    rows = await connection.fetch(_ROLES, wanted)
    grants = await _grants(connection, [row["oid"] for row in rows])
    families = defaultdict[str, list[Any]](list)
    for row in rows:
        families[row["name"].rpartition("_")[0]].append(row)
    schemas = {stem: _schema(family) for stem, family in families.items()}
    there = defaultdict[str, list[Any]](list)
    for thing in await connection.fetch(_THERE, sorted(set(schemas.values()))):
        there[thing["schema"]].append(thing)

    def assembled() -> dict[str, Found]:
        return {
            stem: _family(stem, family, schemas[stem], grants, there[schemas[stem]])
            for stem, family in families.items()
        }

    return await asyncio.to_thread(assembled)  # roles times tables, which may be many


def _family(
    stem: str, rows: Collection[Any], schema: str, grants: Mapping[int, Grants], there: Collection[Any]
) -> Found:
    rows = sorted(rows, key=lambda row: ENDINGS.index(row["name"].rpartition("_")[2]))
    roles = [_role(row, f"{stem}_owner", schema, grants[row["oid"]], there) for row in rows]
    return Found(stem, frozenset(row["mark"] for row in rows), schema, tuple(roles))


async def _grants(connection: Connection[Record], roles: list[int]) -> dict[int, Grants]:
    collected = defaultdict[int, defaultdict[tuple[str, str, str], set[str]]](lambda: defaultdict(set))
    for row in await connection.fetch(_GRANTS, roles):
        collected[row["grantee"]][row["what"], row["schema"] or "", row["name"] or ""].add(row["privilege"])
    return {role: {key: frozenset(held) for key, held in collected[role].items()} for role in roles}


def _schema(family: Iterable[Any]) -> str:
    """The schema their sessions look in first; `public` where nothing is said."""
    for row in family:
        path = _settings(row["settings"]).get("search_path", "")
        if path:
            return path.partition(",")[0]
    return "public"


def _settings(written: Iterable[str]) -> dict[str, str]:
    """Settings by name. PostgreSQL quotes a schema in `search_path` whose name is a word of SQL as well."""
    pairs = {name: value for name, _, value in (text.partition("=") for text in written)}
    path = pairs.get("search_path", "")
    if path.startswith('"') and path.endswith('"') and path.count('"') == 2:
        pairs["search_path"] = path[1:-1]
    return pairs


def _role(row: Any, owner: str, schema: str, grants: Grants, there: Iterable[Any]) -> Role:
    tables = grants.get(("new table", schema, owner), frozenset())
    sequences = grants.get(("new sequence", schema, owner), frozenset())
    strays = sorted(_strays(row["oid"], owner, schema, grants, there))
    if len(strays) > _SHOWN:
        strays = [*strays[:_SHOWN], f"and {len(strays) - _SHOWN} more"]
    return Role(
        name=row["name"],
        login=row["login"],
        connections=row["connections"],
        settings=dict(sorted(_settings(row["settings"]).items())),
        members=tuple(sorted(row["members"])),
        database=tuple(sorted(grants.get(("database", "", ""), ()))),
        schema=tuple(sorted(grants.get(("schema", schema, schema), ()))),
        tables=tuple(sorted(tables)),
        sequences=tuple(sorted(sequences)),
        powers=tuple(row["powers"]),
        belongs=tuple(sorted(row["belongs"])),
        strays=tuple(strays),
    )


def _strays(role: int, owner: str, schema: str, grants: Grants, there: Iterable[Any]) -> Iterator[str]:
    """Privileges that are more or less than what the owner's new tables and sequences give."""
    usual = {what: grants.get((f"new {what}", schema, owner), frozenset[str]()) for what in ("table", "sequence")}
    seen = {("database", "", ""), ("schema", schema, schema), *((f"new {what}", schema, owner) for what in usual)}
    for thing in there:
        key = (thing["what"], schema, thing["name"])
        seen.add(key)
        held = grants.get(key, frozenset())
        if thing["owner"] != role and held != usual[thing["what"]]:
            yield _told(key, held)
    for key in grants.keys() - seen:
        yield _told(key, grants[key])


def _told(key: tuple[str, str, str], held: Collection[str]) -> str:
    what, schema, name = key
    place = f"of {name} in {schema}" if what.startswith("new ") else ".".join(dict.fromkeys((schema, name)))
    return f"{what} {place}: {', '.join(sorted(held)) or 'nothing'}"
