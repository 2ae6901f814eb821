"""The small notations people write in a blueprint, as types: `200ms`, `99.95`, `$5000/month`, `p95 > 500ms`.

One grammar reads them all. What it cannot read is refused with the column and what could stand there; an unknown unit
is never guessed (`1M` is neither a minute nor a month). Each type has one canonical text: that is what it becomes in
JSON, and it reads back as the same value.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from lark import Token
from pydantic.json_schema import JsonSchemaValue

from nthlayer_sync.model.notation import NUMBER, Notation, NotationError, decimal, tokens, unknown

MILLISECONDS: Mapping[str, int] = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
"""Length of each unit, longest first. A year is 365 days, as in Prometheus; a month has no fixed length."""
UNITS: Mapping[str, str] = {
    **{unit: unit for unit in MILLISECONDS},
    **dict.fromkeys(("year", "years"), "y"),
    **dict.fromkeys(("week", "weeks"), "w"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("hour", "hours"), "h"),
    **dict.fromkeys(("min", "minute", "minutes"), "m"),
    **dict.fromkeys(("sec", "second", "seconds"), "s"),
}
LONGEST_DURATION = (2**63 - 1) // 1_000_000
"""Milliseconds; Prometheus keeps durations as 64-bit nanoseconds (about 292 years)."""

PERIODS = ("day", "month", "quarter", "year")
SYMBOLS: Mapping[str, str] = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
CURRENCIES = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
    MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND
    VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG""".split()  # noqa: SIM905 - shorter than 155 literals
)
"""The currencies of countries in ISO 4217."""

_DURATION = rf"( *{NUMBER} *({'|'.join(sorted(UNITS, key=lambda name: (-len(name), name)))}))+ *"


@dataclass(frozen=True, order=True, slots=True)
class Duration(Notation):
    """A span of time in whole milliseconds: `200ms`, `15minutes`, `1h30m`, `90days`, `1year`."""

    milliseconds: int
    schema: ClassVar[JsonSchemaValue] = {
        "type": "string",
        "pattern": f"^{_DURATION}$",
        "examples": ["15minutes", "200ms", "1h30m", "90days", "1year"],
    }

    def __post_init__(self) -> None:
        if not 0 <= self.milliseconds <= LONGEST_DURATION:
            raise NotationError("a duration lies between 0 and 292 years")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a span; its units go from long to short, each once."""
        return cls(_milliseconds(tokens("duration", text)))

    @property
    def seconds(self) -> float:
        """The span in seconds."""
        return self.milliseconds / 1000

    def prometheus(self) -> str:
        """Prometheus notation, such as `1h30m`; also the canonical text."""
        rest, parts = self.milliseconds, list[str]()
        for unit, length in MILLISECONDS.items():
            if unit == "w" or (unit == "y" and rest % length):
                continue
            count, rest = divmod(rest, length)
            if count:
                parts.append(f"{count}{unit}")
        return "".join(parts) or "0s"

    def __str__(self) -> str:
        return self.prometheus()


@dataclass(frozen=True, order=True, slots=True)
class Percent(Notation):
    """A share between 0 and 100 percent: `99.95`, `0.1%`; a plain number counts as percent."""

    value: Decimal
    schema: ClassVar[JsonSchemaValue] = {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 100},
            {"type": "string", "pattern": r"^ *(100(\.0{1,9})?|[0-9]{1,2}(\.[0-9]{1,9})?) *%? *$"},
        ],
        "examples": ["99.95%", 99.95, "0.1%"],
    }

    def __post_init__(self) -> None:
        if not self.value.is_finite() or not 0 <= self.value <= 100:
            raise NotationError("a percentage lies between 0 and 100", allowed=("0 to 100",))
        object.__setattr__(self, "value", self.value.normalize())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a share, with or without the sign."""
        return cls(decimal(tokens("percent", text)[0]))

    @classmethod
    def read(cls, value: object) -> Self:
        """The value of a text or a plain number."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            exact = Decimal(repr(value))
            if not 0 <= value <= 100:  # also when it is NaN
                return cls(exact)
            value = f"{exact:f}"
        return super(Percent, cls).read(value)

    @property
    def ratio(self) -> Decimal:
        """The share as a fraction of one, exactly."""
        return self.value.scaleb(-2)

    def __str__(self) -> str:
        return f"{self.value:f}%"


@dataclass(frozen=True, order=True, slots=True)
class Money(Notation):
    """An amount of money for a period: `$5000/month`, `250 EUR/month`. Sorted by currency, period, amount."""

    currency: str
    """Three letters of ISO 4217."""
    period: str
    """One of `PERIODS`."""
    amount: Decimal
    schema: ClassVar[JsonSchemaValue] = {
        "type": "string",
        "pattern": rf"^ *([$€£¥] *{NUMBER}|{NUMBER} *[A-Z]{{3}}) */ *({'|'.join(PERIODS)}) *$",
        "examples": ["$5000/month", "250 EUR/month"],
    }

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES or self.period not in PERIODS:
            raise NotationError("money needs a currency of ISO 4217 and a period", allowed=PERIODS)
        if not self.amount.is_finite() or self.amount < 0:
            raise NotationError("an amount of money is 0 or more")
        object.__setattr__(self, "amount", self.amount.normalize())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an amount with its currency, before or after it, and its period."""
        try:
            first, second, period = tokens("money", text)
        except NotationError as error:
            raise cls._not_money(text, error) from None
        sign, amount = (first, second) if first.type == "SYMBOL" else (second, first)
        currency = SYMBOLS.get(sign, str(sign))
        if currency not in CURRENCIES:
            raise unknown("currency", sign, ("USD", "EUR", "GBP", "another code of ISO 4217"))
        if period not in PERIODS:
            raise unknown("period", period, PERIODS)
        return cls(currency, str(period), decimal(amount))

    @classmethod
    def _not_money(cls, text: str, error: NotationError) -> NotationError:
        """The error with examples; that of a currency nobody knows comes before that of a period left out."""
        word = re.fullmatch(r"[ 0-9.,]+([^\W\d_]+)\W*", text)
        if word and word[1] not in CURRENCIES:
            error = NotationError(f"unknown currency {word[1]!r}", word.start(1) + 1)
        return NotationError(str(error), error.column, cls.schema["examples"])

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}/{self.period}"


