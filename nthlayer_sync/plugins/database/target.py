"""Reads and writes the roles of services in PostgreSQL: one transaction for each database and batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.model.config import ConfigId, Observed
from nthlayer_sync.model.diff import Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Outcome, Result
from nthlayer_sync.plugins.database import sql
from nthlayer_sync.plugins.database.connect import Databases, failure
from nthlayer_sync.plugins.database.observe import Found, find
from nthlayer_sync.plugins.database.password import verifier
from nthlayer_sync.plugins.database.users import UsersSpec, content, mark
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sdk.target import Movement

if TYPE_CHECKING:
    from asyncpg import Connection, Record

NAME = "database"
COLLECTION = "users"
_WAIT_FOR_LOCK = 10_000
"""Milliseconds that a statement waits for what somebody else holds."""
_SHOWN = 5
"""Objects that are named when a role owns some."""


_OWNED = """
SELECT CASE WHEN d.dbid IN (0, h.oid) THEN pg_describe_object(d.classid, d.objid, d.objsubid)
  ELSE 'something in the database ' || (SELECT datname FROM pg_database WHERE oid = d.dbid) END AS what
FROM pg_shdepend d, pg_database h
WHERE h.datname = current_database() AND d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o'
  AND d.classid <> 'pg_default_acl'::regclass AND d.refobjid = to_regrole(quote_ident($1)) ORDER BY 1
"""
_ELSEWHERE = """
SELECT EXISTS (
  SELECT FROM pg_shdepend d, pg_database h
  WHERE h.datname = current_database() AND d.refclassid = 'pg_authid'::regclass
    AND d.refobjid = to_regrole(quote_ident($1))
    AND (d.dbid NOT IN (0, h.oid) OR (d.classid = 'pg_database'::regclass AND d.objid <> h.oid))
)
"""


def live_place(database: EntityRef, stem: str) -> Place:
    """Where the roles whose names begin with `stem` stand in a database."""
    return Place(f"{NAME}:{database}", f"{COLLECTION}/{stem}")


class PostgresTarget:
    """The databases that the settings name; the root of each is `database:` and the reference of its resource.

    `password` names the secret with the first password of a role that logs in, `{role}` standing for the role; ""
    makes roles without one. A password that is there already is never changed. `read_only` refuses every write.
    """

    name = NAME
    settles = 0.0

    def __init__(
        self, databases: Databases, secrets: Secrets, instance: str, password: str = "", *, read_only: bool = False
    ) -> None:
        self._read_only = read_only
        self._databases = databases
        self._secrets = secrets
        self._instance = instance
        self._password = password

    async def moved(self, root: str, since: str) -> Movement:
        """A database does not tell what moved."""
        return Movement("", None)

    async def revisions(self, root: str, paths: Collection[str] | None) -> Mapping[str, str]:
        """The digest of each service's roles, whoever made them."""
        stems = None if paths is None else [_stem(path) for path in paths]
        async with self._databases.connected(_database(root)) as connection:
            found = await find(connection, stems)
        return {f"{COLLECTION}/{stem}": _revision(root, each) for stem, each in found.items()}

    async def confirm(self, root: str, remotes: Mapping[str, str]) -> Mapping[str, str]:
        """Nothing: a list shows all there is."""
        return {}

    async def read(self, root: str, paths: Mapping[ConfigId, str]) -> Mapping[ConfigId, Observed]:
        """The roles as they are."""
        async with self._databases.connected(_database(root)) as connection:
            found = await find(connection, {_stem(path) for path in paths.values()})
        return {
            id: self._observed(id, Place(root, path), found[_stem(path)])
            for id, path in paths.items()
            if _stem(path) in found
        }

    async def write(self, batch: Sequence[Diff], idempotency_key: str) -> list[Result]:
        """One transaction; a change that cannot be made is taken back alone."""
        if self._read_only:
            raise PermanentError(f"{self.name}: only reading is allowed here")
        root = _place(batch[0]).root
        done: list[Result] = []
        asked = False
        try:
            async with self._databases.connected(_database(root)) as connection:
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute(f"SET LOCAL lock_timeout = '{_WAIT_FOR_LOCK}ms'; {sql.LOCK}")
                done = [await self._try(connection, diff) for diff in batch]
                asked = True
                await transaction.commit()
        except Failure as error:
            if not asked:
                raise
            # The connection broke while the server was to commit: it may have done so.
            return [_unsure(result, error) for result in done]
        return done

    async def _try(self, connection: Connection[Record], diff: Diff) -> Result:
        from asyncpg import InterfaceError, PostgresError

        try:
            async with connection.transaction():
                return await self._change(connection, diff)
        except (PostgresError, InterfaceError, Failure) as error:
            if connection.is_closed():
                raise
            said = error if isinstance(error, Failure) else failure(error, _database(_place(diff).root))
            temporary = isinstance(said, TemporaryError)
            return Result(id=diff.id, outcome=Outcome.FAILED, reason=str(said), temporary=temporary)

    async def _change(self, connection: Connection[Record], diff: Diff) -> Result:
        place = _place(diff)
        stem = _stem(place.path)
        found = (await find(connection, [stem])).get(stem)
        observed = self._observed(diff.id, place, found) if found else None
        if observed is not None and not observed.marked:
            raise PermanentError(f"{place} is there already and does not bear our mark")
        if (observed.content if observed else None) == diff.after:
            return _result(diff, Outcome.UNCHANGED, place.root, found)
        if (observed.revision if observed else "") != (diff.actual.revision if diff.actual else ""):
            raise TemporaryError(f"{place} changed since the plan; plan again")
        spec = msgspec.json.decode(diff.after, type=UsersSpec) if diff.after is not None else None
        before = {role.name for role in found.roles} if found else set[str]()
        wanted = {role.name: role for role in spec.roles} if spec else {}
        if gone := sorted(before - wanted.keys()):
            await _check_owns_nothing(connection, gone)
            await connection.execute(sql.take_back(sorted(before)))  # what they grant each other goes as well
            await _drop(connection, gone)
        if spec is not None:
            await connection.execute(sql.statements(spec))
            for name in sorted(wanted.keys() - before):
                if wanted[name].login and self._password:
                    await self._set_password(connection, name)
        after = (await find(connection, [stem])).get(stem)
        now = self._observed(diff.id, place, after).content if after else None
        if now != diff.after:
            raise PermanentError(f"{place}: the database did not become what was asked; it is now {now}"[:2000])
        return _result(diff, Outcome.DONE, place.root, after)

    async def _set_password(self, connection: Connection[Record], role: str) -> None:
        secret = verifier(await self._secrets.value(self._password.replace("{role}", role)))
        await connection.execute(f"ALTER ROLE {sql.name(role)} PASSWORD {sql.literal(secret)}")

    def _observed(self, id: ConfigId, place: Place, found: Found) -> Observed:
        ours = found.marks == frozenset({mark(self._instance, id.subject)})
        text = None if ours and found.absent else _content(place.root, found)
        return Observed(id, place, _revision(place.root, found), text, marked=ours)


