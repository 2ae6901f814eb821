"""How the notations of a blueprint are read: one grammar, the type that all of them share, the error they raise."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, ClassVar, Self, cast

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

GRAMMAR = r"""
duration: (NUMBER UNIT)+
percent: NUMBER PERCENT?
money: (SYMBOL NUMBER | NUMBER CURRENCY) "/" PERIOD
condition: NAME? OPERATOR (duration | NUMBER PERCENT?)
matcher: NAME MATCH STRING

NUMBER: /[0-9]+(\.[0-9]+)?/
PERCENT: "%"
OPERATOR: ">=" | ">" | "<=" | "<"
MATCH: "=~" | "!~" | "!=" | "="
STRING: /"([^"\\\x00-\x1f\x7f]|\\["\\])*"/
SYMBOL: /[$€£¥]/
NAME: /[A-Za-z_][A-Za-z0-9_]*/
UNIT: /[^\W\d_]+/
CURRENCY: /[^\W\d_]+/
PERIOD: /[^\W\d_]+/
%ignore / +/
"""
LONGEST_TEXT = 200
"""Characters; nothing worth writing in these notations is longer."""
NUMBER = r"[0-9]{1,15}(\.[0-9]{1,9})?"
"""Regular expression of the numbers that are read: no sign, no exponent, exact in a Decimal."""

_EXPECTED: Mapping[str, str] = {
    "NUMBER": "a number",
    "UNIT": "a unit",
    "PERCENT": "%",
    "CURRENCY": "a currency",
    "SYMBOL": "a currency sign",
    "PERIOD": "a period",
    "SLASH": "/",
    "OPERATOR": "one of > >= < <=",
    "MATCH": "one of = != =~ !~",
    "NAME": "a name",
    "STRING": 'a text in "quotes"',
    "$END": "the end",
}


class NotationError(ValueError):
    """A text is not in the notation of its type: `column` counts from 1 (0: unknown), `allowed` could stand there."""

    def __init__(self, message: str, column: int = 0, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.column = column
        self.allowed = tuple(allowed)


class Notation(ABC):
    """A value with a canonical text: frozen, hashable, ordered. Pydantic reads and writes it as text."""

    __slots__ = ()
    schema: ClassVar[JsonSchemaValue]
    """JSON Schema of what may be written."""

    @classmethod
    @abstractmethod
    def parse(cls, text: str) -> Self:
        """The value that `text` stands for; NotationError when it stands for none."""

    @abstractmethod
    def __str__(self) -> str:
        """The canonical text."""

    @classmethod
    def read(cls, value: object) -> Self:
        """The value of something that stood in YAML or JSON: a text, or already a value of this type."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cast("Self", _parsed(cls, value))
        raise NotationError(f"expected a text such as {cls.schema['examples'][0]}", allowed=cls.schema["examples"])

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.read, serialization=core_schema.to_string_ser_schema(when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(cls.schema)


@cache
def _grammar() -> Lark:
    return Lark(GRAMMAR, parser="lalr", start=["duration", "percent", "money", "condition", "matcher"])


@lru_cache(maxsize=4096)
def _parsed(notation: type[Notation], text: str) -> Notation:
    """Blueprints say the same few texts over and over; their values are frozen and can be shared."""
    return notation.parse(text)


def tokens(start: str, text: str) -> tuple[Token, ...]:
    """The tokens of `text`, which the rule `start` accepts."""
    if len(text) > LONGEST_TEXT:
        raise NotationError(f"longer than {LONGEST_TEXT} characters")
    try:
        tree = _grammar().parse(text, start=start)  # pyright: ignore[reportUnknownMemberType] - lark leaves it open
    except UnexpectedInput as error:
        raise _not_accepted(text, error) from None
    return tuple(token for token in tree.scan_values(lambda _: True))


def _not_accepted(text: str, error: UnexpectedInput) -> NotationError:
    expected: set[str] = set()
    column = error.column
    if isinstance(error, UnexpectedToken):
        expected = error.expected
        # lark gives the end the place of the token before it
        if error.token.type == "$END":  # pyright: ignore[reportUnknownMemberType] - lark leaves it open
            column = len(text) + 1
    elif isinstance(error, UnexpectedCharacters):
        expected = error.allowed
    allowed = [name for terminal, name in _EXPECTED.items() if terminal in expected] or ["the end"]
    place = "ends too early" if column > len(text) else f"unexpected {text[column - 1]!r} at character {column}"
    return NotationError(f"{place}: expected {' or '.join(allowed)}", column, allowed)


def decimal(token: Token) -> Decimal:
    """The value of a NUMBER token."""
    if not re.fullmatch(NUMBER, token):
        raise NotationError("a number has at most 15 digits and 9 decimals", token.column or 0)
    return Decimal(token)


def unknown(what: str, token: Token, allowed: Sequence[str]) -> NotationError:
    """The error for a word that the grammar takes but that means nothing here."""
    return NotationError(f"unknown {what} {str(token)!r} at character {token.column}", token.column or 0, allowed)
