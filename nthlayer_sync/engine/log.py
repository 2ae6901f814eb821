"""The log: events on standard error, without secrets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nthlayer_sync.sdk.redact import redact

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger


def log() -> BoundLogger:
    """The log, imported when something goes wrong: it costs 0.2 s, which a run without trouble should not pay."""
    import structlog

    if not structlog.is_configured():
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                # As plain text: the renderer's own tracebacks show the variables of each frame, and secrets among them.
                structlog.processors.format_exc_info,
                redact,
                structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
            ],
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )
    return structlog.stdlib.get_logger()
