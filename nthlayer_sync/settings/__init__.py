"""How the program runs: where facts come from, which plugins are on, where files land.

Policy numbers are no settings: they stand in the tier table, which the organisation's own may overlay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, ValidationError, field_validator

from nthlayer_sync.blueprint.check import Problem, did_you_mean, explain, place, problems
from nthlayer_sync.blueprint.layer import as_map
from nthlayer_sync.errors import InputError, PermanentError
from nthlayer_sync.git import check_branch
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.sdk.secrets import SecretRef
from nthlayer_sync.sdk.secrets.vault import VaultSettings
from nthlayer_sync.settings.part import Part
from nthlayer_sync.settings.serve import PostgresSettings, ServeSettings
from nthlayer_sync.yaml.read import locate, read_documents

FILE_NAME = "nthlayer-sync.yaml"
RESERVED = ("code", "codeowners")
"""Names of our own for where facts come from; no source may have them."""


class DirectorySettings(Part):
    """Catalog files below a directory of this machine."""

    type: Literal["directory"] = Field(description="What sort of source it is.")
    name: str = Field(default="directory", description="How the source is called in plans and messages.")
    path: str = Field(description="The directory, relative to the settings file.")
    files: tuple[str, ...] = Field(default=(), description="More file patterns to read, beside catalog-info.yaml.")
    exclude: tuple[str, ...] = Field(default=(), description="Patterns of files not to read, such as `templates/**`.")


class GitSettings(Part):
    """Catalog files of a Git repository, at its base branch."""

    type: Literal["git"] = Field(description="What sort of source it is.")
    name: str = Field(default="git", description="How the source is called in plans and messages.")
    url: str = Field(description="The repository: https, ssh, or a path on this machine.")
    files: tuple[str, ...] = Field(default=(), description="More file patterns to read, beside catalog-info.yaml.")
    exclude: tuple[str, ...] = Field(default=(), description="Patterns of files not to read, such as `templates/**`.")


class BackstageSettings(Part):
    """A Backstage catalog over its REST API."""

    type: Literal["backstage"] = Field(description="What sort of source it is.")
    name: str = Field(default="backstage", description="How the source is called in plans and messages.")
    url: str = Field(description="Base address of the backend, such as https://backstage.example.com.")
    token: SecretRef | None = Field(default=None, description="Where the token is.")


class CortexSettings(Part):
    """The Cortex.io catalog: over its API, or its descriptor files below a directory."""

    type: Literal["cortex"] = Field(description="What sort of source it is.")
    name: str = Field(default="cortex", description="How the source is called in plans and messages.")
    path: str | None = Field(default=None, description="Read descriptors below this directory, and not the API.")
    url: str = Field(default="https://api.getcortexapp.com", description="Base address of the API.")
    token: SecretRef | None = Field(default=None, description="Where the token is.")


SOURCES: Mapping[str, type[Part]] = {
    "directory": DirectorySettings,
    "git": GitSettings,
    "backstage": BackstageSettings,
    "cortex": CortexSettings,
}
"""The settings of a source by its type."""
SourceSettings = Annotated[
    DirectorySettings | GitSettings | BackstageSettings | CortexSettings, Field(discriminator="type")
]


Land = Literal["propose", "commit"]


class HostingSettings(Part):
    """A code host on which files are proposed as pull requests (GitHub) or merge requests (GitLab)."""

    type: Literal["github", "gitlab"] = Field(description="What runs there.")
    host: str = Field(
        default="", description="The host in the addresses of its repositories; github.com or gitlab.com if left out."
    )
    url: str = Field(
        default="", description="Where its API is, if not where the host's own documentation puts it.",
        examples=["https://github.example.com/api/v3", "https://gitlab.example.com/api/v4"],
    )  # fmt: skip
    token: SecretRef
    labels: tuple[str, ...] = Field(default=(), description="Labels that each request gets, beside those people give.")
    draft: bool = Field(default=False, description="Open requests as drafts.")
    land: Land = Field(
        default="propose", description="Propose what was committed to our branch, or leave it at the commit."
    )
    repositories: dict[str, Land] = Field(
        default={}, description="The same for single repositories, by `organisation/repository`."
    )

    @property
    def name(self) -> str:
        """The host in the addresses of its repositories."""
        return (self.host or f"{self.type}.com").lower()


class LandingSettings(Part):
    """Where files land, and how the commits look."""

    central: str | None = Field(
        default=None, description="The central repository, for plugins whose home is `central`."
    )
    branch: str = Field(default="nthlayer-sync", description="The branch that proposals are committed to.")
    author: str = Field(default="nthlayer-sync <nthlayer-sync@localhost>", description="Author of the commits.")
    hosts: tuple[str, ...] = Field(
        default=(),
        description="Code hosts whose repositories the catalog may name, such as github.com; it reaches no other.",
    )
    instead_of: dict[str, str] = Field(
        default={},
        description="Read and write a repository elsewhere than its address in the catalog: prefix to replacement.",
    )
    hosting: tuple[HostingSettings, ...] = Field(
        default=(), description="Code hosts on which to propose; elsewhere the commits on our branch are all."
    )

    @field_validator("hosting")
    @classmethod
    def _names_each_host_once(cls, hosting: tuple[HostingSettings, ...]) -> tuple[HostingSettings, ...]:
        names = [each.name for each in hosting]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is named twice")
        return hosting

    @field_validator("branch")
    @classmethod
    def _is_a_branch(cls, name: str) -> str:
        try:
            check_branch(name)
        except PermanentError as error:
            raise ValueError(str(error)) from error
        return name

    @field_validator("author")
    @classmethod
    def _is_an_author(cls, text: str) -> str:
        if not re.fullmatch(r"[^<>\s]([^<>\n]*[^<>\s])? <[^<>\s]+>", text):
            raise ValueError("an author is written as: name <address>")
        return text


class Settings(Part):
    """The settings file, `nthlayer-sync.yaml`."""

    organisation: str = Field(description="The organisation's name.")
    instance: str = Field(
        default="default",
        pattern=r"^[a-z0-9-]{1,30}$",
        description="The name of this installation, for the marks of live objects: so several can share an account.",
    )
    sources: tuple[SourceSettings, ...] = Field(
        min_length=1, description="Where facts come from; where two disagree, the one named first wins."
    )
    code_host: str = Field(
        default="", description="The organisation's name on the code host, such as `acme` in github.com/acme."
    )
    protected: tuple[str, ...] = Field(
        default=(),
        description="Configs that are never deleted without being named: patterns such as `*/* *:*/payments`.",
    )
    code: bool = Field(
        default=True, description="Read CODEOWNERS, history and manifests of the services' repositories."
    )
    landing: LandingSettings = Field(default=LandingSettings(), description="Where files land.")
    plugins: dict[str, dict[str, Any]] = Field(
        default={}, description="The plugins that are on, each with its settings ({} for none)."
    )
    defaults: dict[str, Any] = Field(
        default={}, description="The organisation's own blueprint: it lies over the tier's and under every team's."
    )
    tiers: str | None = Field(
        default=None, description="The organisation's own tier table, laid over the one that comes with the program."
    )
    vault: VaultSettings | None = Field(
        default=None, description="The Vault or OpenBao in which secrets named `vault:path#field` are."
    )
    serve: ServeSettings = Field(default=ServeSettings(), description="How the daemon runs.")
    state: str | PostgresSettings = Field(
        default=".nthlayer/state.db",
        description="The state file, relative to the settings file; or a PostgreSQL database, for several replicas.",
    )
    cache: str = Field(default=".nthlayer/cache", description="Mirrors of repositories; can be deleted at any time.")


def load_settings(path: Path) -> Settings:
    """Read a settings file; InputError with a place for everything that is wrong."""
    data = _read(path)
    documents, diagnoses = read_documents(data, file=str(path))
    if not diagnoses and (len(documents) != 1 or as_map(documents[0].value) is None):
        diagnoses = [Diagnosis(code="settings", message="one YAML document with a map is expected", file=str(path))]
    if diagnoses:
        raise _refused(diagnoses)
    try:
        settings = Settings.model_validate(documents[0].value)
    except ValidationError as error:
        inside = list(_in_sources(documents[0].value))
        around = _own(_of_state(explain(error, Settings), documents[0].value))
        found = [*inside, *(problem for problem in around if not (inside and problem.path[:1] == ("sources",)))]
        raise _refused(place(problem, data, str(path)) for problem in found) from error
    if found := list(_names(settings.sources)):
        raise _refused(place(problem, data, str(path)) for problem in found)
    return settings


def misplaced(path: Path, above: tuple[str, ...], found: Iterable[Diagnosis]) -> InputError:
    """What to raise for findings about the part of a settings file below the keys `above`: each gets its place.

    The field of a finding is the dotted path below `above`; one that has a file already stays as it is.
    """
    data = _read(path)
    return _refused(diagnosis if diagnosis.file else _below(data, path, above, diagnosis) for diagnosis in found)


def _below(data: bytes, path: Path, above: tuple[str, ...], diagnosis: Diagnosis) -> Diagnosis:
    steps = [int(step) if step.isdigit() else step for step in diagnosis.field.split(".") if step]
    line, column = locate(data, 0, (*above, *steps), key=diagnosis.code == "unknown-key")
    name = ".".join(above)
    field = f"{name}.{diagnosis.field}" if diagnosis.field else name
    said = diagnosis.message.startswith(f"{diagnosis.field}:") and diagnosis.field
    message = f"{name}.{diagnosis.message}" if said else f"{name}: {diagnosis.message}"
    return msgspec.structs.replace(diagnosis, file=str(path), line=line, column=column, field=field, message=message)


def _of_state(found: Iterable[Problem], written: object) -> list[Problem]:
    """The problems, those of `state` held to what stands there: a file or a database, not to both."""
    state = (as_map(written) or {}).get("state")
    meant = PostgresSettings.__name__ if isinstance(state, dict) else "str"
    kept: list[Problem] = []
    for problem in found:
        if len(problem.path) > 1 and problem.path[0] == "state":
            if problem.path[1] != meant:
                continue
            said = problem.diagnosis
            field, message = (text.replace(f"state.{meant}", "state", 1) for text in (said.field, said.message))
            # What was found is not repeated: a password may stand in it.
            diagnosis = msgspec.structs.replace(said, field=field, message=message, found="")
            problem = msgspec.structs.replace(problem, path=("state", *problem.path[2:]), diagnosis=diagnosis)
        kept.append(problem)
    return kept


def _own(found: list[Problem]) -> Iterator[Problem]:
    """The problems without those that only follow from another: what is missing because its key is misspelt."""
    for problem in found:
        meant = any(
            other.path[:-1] == problem.path[:-1] and f"did you mean {problem.path[-1]!r}" in other.diagnosis.message
            for other in found
            if problem.path
        )
        if not (meant and problem.diagnosis.code == "missing-value"):
            yield problem


def _names(sources: tuple[SourceSettings, ...]) -> Iterator[Problem]:
    """Sources that cannot be told apart, or from what is found in repositories."""
    taken: set[str] = set()
    for index, source in enumerate(sources):
        message = ""
        if source.name in RESERVED:
            message = f"no source may be called {source.name!r}: what is found in repositories goes by that name"
        elif source.name in taken:
            message = f"another source is called {source.name!r} already; give this one a name of its own"
        taken.add(source.name)
        if message:
            field = f"sources.{index}.name"
            yield Problem(
                ("sources", index, "name"), Diagnosis(code="settings", message=f"{field}: {message}", field=field)
            )


def _in_sources(value: object) -> Iterator[Problem]:
    """What is wrong with each source, held to the settings of its own type alone."""
    written = (as_map(value) or {}).get("sources")
    for index, source in enumerate(written if isinstance(written, list) else ()):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - YAML
        above = ("sources", index)
        values = as_map(source)
        kind = values.get("type") if values is not None else None
        if values is None or not isinstance(kind, str) or kind not in SOURCES:
            found = kind if isinstance(kind, str) else ""
            what = f"not a type of source{did_you_mean(found, tuple(SOURCES))}" if found else "names no type of source"
            field = f"sources.{index}.type"
            diagnosis = Diagnosis(
                code="settings", message=f"{field}: {what}", field=field, found=found, allowed=tuple(SOURCES)
            )
            yield Problem((*above, "type"), diagnosis)
            continue
        for problem in _own(problems(SOURCES[kind], values, context={}, partial=False)):
            field = f"sources.{index}.{problem.diagnosis.field}"
            message = f"sources.{index}.{problem.diagnosis.message}"
            diagnosis = msgspec.structs.replace(problem.diagnosis, field=field, message=message)
            yield Problem((*above, *problem.path), diagnosis, problem.at_key)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; `nthlayer-sync init` writes one") from error


def _refused(found: Iterable[Diagnosis]) -> InputError:
    diagnoses = tuple(found)
    return InputError("\n".join(map(str, diagnoses)), diagnoses)
