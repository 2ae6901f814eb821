"""Holds every request to the sandbox, and every answer of it, against the vendor's own OpenAPI file.

Use it in any test that talks to a sandbox, also the tests of targets:

    with Oracle(shared, sandbox) as oracle:
        ...
    # leaving raises AssertionError with every violation there was

Plain validation lets misspelt fields pass, so names that no branch of a schema knows are violations too. What a
vendor's file says wrongly is waived in `waivers.py`, each with its reason.
"""

import gzip
import json
import re
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from jsonschema.exceptions import best_match
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import ImmutableMultiDict

from nthlayer_sync.sandbox import Sandbox
from nthlayer_sync.sandbox.tool import Exchange
from tests.sandbox.waivers import REPAIRS, SPECS, WAIVERS

_ORIGIN = "http://sandbox"


@dataclass
class Spec:
    """One OpenAPI file, ready to validate with."""

    document: dict[str, Any]
    api: OpenAPI
    unknown_fields: Any
    templates: list[tuple[re.Pattern[str], str]]

    def template(self, path: str, method: str) -> str | None:
        """The path of the file that a request's path (below the base) is for."""
        for pattern, template in self.templates:
            if pattern.fullmatch(path) and method.lower() in self.document["paths"][template]:
                return template
        return None

    def schema(self, template: str, method: str, part: str) -> Any:
        """The JSON schema of an operation's request body, or of the answer with a status; None when there is none."""
        operation = self.document["paths"][template][method.lower()]
        if part == "request":
            holder = operation.get("requestBody")
        else:
            answers = operation["responses"]
            holder = answers.get(part) or answers.get(f"{part[0]}XX") or answers.get("default")
        content = self.resolved(holder or {}).get("content") or {}
        return next((media.get("schema") for kind, media in content.items() if "json" in kind or "form" in kind), None)

    def resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """What a reference is for; anything else as it is."""
        while "$ref" in node:
            found: Any = self.document
            for word in node["$ref"][2:].split("/"):
                found = found[word.replace("~1", "/").replace("~0", "~")]
            node = found
        return node


@cache
def spec(shared: Path, file: str, base: str) -> Spec:
    """Load, repair and index one OpenAPI file; `base` is what its paths are below."""
    sys.path.insert(0, str(shared / "specs" / "tools"))
    try:
        import conformance
    finally:
        sys.path.pop(0)
    path = shared / "specs" / "api" / file
    raw = path.read_bytes()
    document = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    if "cortex" in file:
        conformance.break_circles(document)
    conformance.prepare(document, _ORIGIN + base)
    if repair := REPAIRS.get(file):
        repair(document)
    # Who may call is checked by the sandbox itself; and the paths are those of one server.
    for item in [document, *document["paths"].values()]:
        for operation in [item, *(each for each in item.values() if isinstance(each, dict) and item is not document)]:
            operation.pop("security", None)
            if operation is not document:
                operation.pop("servers", None)
    templates = sorted(document["paths"], key=lambda path: (path.count("{"), path))
    patterns = [(re.compile(re.sub(r"\\{[^/]*?\\}", "[^/]+", re.escape(path))), path) for path in templates]
    api = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))
    return Spec(document, api, conformance.unknown_fields, patterns)


class Oracle:
    """Watches the tools of a sandbox while the context lasts."""

    def __init__(self, shared: Path, sandbox: Sandbox) -> None:
        self.violations: list[str] = []
        self.seen: set[str] = set()
        """Every operation that was checked, as `tool METHOD /path/{template} status`."""
        self.waived: set[str] = set()
        """The reasons that were needed."""
        self._shared = shared
        self._sandbox = sandbox

    def __enter__(self) -> Self:
        for tool in self._sandbox.tools.values():
            tool.watch = self._watch
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for tool in self._sandbox.tools.values():
            tool.watch = None
        if error is None and self.violations:
            raise AssertionError(
                "not as the vendor's specification has it:\n" + "\n".join(sorted(set(self.violations)))
            )

    def _watch(self, exchange: Exchange) -> None:
        status = exchange.reply.status
        for prefix, file, base in SPECS[exchange.tool.name]:
            if not exchange.path.startswith(prefix):
                continue
            known = spec(self._shared, file, base)
            template = known.template(exchange.path.removeprefix(base), exchange.method)
            if template is None:
                break
            name = f"{exchange.tool.name} {exchange.method} {template} {status}"
            self.seen.add(name)
            for text in _wrong(known, template, exchange):
                self._report(exchange, name, text)
            return
        if status != 404:
            name = f"{exchange.tool.name} {exchange.method} {exchange.path} {status}"
            self._report(exchange, name, "no such operation in the specification")

    def _report(self, exchange: Exchange, name: str, text: str) -> None:
        for waiver in WAIVERS:
            if fnmatchcase(name, waiver.operation) and re.search(waiver.error, text):
                self.waived.add(waiver.reason)
                return
        self.violations.append(f"{name}: {text}")


