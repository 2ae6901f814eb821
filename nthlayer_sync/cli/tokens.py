"""token: a key to the daemon's API."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.markup import escape

from nthlayer_sync.cli.output import console, notes
from nthlayer_sync.errors import InputError
from nthlayer_sync.settings.serve import Role, TokenSettings

PREFIX = "nthlayer_"
"""Before every token, so that people and secret scanners know one when they see it."""
BYTES = 32
"""Of chance in a token: nobody guesses it, so that its plain digest is safe to keep."""


def token(
    name: Annotated[str, typer.Argument(help="How whoever gets it is called in runs and logs.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = "viewer",
) -> None:
    """Make a token for the daemon's API. It is printed once and kept nowhere; the settings get its digest alone."""
    value = f"{PREFIX}{secrets.token_urlsafe(BYTES)}"
    digest = hashlib.sha256(value.encode()).hexdigest()
    try:
        TokenSettings(name=name, sha256=digest, role=role)
    except ValidationError:
        raise InputError(
            f"{name!r} cannot be a name; it may have 60 letters, digits, dots, dashes and underscores"
        ) from None
    notes.print("The token. It is not shown again:")
    console.print(escape(value))
    notes.print("\nFor serve.access.tokens in nthlayer-sync.yaml:")
    notes.print(escape(f"  - name: {name}\n    sha256: {digest}\n    role: {role}"))
