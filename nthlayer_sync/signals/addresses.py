"""Where people look: the addresses of Backstage and Grafana, which the catalog does not know and settings give."""

from __future__ import annotations

from typing import Annotated

import msgspec
from pydantic import Field

Address = Annotated[str, Field(pattern="^(https?://[^\\s<>\"'`{}|\\\\^]+)?$")]
"""The address of a web site in settings, such as `https://grafana.example.com`; "" when none is given."""


class Addresses(msgspec.Struct, frozen=True, omit_defaults=True):
    """Addresses without a slash at the end; "" where none is given, so that nothing is linked there."""

    backstage: str = ""
    grafana: str = ""


NOWHERE = Addresses()
"""Where no address is known."""
