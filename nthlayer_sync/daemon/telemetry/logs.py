"""The daemon's log: one line of JSON for each event, from this program and from the libraries that it uses.

An event is named by a noun and what happened to it, such as `run.ended`. What the lines of one piece of work share, the
ids of its run, subject, source or tool, is said once, with `about`. What a library writes is a `library.logged` with
its words as `text`. A traceback stands only where the program itself is wrong.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from nthlayer_sync.engine.log import processors


def configure(stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """From now on all events of this process go to `stream`: as JSON, or for people where it is a terminal."""
    terminal = stream.isatty()
    renderer = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[_from_a_library],
            processors=[ProcessorFormatter.remove_processors_meta, *processors(), renderer],
        )
    )
    # One handler for everybody: neither lines nor settings of two ways can get into each other's way.
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(True)
    # A line that cannot be written is lost: what would be printed in its place is no line, and may hold secrets.
    logging.raiseExceptions = False
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def about(**ids: str) -> AbstractContextManager[None]:
    """Every event of this task, and of those that it starts meanwhile, bears these ids."""
    return structlog.contextvars.bound_contextvars(**ids)


def _from_a_library(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**event, "event": "library.logged", "library": event["_record"].name, "text": event["event"]}
