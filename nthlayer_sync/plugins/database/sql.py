"""The SQL that brings the roles of one service about, whatever was there before.

Names of our own roles and of schemas hold letters, digits and `_` only. Every other name comes from people; it is
quoted, and where it stands in a block, the block's end is chosen so that no name can hold it.
"""

# ruff: noqa: S608 - what is put into statements goes through `name` or `literal`
from __future__ import annotations

from collections.abc import Iterable, Iterator

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.database.users import Role, UsersSpec
from nthlayer_sync.sdk.ownership import MARK

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('nthlayer-sync database/users', 0));\n"
"""Whoever changes roles waits here, so that two never do it at the same time; held until the transaction ends."""


def name(text: str) -> str:
    """`text` as an identifier. https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS"""
    if not text or "\0" in text or len(text.encode()) > 63:
        raise PermanentError(f"{text[:80]!r} is not a name of PostgreSQL: 1 to 63 bytes")
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a constant that reads the same whatever `standard_conforming_strings` says."""
    if "\0" in text:
        raise PermanentError("a text of PostgreSQL holds no NUL")
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return f"E{quoted}" if "\\" in text else quoted


def script(spec: UsersSpec) -> str:
    """A file for `psql`: one transaction."""
    return (
        f"-- Managed by {MARK}: change the blueprint, not this file.\n"
        f"-- Run it in the database {spec.database}, as a role that may create roles and grant what is in its schema:\n"
        f"-- psql --set=ON_ERROR_STOP=1 --file=...\n"
        f"BEGIN;\n{LOCK}{statements(spec)}COMMIT;\n"
    )


def statements(spec: UsersSpec) -> str:
    """What the transaction does."""
    names = [role.name for role in spec.roles]
    return "".join(
        (
            _block(_create(names, spec.mark)),
            *(line for role in spec.roles for line in _attributes(role)),
            take_back(names),
            *(line for role in spec.roles for line in _grants(role, spec)),
            *(_block(_members(role)) for role in spec.roles),
        )
    )


def take_back(names: Iterable[str]) -> str:
    """Take from roles whatever they were granted in this database; what they own stays theirs."""
    return _block(f"""DECLARE
  held record;
BEGIN
  FOR held IN
    SELECT DISTINCT r.rolname AS role,
      format(CASE c.relkind WHEN 'S' THEN 'SEQUENCE %I.%I' ELSE 'TABLE %I.%I' END, n.nspname, c.relname) AS what
    FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rolname = ANY ({_array(names)}) AND c.relowner <> r.oid AND (
      EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = r.oid)
      OR EXISTS (
        SELECT FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = c.oid AND a.grantee = r.oid
      )
    )
    UNION ALL
    SELECT DISTINCT r.rolname, format('SCHEMA %I', n.nspname)
    FROM pg_roles r, pg_namespace n, aclexplode(n.nspacl) a
    WHERE r.rolname = ANY ({_array(names)}) AND a.grantee = r.oid AND n.nspowner <> r.oid
    UNION ALL
    SELECT DISTINCT r.rolname, format('DATABASE %I', d.datname)
    FROM pg_roles r, pg_database d, aclexplode(d.datacl) a
    WHERE r.rolname = ANY ({_array(names)}) AND a.grantee = r.oid AND d.datname = current_database()
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %I', held.what, held.role);
  END LOOP;
  FOR held IN
    SELECT DISTINCT r.rolname AS role, d.defaclrole::regrole AS maker, n.nspname AS schema,
      CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
        WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END AS what
    FROM pg_roles r, pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace,
      aclexplode(d.defaclacl) a
    WHERE r.rolname = ANY ({_array(names)}) AND a.grantee = r.oid AND d.defaclrole <> r.oid
  LOOP
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s', held.maker)
      || CASE WHEN held.schema IS NULL THEN '' ELSE format(' IN SCHEMA %I', held.schema) END
      || format(' REVOKE ALL ON %s FROM %I', held.what, held.role);
  END LOOP;