async def _check_owns_nothing(connection: Connection[Record], roles: Sequence[str]) -> None:
    for role in roles:
        owned = await connection.fetch(_OWNED, role)
        if owned:
            named = ", ".join(row["what"] for row in owned[:_SHOWN])
            more = f" and {len(owned) - _SHOWN} more" if len(owned) > _SHOWN else ""
            raise PermanentError(f"the role {role} owns {named}{more}: give them to another owner first")


async def _drop(connection: Connection[Record], roles: Sequence[str]) -> None:
    """Take roles away; one stays where another database of the cluster still has something of it."""
    for role in roles:
        if not await connection.fetchval(_ELSEWHERE, role):
            await connection.execute(f"DROP ROLE {sql.name(role)}")


def _content(root: str, found: Found) -> str:
    spec = UsersSpec(
        database=EntityRef(_database(root)),
        mark=", ".join(sorted(found.marks)),
        schema=found.schema,
        roles=found.roles,
    )
    return content(spec)


def _revision(root: str, found: Found) -> str:
    return blake2b(_content(root, found).encode(), digest_size=16).hexdigest()


def _result(diff: Diff, outcome: Outcome, root: str, found: Found | None) -> Result:
    return Result(id=diff.id, outcome=outcome, revision=_revision(root, found) if found else "")


def _unsure(result: Result, error: Failure) -> Result:
    if result.outcome is not Outcome.DONE:
        return result
    return msgspec.structs.replace(result, outcome=Outcome.UNKNOWN, reason=str(error), temporary=True)


def _place(diff: Diff) -> Place:
    place = diff.desired.place if diff.desired else diff.actual.place if diff.actual else None
    assert place is not None
    return place


def _database(root: str) -> str:
    return root.partition(":")[2]


def _stem(path: str) -> str:
    return path.partition("/")[2]
