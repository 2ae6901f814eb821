"""What the program lends its plugins."""

from __future__ import annotations

from dataclasses import dataclass, field

from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sdk.target import Target


@dataclass(frozen=True)
class Runtime:
    """The target that all files share, the way to other systems, and the name of this installation.

    `instance` stands in the marks of live objects, so that two installations that share an account keep apart.
    """

    files: Target
    instance: str = "default"
    web: Web = field(default_factory=Web)
    secrets: Secrets = field(default_factory=Secrets)