METRICS: Mapping[str, type[Duration | Percent | Decimal]] = {
    "availability": Percent,
    "error_rate": Percent,
    "latency_p50": Duration,
    "latency_p90": Duration,
    "latency_p95": Duration,
    "latency_p99": Duration,
    "saturation": Percent,
    "traffic": Decimal,
}
"""What a condition may speak of, and what that is compared with; traffic is in requests per second."""


@dataclass(frozen=True, slots=True)
class Condition(Notation):
    """A comparison that raises an alert when it holds: `error_rate > 1%`, `p95 > 500ms`, `> 1%`. Sorted as text."""

    metric: str
    """One of `METRICS`, "" when the place where it stands says which; `p95` is read as `latency_p95`."""
    operator: str
    value: Duration | Percent | Decimal
    schema: ClassVar[JsonSchemaValue] = {
        "type": "string",
        "pattern": rf"^ *([a-z_]+[0-9]*)? *[<>]=? *({NUMBER} *%?|{_DURATION}) *$",
        "examples": ["error_rate > 1%", "p95 > 500ms", "> 1%"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a comparison; a metric is only compared with what it is measured in."""
        parts = tokens("condition", text)
        name = parts[0] if parts[0].type == "NAME" else None
        operator, *amount = parts[1:] if name else parts
        metric = f"latency_{name}" if name and name.startswith("p") else str(name or "")
        if name and metric not in METRICS:
            raise unknown("metric", name, tuple(METRICS))
        value: Duration | Percent | Decimal
        if len(amount) == 1:
            value = decimal(amount[0]).normalize()
        elif amount[1].type == "PERCENT":
            value = Percent(decimal(amount[0]))
        else:
            value = Duration(_milliseconds(amount))
        if name and not isinstance(value, METRICS[metric]):
            wanted = {Percent: "a percentage", Duration: "a duration", Decimal: "a plain number"}[METRICS[metric]]
            raise NotationError(f"{metric} is compared with {wanted}", amount[0].column or 0, (wanted,))
        return cls(metric, str(operator), value)

    def __lt__(self, other: Condition) -> bool:
        return str(self) < str(other)

    def __str__(self) -> str:
        value = f"{self.value:f}" if isinstance(self.value, Decimal) else str(self.value)
        return f"{self.metric} {self.operator} {value}".lstrip()


@dataclass(frozen=True, order=True, slots=True)
class Matcher(Notation):
    """A Prometheus label matcher: `code=~"5.."`. `value` is the plain text; whoever writes PromQL quotes it."""

    label: str
    operator: str
    """One of `=`, `!=`, `=~`, `!~`."""
    value: str
    schema: ClassVar[JsonSchemaValue] = {
        "type": "string",
        "pattern": r'^ *[A-Za-z_][A-Za-z0-9_]* *(=~|!~|!=|=) *"([^"\\]|\\["\\])*" *$',
        "examples": ['code=~"5.."', 'outcome="error"'],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a matcher; inside its quotes a backslash only comes before a backslash or a quote."""
        label, operator, quoted = tokens("matcher", text)
        value = re.sub(r"\\(.)", r"\1", quoted[1:-1])
        if operator in ("=~", "!~"):
            _check_re2(value, quoted.column or 0)
        return cls(str(label), str(operator), value)

    def __str__(self) -> str:
        return '{}{}"{}"'.format(self.label, self.operator, self.value.replace("\\", "\\\\").replace('"', '\\"'))


def _milliseconds(pairs: Sequence[Token]) -> int:
    """The sum of pairs of a number and a unit."""
    total, shortest = Decimal(0), LONGEST_DURATION
    for number, unit in zip(pairs[::2], pairs[1::2], strict=True):
        if unit not in UNITS:
            raise unknown("unit", unit, tuple(UNITS))
        length = MILLISECONDS[UNITS[unit]]
        if length >= shortest:
            raise NotationError(f"units go from long to short, each once: character {unit.column}", unit.column or 0)
        shortest = length
        total += decimal(number) * length
    if total != int(total):
        raise NotationError("a duration is a whole number of milliseconds")
    return int(total)


def _check_re2(pattern: str, column: int) -> None:
    """Refuse what Prometheus cannot compile: RE2 is close to Python's `re` but looks neither ahead nor back."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it warns of what later versions may read otherwise
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise NotationError(f"not a regular expression: {error}", column) from None
    if found := _NOT_RE2.search(pattern):
        raise NotationError(f"RE2, the regular expressions of Prometheus, knows no {found[0]}", column)


_NOT_RE2 = re.compile(r"\(\?(?!:|P<|[ims-]+[:)]).?|\\[1-9Z]|[*+?}]\+|\{(\d+,)?\d{4,}\}")
"""Look-around, back-references, conditions, comments, possessive and very long repeats."""
