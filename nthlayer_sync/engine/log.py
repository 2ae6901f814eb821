"""The log: events on standard error, without secrets."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, cast

from nthlayer_sync.errors import Failure
from nthlayer_sync.sdk.redact import redact

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger
    from structlog.typing import Processor


def log() -> BoundLogger:
    """The log, imported when something goes wrong: it costs 0.2 s, which a run without trouble should not pay.

    Until somebody else configures it, as the daemon does, it is for people at a terminal.
    """
    import structlog

    if not structlog.is_configured():
        structlog.configure(
            processors=[*processors(), structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())],
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )
    return structlog.stdlib.get_logger()


def processors() -> list[Processor]:
    """What every event goes through; only the renderer comes behind."""
    import structlog

    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _failures_in_words,
        # As plain text: the renderer's own tracebacks show the variables of each frame, and secrets among them.
        structlog.processors.format_exc_info,
        redact,
    ]


def _failures_in_words(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A failure is told by its sentence; only a bug needs to be traced through the code."""
    found = event.get("exc_info")
    if found is True or isinstance(found, tuple):
        # As the loggers of this library take it, and as the standard library passes it on.
        found = sys.exc_info()[1] if found is True else cast(tuple[object, ...], found)[1]
    if isinstance(found, Failure):
        del event["exc_info"]
        event.setdefault("error", str(found))
    return event
