"""What a plain (unquoted) YAML scalar means, by the core schema of YAML 1.2, as Backstage reads it."""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"(?P<decimal>[-+]?[0-9]+)|0o(?P<octal>[0-7]+)|0x(?P<hexadecimal>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
)
_BASES = {"decimal": 10, "octal": 8, "hexadecimal": 16}
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_MAY_MEAN_SOMETHING = frozenset("0123456789+-.~nNtTfF")


def plain_value(text: str) -> object:
    """The value of the plain scalar `text`: None, a bool, int, float, or `text` itself.

    Source: YAML 1.2.2, 10.3.2 "Tag Resolution". `no`, `on`, `12:30`, `1_000` and `2024-01-01` are text.
    """
    if text and text[0] not in _MAY_MEAN_SOMETHING:
        return text
    if text in _WORDS:
        return _WORDS[text]
    number = _NUMBER.fullmatch(text)
    if number is None or number.lastgroup is None:
        return text
    if number.lastgroup == "float":
        return float(text)
    try:
        return int(number[number.lastgroup], _BASES[number.lastgroup])
    except ValueError:  # longer than Python converts; JavaScript reads such numbers as floats too
        return float(text)
