"""Writes YAML that every reader understands alike, be it of YAML 1.1 or 1.2.

Text that some reader could take for anything else is put in double quotes; text of several lines becomes a literal
block; there are no aliases, tags or folded lines; order is kept. Written by hand for its speed (dozens of microseconds
a file, where a YAML library takes hundreds) and because libyaml cannot indent a list under its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from math import isfinite, isnan
from typing import cast

import msgspec

# What readers of YAML 1.1 (https://yaml.org/type/), Go or Python take for a bool, null or number.
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"])
_BEGINS_AS_TEXT = re.compile(r"[A-Za-z_/$(]|[1-9][0-9]*(?:\.[0-9]+)?[A-Za-df-z%]+$|[0-9].*[g-mp-su-wyG-MP-SU-WY/@%]")
_UNSAFE_IN_PLAIN = re.compile(r": | #|:$| $")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_LONGEST_SIMPLE_KEY = 1000  # YAML 1.2.2, 7.4.2: a key on one line has at most 1024 characters, quotes included
_STEP = "  "


def dump(value: object, *, header: str = "") -> str:
    """`value` as one YAML document, below `header` as comment lines.

    Allowed are mappings with text keys, lists, tuples, str, int, float, bool, None, and msgspec Structs; anything else
    is a TypeError. Text with a lone surrogate is a ValueError.
    """
    return dump_all((value,), header=header)


def dump_all(values: Iterable[object], *, header: str = "") -> str:
    """Each of `values` as one document of a file, below `header` as comment lines."""
    return comment(header) + "---\n".join("".join(_document(value)) for value in values)


def comment(text: str) -> str:
    """`text` as comment lines; nothing in it can end a comment."""
    return "".join(f"# {_harmless(line)}".rstrip() + "\n" for line in text.splitlines())


def quote(text: str) -> str:
    """`text` in double quotes, on one line."""
    quoted = encode_basestring(text)
    return quoted if quoted.isascii() and "\x7f" not in quoted else _UNPRINTABLE.sub(_escape, quoted)


@lru_cache(maxsize=8192)
def inline(text: str) -> str:
    """`text` on one line of a block collection: bare if no reader can mistake it, else in double quotes."""
    if (
        _BEGINS_AS_TEXT.match(text)
        and text.isprintable()
        and text.lower() not in _WORDS
        and not _UNSAFE_IN_PLAIN.search(text)
    ):
        return text
    return quote(text)


def flow(value: object) -> str:
    """`value` on one line, as it may stand inside `{ }` or `[ ]`; all text is quoted, so JSON stays JSON."""
    parts = _parts(value)
    if parts is None:
        return quote(value) if type(value) is str else _leaf(value, "")
    if isinstance(parts, Mapping):
        return "{" + ", ".join(_flow_key(_key(key)) + flow(item) for key, item in parts.items()) + "}"
    return "[" + ", ".join(flow(item) for item in parts) + "]"


def _flow_key(key: str) -> str:
    quoted = quote(key)
    return f"{quoted}: " if len(quoted) <= _LONGEST_SIMPLE_KEY else f"? {quoted} : "


def _document(value: object) -> list[str]:
    out: list[str] = []
    parts = _parts(value)
    if parts is None:
        out.append(_leaf(value, "") + "\n")
    else:
        _block(parts, "", out, "")
    return out


def _block(parts: Mapping[object, object] | Sequence[object], indent: str, out: list[str], lead: str) -> None:
    """Append the lines of a collection: `lead` stands before its first entry, `indent` before the others."""
    inner = indent + _STEP
    if not isinstance(parts, Mapping):
        for item in parts:
            below = _parts(item)
            if below is None:
                out.append(f"{lead}- {_leaf(item, indent)}\n")
            else:
                _block(below, inner, out, f"{lead}- ")
            lead = indent
        return
    for key, item in parts.items():
        text = inline(_key(key))
        if len(text) > _LONGEST_SIMPLE_KEY:
            text = f"? {text}\n{indent}"
        below = _parts(item)
        if below is None:
            out.append(f"{lead}{text}: {_leaf(item, indent)}\n")
        else:
            out.append(f"{lead}{text}:\n")
            _block(below, inner, out, inner)
        lead = indent


def _leaf(value: object, indent: str) -> str:
    """A scalar or empty collection, without its line's end."""
    if type(value) is str:
        return _literal(value, indent + _STEP) if "\n" in value and _fits_literal(value) else inline(value)
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list | tuple) else _scalar(value)


def _fits_literal(text: str) -> bool:
    """Whether `text` of several lines reads back from a literal block, whatever the reader."""
    return (
        not text[0].isspace()
        and not text.endswith("\n\n")
        and not text.rpartition("\n")[2].isspace()
        and text.replace("\n", "").replace("\t", "").isprintable()
    )


def _literal(text: str, indent: str) -> str:
    lines = text.removesuffix("\n").split("\n")
    block = "".join(f"\n{indent}{line}" if line else "\n" for line in lines)
    return ("|" if text.endswith("\n") else "|-") + block


def _scalar(value: object) -> str:
    """A scalar that is not text."""
    if isinstance(value, msgspec.Struct):
        return "{}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is float:
        return _float(value)
    raise TypeError(f"YAML is not written from {type(value).__name__}")


def _float(value: float) -> str:
    if not isfinite(value):
        return ".nan" if isnan(value) else ".inf" if value > 0 else "-.inf"
    mantissa, exponent, power = repr(value).partition("e")
    return mantissa + ("" if "." in mantissa else ".0") + exponent + power  # YAML 1.1 knows no float without a dot


def _key(key: object) -> str:
    if type(key) is str:
        return key
    raise TypeError(f"a YAML key is not written from {type(key).__name__}")


def _parts(value: object) -> Mapping[object, object] | Sequence[object] | None:
    """The entries of a collection that has some; None of an empty collection and of anything else."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value)
    if isinstance(value, dict | list | tuple) and value:
        return cast("Mapping[object, object] | Sequence[object]", value)
    return None


def _escape(match: re.Match[str]) -> str:
    """The escape of one character that is not plain ASCII, or itself if it can be seen."""
    character = match[0]
    code = ord(character)
    if character.isprintable():
        return character
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("a lone surrogate cannot be written as YAML")
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _harmless(line: str) -> str:
    """`line` of a comment without characters that cannot be seen."""
    return "".join(character if character.isprintable() else "\ufffd" for character in line.expandtabs(4))
