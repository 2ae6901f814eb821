"""Databases: the roles of services, as SQL files or in the databases themselves."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import parse_ref
from nthlayer_sync.model.service import Subject
from nthlayer_sync.plugins.database.connect import Databases
from nthlayer_sync.plugins.database.sql import script
from nthlayer_sync.plugins.database.target import PostgresTarget, live_place
from nthlayer_sync.plugins.database.users import INSTANCE, USERS, UsersSpec, content, generate, stem_of
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.plugin import LiveSettings, OperationalPlugin
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.secrets import SecretRef
from nthlayer_sync.sdk.secrets.reference import check_reference
from nthlayer_sync.sdk.target import Target


def _password(text: str) -> str:
    check_reference(text.replace("{role}", "role"))
    return text


class Connection(BaseModel):
    """One database that is managed live."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    resource: Annotated[str, AfterValidator(lambda text: parse_ref(text, kind="resource"))] = Field(
        description="The resource in the catalog that stands for it.", examples=["resource:default/payments-db"]
    )
    dsn: SecretRef = Field(description="Where its DSN is kept, such as postgresql://admin:password@host/payments.")


class DatabaseSettings(LiveSettings):
    """Which databases are managed live; the roles in all others are SQL files in Git."""

    databases: tuple[Connection, ...] = Field(default=(), description="The databases that are managed live.")
    password: Annotated[str, AfterValidator(_password)] | None = Field(
        default=None,
        description="Where the first password of a role that logs in is kept, {role} standing for its name;"
        " without it roles are made without a password. It is set when a role is made, and never changed.",
        examples=["file:/run/secrets/database/{role}"],
    )


class Plugin(OperationalPlugin):
    """Who may do what in which database."""

    name = "database"
    version = "1"
    category = Category.ACCESS
    summary = "who may do what in which database"
    kinds = (USERS,)
    settings_type = DatabaseSettings
    settings: DatabaseSettings

    def __init__(self, settings: DatabaseSettings, runtime: Runtime | None = None) -> None:
        """The settings say which databases are live; roles bear the name of this installation in either case."""
        super().__init__(settings, runtime)
        self._live = {connection.resource for connection in settings.databases}
        instance = runtime.instance if runtime else INSTANCE
        users = replace(USERS, render=self._render, generate=partial(generate, instance=instance))
        self.active = tuple(users if kind is USERS else kind for kind in self.active)

    def connect(self, runtime: Runtime) -> Target | None:
        """The databases that the settings name."""
        if not self.settings.databases:
            return None
        addresses = {connection.resource: connection.dsn for connection in self.settings.databases}
        databases = Databases(addresses, runtime.secrets)
        password, read_only = self.settings.password or "", self.settings.read_only
        return PostgresTarget(databases, runtime.secrets, runtime.instance, password, read_only=read_only)

    def place(self, kind: Kind[Any, Any], subject: Subject, spec: Any) -> Place:
        """In the database itself where the settings name it, else in a file."""
        if spec.database in self._live:
            return live_place(spec.database, stem_of(subject.ref))
        return super().place(kind, subject, spec)

    def _render(self, spec: UsersSpec) -> str:
        return content(spec) if spec.database in self._live else script(spec)
