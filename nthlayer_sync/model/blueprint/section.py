"""What all parts of a blueprint have in common, and the small types of their fields."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, Strict
from pydantic import ValidationInfo as Info
from pydantic.json_schema import JsonSchemaValue, WithJsonSchema
from pydantic_core import CoreSchema

from nthlayer_sync.model.notation import NotationError
from nthlayer_sync.model.units import Condition, Duration, Percent


class Row(BaseModel):
    """An entry of a list: what it needs is written where it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, use_attribute_docstrings=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of what people write; a default of null says nothing to them."""
        written = handler.resolve_ref_schema(handler(schema))
        for field in written.get("properties", {}).values():
            field.pop("default", None)
        return written


class Section(Row):
    """A part of a blueprint. Once resolved it is complete; people write only what differs from the layers below."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of what people write: nothing in it is required."""
        written = super().__get_pydantic_json_schema__(schema, handler)
        written.pop("required", None)
        return written


class Removable:
    """Marks an entry of a map, which null removes; the value itself is then never seen."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """What may be written: the value, or null."""
        return {"anyOf": [handler(schema), {"type": "null"}]}


def vocabulary(info: Info, name: str) -> dict[str, Any] | None:
    """The names of one sort (`tiers`, `windows`) that the organisation knows, None when nobody said."""
    return info.context.get(name) if isinstance(info.context, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _positive(value: Duration) -> Duration:
    if not value.milliseconds:
        raise NotationError("must be longer than zero")
    return value


def _budgeted(value: Percent) -> Percent:
    if not 0 < value.value < 100:
        raise NotationError("must lie between 0 and 100, both excluded: 100% would leave no error budget")
    return value


def _whole(value: Percent) -> Percent:
    if value.value % 1 or not value.value:
        raise NotationError("must be a whole percentage from 1 to 100")
    return value


def _measured(value: Condition) -> Condition:
    if not value.metric:
        raise NotationError("must name what it compares, such as error_rate > 1%")
    return value


def _template(value: str) -> str:
    if unknown := [found for found in re.findall(r"\{[^{}]*\}?|\}", value) if found not in ("{name}", "{namespace}")]:
        raise NotationError(f"unknown placeholder {unknown[0]!r}", allowed=("{name}", "{namespace}"))
    return value


def _zone(value: str) -> str:
    try:
        return value if value == "UTC" else ZoneInfo(value).key
    except (ValueError, OSError, KeyError):
        raise NotationError("not in the IANA time zone database of this machine") from None


def _hash_sign(value: str) -> str:
    return value if value.startswith("#") else f"#{value}"


Severity = Literal["page", "ticket"]
"""`page` wakes the person on call, `ticket` waits for working hours."""
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=1_000_000_000)]
Factor = Annotated[
    Decimal,
    Field(gt=0, le=10_000),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 10_000}),
]
"""A plain number greater than zero."""
Span = Annotated[Duration, AfterValidator(_positive)]
"""A duration longer than zero."""
Target = Annotated[Percent, AfterValidator(_budgeted)]
"""A share that leaves something to miss it by."""
WholePercent = Annotated[Percent, AfterValidator(_whole)]
Measured = Annotated[Condition, AfterValidator(_measured)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
MetricName = Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$", examples=["http_requests_total"])]
"""Prometheus data model, the names that need no quotes: https://prometheus.io/docs/concepts/data_model/."""
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,199}$")]
Template = Annotated[
    str,
    Field(max_length=200, examples=["{name}", "{namespace}/{name}"]),
    AfterValidator(_template),
    Removable(),
]
"""A text in which `{name}` and `{namespace}` stand for those of the entity."""
TagKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/=+@-]{1,127}$")]
TagValue = Annotated[str, Field(max_length=256, examples=["cc-1234"]), Removable()]
Channel = Annotated[
    str, Field(pattern=r"^#?[a-z0-9_-]{1,80}$", examples=["payments-alerts"]), AfterValidator(_hash_sign)
]
"""Slack's channel names: lower-case letters, digits, hyphens, underscores, at most 80; kept with the leading `#`."""
Zone = Annotated[str, Field(examples=["Europe/Berlin"]), AfterValidator(_zone)]
"""Name in the IANA time zone database."""
Email = Annotated[str, Field(pattern=r'^[^@\s<>"]+@[^@\s<>"]+\.[^@\s<>"]+$', examples=["payments@example.com"])]
Url = Annotated[str, Field(pattern=r"""^https?://[^\s<>"'`{}|\\^]+$""", max_length=2000)]


def _tier(value: object, info: Info) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    known = vocabulary(info, "tiers")
    if known is None or not isinstance(value, str):
        return value
    if value not in known:
        raise NotationError("unknown tier", allowed=tuple(known))
    return known[value]


Tier = Annotated[
    str, BeforeValidator(_tier), WithJsonSchema({"type": ["string", "integer"], "examples": ["1", "2", "3"]})
]
"""A tier's name; its aliases are replaced by it."""
