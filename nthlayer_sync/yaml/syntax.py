"""Places in YAML text, and the sentences that tell a person what is wrong there."""

from __future__ import annotations

import re

from yaml import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from nthlayer_sync.model.diagnosis import Diagnosis

_LINE_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")  # what libyaml counts as a line
_TEMPLATE = re.compile(r"\{[{%]")
_BLOCK_TAG = "{%"
_SHOWN = 60


def looks_like_template(data: bytes) -> bool:
    """Whether template code stands anywhere in `data`: `{%`, `{{` or `${{`."""
    return b"{%" in data or b"{{" in data


def shorten(text: str) -> str:
    """The first characters of `text`, for showing what was found."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def place_of(text: str, index: int) -> tuple[int, int]:
    """Line and column, both from 1, of the character at `index` in `text`."""
    line, start = 1, 0
    for line_break in _LINE_BREAK.finditer(text, 0, index):
        line, start = line + 1, line_break.end()
    return line, index - start + 1


def undecodable(data: bytes, file: str, error: UnicodeDecodeError) -> Diagnosis:
    """Why `data` is not UTF-8 text."""
    before = data[: error.start].decode()
    line, column = place_of(before, len(before))
    return Diagnosis(
        code="encoding",
        message="this is not UTF-8 text",
        file=file,
        line=line,
        column=column,
        found=f"byte 0x{data[error.start]:02x}",
        allowed=("UTF-8",),
    )


def templated(file: str, line: int, column: int, found: str) -> Diagnosis:
    """That a file is a template, which nobody can read as YAML before it is rendered."""
    return Diagnosis(
        code="template",
        message="this is a template, not YAML: it can be read after it has been rendered",
        file=file,
        line=line,
        column=column,
        found=shorten(found),
        allowed=("YAML without {% %} and {{ }}",),
    )


def broken(text: str, file: str, error: YAMLError) -> Diagnosis:
    """What the parser's `error` in `text` means for the person who wrote it."""
    line, column, problem, context_line = _parts(text, error)
    lines = _LINE_BREAK.split(text)
    template = _template_place(lines, min(line, context_line), max(line, context_line))
    if template is not None:
        return templated(file, *template, found=lines[template[0] - 1].strip())
    found = lines[line - 1].strip() if line <= len(lines) else ""
    if "'\\t'" in problem or (line <= len(lines) and "\t" in lines[line - 1][: column + 1] and "token" in problem):
        return Diagnosis(
            code="tab",
            message="a tab stands where YAML expects spaces",
            file=file,
            line=line,
            column=column,
            found=shorten(found),
            allowed=("spaces",),
        )
    return Diagnosis(
        code="syntax", message=f"not valid YAML: {problem}", file=file, line=line, column=column, found=shorten(found)
    )


def _parts(text: str, error: YAMLError) -> tuple[int, int, str, int]:
    """Line, column, what the parser says, and the line where the broken construct begins."""
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.problem, error.context) if part)
        if mark is not None:
            context = error.context_mark or mark
            return mark.line + 1, mark.column + 1, said, context.line + 1
        return 1, 1, said, 1
    if isinstance(error, ReaderError):
        prefix = text.encode()[: error.position].decode(errors="ignore")
        line, column = place_of(prefix, len(prefix))
        return line, column, f"{error.reason} (character {error.character!r})", line
    return 1, 1, str(error), 1


def _template_place(lines: list[str], first: int, last: int) -> tuple[int, int] | None:
    """Line and column of template code that is the likely cause of an error between these lines; all from 1."""
    for number in range(last, max(0, first - 2, last - 50), -1):
        found = _TEMPLATE.search(lines[number - 1]) if number <= len(lines) else None
        if found is not None:
            return number, found.start() + 1
    for number, line in enumerate(lines, 1):
        if _BLOCK_TAG in line:
            return number, line.index(_BLOCK_TAG) + 1
    return None