def _wrong(known: Spec, template: str, exchange: Exchange) -> list[str]:
    """What is wrong with a request (only when it was accepted) and with its answer."""
    reply = exchange.reply
    headers = {name: value for name, value in exchange.headers.items() if name.lower() != "host"}
    request = MockRequest(
        _ORIGIN,
        exchange.method.lower(),
        # The specification's paths hold no slash in a part, and openapi-core reads paths as they come.
        exchange.path,
        args=ImmutableMultiDict(parse_qsl(exchange.query, keep_blank_values=True)),
        headers=headers,
        data=exchange.body or None,
        content_type=headers.get("Content-Type", "application/json").partition(";")[0],
    )
    request.parameters.path = {}
    kind = reply.headers.get("Content-Type", "application/json").partition(";")[0]
    response = MockResponse(reply.body or b"", status_code=reply.status, headers=reply.headers, content_type=kind)
    found: list[str] = []
    if reply.status < 400:
        found += [f"request: unknown parameter {name}" for name in _unknown_parameters(known, template, exchange)]
        found += [f"request: {text}" for error in known.api.iter_request_errors(request) for text in _texts(error)]
        found += _unknown(known, template, exchange.method, "request", _decoded(exchange.body, headers))
    declared = known.document["paths"][template][exchange.method.lower()]["responses"]
    if str(reply.status) not in declared and "default" not in declared and f"{reply.status // 100}XX" not in declared:
        return [*found, f"answer: status {reply.status} is not in the specification"]
    if reply.body:
        found += [
            f"answer: {text}" for error in known.api.iter_response_errors(request, response) for text in _texts(error)
        ]
        found += _unknown(known, template, exchange.method, str(reply.status), _decoded(reply.body, {}))
    return found


def _unknown_parameters(known: Spec, template: str, exchange: Exchange) -> set[str]:
    item = known.document["paths"][template]
    declared = [*item.get("parameters", []), *item[exchange.method.lower()].get("parameters", [])]
    names = {known.resolved(each)["name"] for each in declared}
    return {name for name, _ in parse_qsl(exchange.query, keep_blank_values=True)} - names


def _unknown(known: Spec, template: str, method: str, part: str, body: Any) -> list[str]:
    schema = known.schema(template, method, part)
    if schema is None or body is None:
        return []
    where = "request" if part == "request" else "answer"
    return [
        f"{where}: unknown field {re.sub(r'/[0-9]+', '/*', field)}"
        for field in known.unknown_fields(known.document, schema, body)
    ]


def _decoded(body: bytes, headers: dict[str, str]) -> Any:
    if not body:
        return None
    if "form" in headers.get("Content-Type", ""):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    return json.loads(body)


def _texts(error: BaseException) -> list[str]:
    """One text for each reason, so that a waiver for one does not hide another."""
    causes = getattr(error.__cause__, "schema_errors", None) or getattr(error, "schema_errors", None)
    if not causes:
        return [unquote(f"{error} {error.__cause__ or ''}".strip())[:400]]
    deepest = [_deepest(cause) for cause in causes]
    return [f"{'/'.join(map(str, each.absolute_path))}: {each.message[:200]}" for each in deepest]


def _deepest(error: Any) -> Any:
    """The innermost reason of the branch that fits best."""
    return best_match([error]) or error
