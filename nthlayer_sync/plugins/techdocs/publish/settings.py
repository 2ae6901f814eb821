"""Where sites are published, as settings say it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from nthlayer_sync.sdk.secrets import SecretRef
from nthlayer_sync.signals.addresses import Address


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path")
    return path


def _inside(prefix: str) -> str:
    if {".", ".."} & set(prefix.split("/")):
        raise ValueError("must name folders, none of them . or ..")
    return prefix


_File = Annotated[Path, AfterValidator(_absolute)]
_Prefix = Annotated[
    str,
    Field(
        pattern=r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$",
        description="The folder in the bucket: what TechDocs calls bucketRootPath; the top when left out.",
    ),
    AfterValidator(_inside),
]


class FolderSettings(BaseModel):
    """A folder of this machine, or one that is mounted here: `techdocs.publisher.type: local`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["local"] = Field(description="Where it is published.")
    directory: _File = Field(
        description="The folder that TechDocs calls publishDirectory; it has to be there.", examples=["/srv/techdocs"]
    )

    @property
    def account(self) -> str:
        """What the root of the target is called."""
        return "local"


class S3Settings(BaseModel):
    """A bucket of S3, or of what speaks its language: `techdocs.publisher.type: awsS3`.

    Credentials come the way AWS's own tools find them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["s3"] = Field(description="Where it is published.")
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="Name of the bucket.")
    region: str = Field(pattern=r"^[a-z]{2,}(-[a-z]+)+-[0-9]+$", description="The bucket's region, such as eu-west-1.")
    prefix: _Prefix = ""
    endpoint: Address = Field(default="", description="Address of a server that stands in for AWS, such as MinIO.")

    @property
    def account(self) -> str:
        """What the root of the target is called."""
        return "/".join(filter(None, ("s3", self.bucket, self.prefix)))


class GcsSettings(BaseModel):
    """A bucket of Google Cloud Storage: `techdocs.publisher.type: googleGcs`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["gcs"] = Field(description="Where it is published.")
    # https://cloud.google.com/storage/docs/buckets#naming
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", description="Name of the bucket.")
    prefix: _Prefix = ""
    token: SecretRef | None = Field(default=None, description="Where an access token of OAuth 2 is kept.")
    key_file: _File | None = Field(
        default=None, description="The key file (JSON) of a service account, which tokens are got with instead."
    )
    endpoint: Address = Field(
        default="https://storage.googleapis.com", description="Address of the JSON API of Cloud Storage."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.token is None) == (self.key_file is None):
            raise ValueError("one of token and key_file says how to be let in")
        return self

    @property
    def account(self) -> str:
        """What the root of the target is called."""
        return "/".join(filter(None, ("gcs", self.bucket, self.prefix)))


PublishSettings = Annotated[FolderSettings | S3Settings | GcsSettings, Field(discriminator="type")]
"""One of the three."""
