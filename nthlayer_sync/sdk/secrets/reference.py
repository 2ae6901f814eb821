"""How settings name a secret: where it is, never what it is."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from nthlayer_sync.errors import PermanentError

FORMS = "env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME-OR-ARN#KEY"
"""What a reference may look like. A path in Vault begins with its mount; without a key, one of AWS is the whole."""
PATTERN = (
    r"^(env:[A-Za-z_][A-Za-z0-9_]*"
    r"|file:[ -~]+"
    r'|vault:[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~ -]+)+#[ -"$-~]+'
    r'|aws:[A-Za-z0-9/_+=.@:!-]+(#[ -"$-~]+)?)$'
)
"""The same for machines: printable ASCII, and one # at most."""
_PATTERN = re.compile(PATTERN[:-1] + r"\Z")


def check_reference(text: object) -> str:
    """The text if it is a reference; PermanentError, without the text, if not: it may be the secret itself."""
    if not isinstance(text, str) or not _PATTERN.match(text):
        raise PermanentError(f"a secret is named by where it is, and never written itself: {FORMS}")
    return text


def _reference(value: Any) -> str:
    try:
        return check_reference(value)
    except PermanentError as error:
        reason = str(error)
    # An error of its own instead of a ValueError: that would carry what was written, and so would its text.
    problem = InitErrorDetails(type=PydanticCustomError("secret_reference", "{reason}", {"reason": reason}), input="")
    raise ValidationError.from_exception_data("SecretRef", [problem])


SecretRef = Annotated[
    str,
    BeforeValidator(_reference),
    Field(
        description=f"Where the secret is: {FORMS}.",
        examples=["env:PAGERDUTY_TOKEN", "file:/run/secrets/token", "vault:secret/pagerduty#token"],
        json_schema_extra={"pattern": PATTERN},
    ),
]
"""A `str` of settings that names a secret."""
