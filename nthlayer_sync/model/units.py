"""The small notations people write in a blueprint, as types: `200ms`, `99.95`, `$5000/month`, `p95 > 500ms`.

One grammar reads them all. What it cannot read is refused with the column and what could stand there; an unknown unit
is never guessed (`1M` is neither a minute nor a month). Each type keeps one canonical text, which is what it becomes in
JSON and what reads back as the same value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, ClassVar, Self, cast, get_args

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

GRAMMAR = r"""
duration: (NUMBER UNIT)+
percent: NUMBER PERCENT?
money: (SYMBOL NUMBER | NUMBER CURRENCY) "/" PERIOD
condition: METRIC? OPERATOR (duration | NUMBER PERCENT?)
matcher: METRIC MATCH STRING

NUMBER: /[0-9]{1,15}(\.[0-9]{1,9})?/
PERCENT: "%"
OPERATOR: ">=" | ">" | "<=" | "<"
MATCH: "=~" | "!~" | "!=" | "="
STRING: /"([^"\\\x00-\x1f]|\\["\\])*"/
SYMBOL: /[$€£¥]/
METRIC: /[A-Za-z_][A-Za-z0-9_]*/
UNIT: /[^\W\d_]+/
CURRENCY: /[^\W\d_]+/
PERIOD: /[^\W\d_]+/
%ignore / +/
"""
LONGEST_TEXT = 200
"""Characters; nothing worth writing in these notations is longer."""

_EXPECTED = {
    "NUMBER": "a number",
    "UNIT": "a unit",
    "PERCENT": "%",
    "CURRENCY": "a currency",
    "SYMBOL": "a currency symbol",
    "PERIOD": "a period",
    "SLASH": "/",
    "OPERATOR": "> >= < <=",
    "METRIC": "a name",
    "MATCH": "= != =~ !~",
    "STRING": 'a "quoted" text',
    "$END": "the end",
}

MILLISECONDS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
"""Length of each unit. A year is 365 days, as in Prometheus; a month has no fixed length and is no unit."""
_UNIT_NAMES = {
    "y": ("year", "years"),
    "w": ("week", "weeks"),
    "d": ("day", "days"),
    "h": ("hour", "hours"),
    "m": ("min", "minute", "minutes"),
    "s": ("sec", "second", "seconds"),
    "ms": (),
}
UNITS = {name: unit for unit, names in _UNIT_NAMES.items() for name in (unit, *names)}

PERIODS = {"day": "day", "month": "month", "quarter": "quarter", "year": "year"}
SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
CURRENCIES = frozenset(
    """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED
    VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG""".split()
)
"""The national currencies of ISO 4217."""

type_of_value = "Percent | Duration | Decimal"


class NotationError(ValueError):
    """A text is not in the notation of its type: `column` counts from 1 (0: unknown), `allowed` may stand there."""

    def __init__(self, message: str, *, column: int = 0, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.column = column
        self.allowed = tuple(allowed)

    def __reduce__(self) -> tuple[Any, ...]:
        return _notation_error, (str(self), self.column, self.allowed)
