"""Finds what is wrong with written values and says it to the person who wrote them."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import Any, cast, get_args

import msgspec
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.notation import NotationError
from nthlayer_sync.yaml.read import locate

Path = tuple[str | int, ...]
"""Keys and list positions that lead to a value."""

LONGEST_FOUND = 60
"""Characters of a wrong value that are shown."""

_WORDS = {
    "string_type": "has to be text",
    "dict_type": "has to be a map of keys to values",
    "model_type": "has to be a map of keys to values",
    "tuple_type": "has to be a list",
    "list_type": "has to be a list",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
}
"""What to say of a wrong type, by pydantic's name of the error."""


class Problem(msgspec.Struct, frozen=True):
    """Something wrong at `path`; `at_key` when the key is wrong and not its value."""

    path: Path
    diagnosis: Diagnosis
    at_key: bool = False


def problems(
    model: type[BaseModel], values: Mapping[str, Any], *, context: Mapping[str, Any], partial: bool
) -> list[Problem]:
    """What `model` has against `values`; with `partial`, what is absent from a section may come from elsewhere."""
    try:
        model.model_validate(values, context=context)
    except ValidationError as error:
        return explain(error, model, partial=partial)
    return []


def explain(error: ValidationError, model: type[BaseModel], *, partial: bool = False) -> list[Problem]:
    """The problems that a validation of `model` found, in words."""
    details = error.errors(include_url=False)
    return [_explain(detail, model) for detail in details if not (partial and _may_come_from_elsewhere(detail))]


def did_you_mean(found: str, allowed: tuple[str, ...]) -> str:
    """`; did you mean 'x'?` when something allowed is close to what was found, else ""; a short text resembles all."""
    if len(found) < 4:
        return ""
    close = difflib.get_close_matches(found.lower(), {name.lower(): name for name in allowed}, n=1)
    return f"; did you mean {next(name for name in allowed if name.lower() == close[0])!r}?" if close else ""


def _may_come_from_elsewhere(detail: ErrorDetails) -> bool:
    """Whether it is a field of a section that is absent; a row of a list has to be complete where it stands."""
    return detail["type"] == "missing" and not any(isinstance(step, int) for step in detail["loc"])


def _explain(detail: ErrorDetails, model: type[BaseModel]) -> Problem:
    path = tuple(step for step in detail["loc"] if step != "[key]")
    kind, cause = detail["type"], detail.get("ctx", {}).get("error")
    found, allowed, code = _shown(detail["input"]), tuple[str, ...](), "invalid-value"
    if kind == "extra_forbidden":
        code, found, allowed = "unknown-key", str(path[-1]), fields_at(model, path[:-1])
        message = f"unknown key{did_you_mean(found, allowed)}"
    elif kind == "missing":
        code, found, message = "missing-value", "", "is missing"
    elif kind == "literal_error":
        allowed = tuple(re.findall(r"'([^']*)'", detail["ctx"]["expected"] if "ctx" in detail else ""))
        message = f"not one of the allowed values{did_you_mean(found, allowed)}"
    elif isinstance(cause, NotationError):
        allowed = tuple(map(str, cause.allowed))
        message = f"{cause}{did_you_mean(found, allowed)}"
    elif isinstance(cause, ValueError):
        message = str(cause)
    elif kind == "too_short":
        found, message = "", f"has too few entries; it needs {detail.get('ctx', {}).get('min_length', 1)} or more"
    else:
        message = _WORDS.get(kind) or detail["msg"][:1].lower() + detail["msg"][1:]
    field = ".".join(map(str, path))
    diagnosis = Diagnosis(code=code, message=f"{field}: {message}", field=field, found=found, allowed=allowed)
    return Problem(path, diagnosis, at_key=kind == "extra_forbidden" or detail["loc"][-1:] == ("[key]",))


def _shown(value: object) -> str:
    if isinstance(value, BaseModel | dict):  # too much to show; what is wrong in it has its own path
        return ""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= LONGEST_FOUND else text[: LONGEST_FOUND - 1] + "…"


def place(problem: Problem, data: bytes, file: str, *, document: int = 0) -> Diagnosis:
    """The diagnosis with its line and column in a file; what is absent is placed at the nearest thing around it."""
    line, column = locate(data, document, problem.path, key=problem.at_key)
    return msgspec.structs.replace(problem.diagnosis, file=file, line=line, column=column)


def fields_at(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    """The keys that may stand in the section or row at `path`."""
    for step in path:
        below = _model_below(model, step)
        if below is None:
            return ()
        model = below
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _model_below(model: type[BaseModel], step: str | int) -> type[BaseModel] | None:
    """The model of a field, of the rows of a list (the step is then a position), or of the values of a map."""
    if isinstance(step, int):
        return model
    for name, field in model.model_fields.items():
        if step == (field.alias or name):
            return _model_in(field.annotation)
    return None


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        if found := _model_in(cast("object", part)):
            return found
    return None
