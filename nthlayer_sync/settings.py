"""How the program runs: where facts come from, which plugins are on, where files land.

Policy numbers are no settings: they stand in the tier table, which the organisation's own may overlay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nthlayer_sync.errors import InputError
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.yaml.read import locate, read_documents

FILE_NAME = "nthlayer-sync.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DirectorySettings(_Part):
    """Catalog files below a directory of this machine."""

    type: Literal["directory"] = Field(description="What sort of source it is.")
    name: str = Field(default="directory", description="How the source is called in plans and messages.")
    path: str = Field(description="The directory, relative to the settings file.")
    files: tuple[str, ...] = Field(default=(), description="More file patterns to read, beside catalog-info.yaml.")
    exclude: tuple[str, ...] = Field(default=(), description="Patterns of files not to read, such as `templates/**`.")


class GitSettings(_Part):
    """Catalog files of a Git repository, at its base branch."""

    type: Literal["git"] = Field(description="What sort of source it is.")
    name: str = Field(default="git", description="How the source is called in plans and messages.")
    url: str = Field(description="The repository: https, ssh, or a path on this machine.")
    files: tuple[str, ...] = Field(default=(), description="More file patterns to read, beside catalog-info.yaml.")
    exclude: tuple[str, ...] = Field(default=(), description="Patterns of files not to read, such as `templates/**`.")


class BackstageSettings(_Part):
    """A Backstage catalog over its REST API."""

    type: Literal["backstage"] = Field(description="What sort of source it is.")
    name: str = Field(default="backstage", description="How the source is called in plans and messages.")
    url: str = Field(description="Base address of the backend, such as https://backstage.example.com.")
    token: str | None = Field(default=None, description="Where the token is: env:NAME or file:PATH.")


class CortexSettings(_Part):
    """The Cortex.io catalog: over its API, or its descriptor files below a directory."""

    type: Literal["cortex"] = Field(description="What sort of source it is.")
    name: str = Field(default="cortex", description="How the source is called in plans and messages.")
    path: str | None = Field(default=None, description="Read descriptors below this directory, and not the API.")
    url: str = Field(default="https://api.getcortexapp.com", description="Base address of the API.")
    token: str | None = Field(default=None, description="Where the token is: env:NAME or file:PATH.")


SourceSettings = Annotated[
    DirectorySettings | GitSettings | BackstageSettings | CortexSettings, Field(discriminator="type")
]


class LandingSettings(_Part):
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


class Settings(_Part):
    """The settings file, `nthlayer-sync.yaml`."""

    organisation: str = Field(description="The organisation's name.")
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
    state: str = Field(default=".nthlayer/state.db", description="The state file, relative to the settings file.")
    cache: str = Field(default=".nthlayer/cache", description="Mirrors of repositories; can be deleted at any time.")


def load_settings(path: Path) -> Settings:
    """Read a settings file; InputError with a place for everything that is wrong."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; `nthlayer-sync init` writes one") from error
    documents, diagnoses = read_documents(data, file=str(path))
    if not diagnoses and len(documents) != 1:
        diagnoses = [Diagnosis(code="settings", message="one YAML document is expected", file=str(path))]
    if diagnoses:
        raise InputError(str(diagnoses[0]), tuple(diagnoses))
    try:
        return Settings.model_validate(documents[0].value)
    except ValidationError as error:
        found = tuple(_diagnosis(detail, data, path) for detail in error.errors(include_url=False))
        raise InputError("\n".join(map(str, found)), found) from error


def _diagnosis(detail: Any, data: bytes, path: Path) -> Diagnosis:
    # The discriminator of a union stands in pydantic's location, but not in the document.
    where = tuple(part for part in detail["loc"] if part not in ("directory", "git", "backstage", "cortex"))
    line, column = locate(data, 0, where)
    found = detail.get("input")
    return Diagnosis(
        code="settings",
        message=f"{'.'.join(map(str, where)) or 'settings'}: {detail['msg']}",
        file=str(path),
        line=line,
        column=column,
        field=".".join(map(str, where)),
        found=found if isinstance(found, str) else "",
    )