END""")


def _create(names: Iterable[str], mark: str) -> str:
    # From PostgreSQL 16 on, one who may create roles is no member of those it creates, unless it says so beforehand;
    # and only a superuser may write NOSUPERUSER, even where nothing changes by it.
    return f"""DECLARE
  role text;
  powers text;
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    PERFORM set_config('createrole_self_grant', 'set, inherit', true);
  END IF;
  FOREACH role IN ARRAY {_array(names)} LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I', role);
      EXECUTE format('COMMENT ON ROLE %I IS %L', role, {literal(mark)});
    ELSIF shobj_description(to_regrole(quote_ident(role)), 'pg_authid') IS DISTINCT FROM {literal(mark)} THEN
      RAISE EXCEPTION 'the role % exists and does not bear the mark of {MARK}', role;
    END IF;
    SELECT concat(CASE WHEN rolsuper THEN ' NOSUPERUSER' END, CASE WHEN rolcreatedb THEN ' NOCREATEDB' END,
      CASE WHEN rolcreaterole THEN ' NOCREATEROLE' END, CASE WHEN rolreplication THEN ' NOREPLICATION' END,
      CASE WHEN rolbypassrls THEN ' NOBYPASSRLS' END) INTO powers FROM pg_roles WHERE rolname = role;
    IF powers <> '' THEN
      EXECUTE format('ALTER ROLE %I', role) || powers;
    END IF;
    EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET ALL', role, current_database());
  END LOOP;
END"""


def _attributes(role: Role) -> Iterator[str]:
    login = "LOGIN" if role.login else "NOLOGIN"
    yield f"ALTER ROLE {name(role.name)} {login} INHERIT CONNECTION LIMIT {role.connections};\n"
    yield f"ALTER ROLE {name(role.name)} RESET ALL;\n"
    for setting, value in sorted(role.settings.items()):
        yield f"ALTER ROLE {name(role.name)} SET {setting} TO {literal(value)};\n"


def _grants(role: Role, spec: UsersSpec) -> Iterator[str]:
    yield _block(f"""BEGIN
  EXECUTE format('GRANT {", ".join(role.database)} ON DATABASE %I TO {name(role.name)}', current_database());
END""")
    schema, owner = name(spec.schema), name(spec.roles[0].name)
    if role.schema:
        yield f"GRANT {', '.join(role.schema)} ON SCHEMA {schema} TO {name(role.name)};\n"
    for what, privileges, kinds in (("TABLE", role.tables, "r, p, v, m, f"), ("SEQUENCE", role.sequences, "S")):
        if not privileges:
            continue
        granted = ", ".join(privileges)
        letters = ", ".join(f"'{kind}'" for kind in kinds.split(", "))
        yield _block(f"""DECLARE
  there record;
BEGIN
  FOR there IN
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = {literal(schema)}::regnamespace AND c.relkind IN ({letters})
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('GRANT {granted} ON {what} {schema}.%I TO {name(role.name)}', there.relname);
  END LOOP;
END""")
        yield (
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
            f" GRANT {granted} ON {what}S TO {name(role.name)};\n"
        )


def _members(role: Role) -> str:
    """Who is in a role: those that are wanted, whoever let others in; and what it is in: other roles of ours only."""
    ours = literal(role.name)
    wanted = _array(role.members)
    return f"""DECLARE
  held record;
  wanted text;
BEGIN
  FOR held IN
    SELECT g.rolname AS granted, m.rolname AS member, by.rolname AS grantor
    FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
      JOIN pg_roles by ON by.oid = a.grantor
    WHERE (g.rolname = {ours} AND m.rolname <> current_user AND m.rolname <> ALL ({wanted})
        AND coalesce(to_jsonb(a) ->> 'set_option', to_jsonb(a) ->> 'inherit_option', 'true') = 'true')
      OR (m.rolname = {ours} AND coalesce(shobj_description(g.oid, 'pg_authid'), '') NOT LIKE '{MARK} %')
  LOOP
    EXECUTE format('REVOKE %I FROM %I', held.granted, held.member)
      || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN format(' GRANTED BY %I', held.grantor)
         ELSE '' END;
  END LOOP;
  FOREACH wanted IN ARRAY {wanted} LOOP
    EXECUTE format('GRANT %I TO %I', {ours}, wanted);
  END LOOP;
END"""


def _array(texts: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(literal(text) for text in texts)}]::text[]"


def _block(body: str) -> str:
    """A DO block; nothing in `body` ends it."""
    tag = "$nthlayer$"
    while tag in body:
        tag = f"{tag[:-1]}_$"
    return f"DO {tag} {body} {tag};\n"
