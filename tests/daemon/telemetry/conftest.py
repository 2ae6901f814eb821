"""Fixtures of the telemetry's tests."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from nthlayer_sync.daemon.telemetry import logs
from nthlayer_sync.sdk import redact
from tests.plugins.conftest import tool

__all__ = ["tool"]

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def text() -> Iterator[io.StringIO]:
    """What the log writes, at its most talkative; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers = []  # pytest's own stay open
    stream = io.StringIO()
    logs.configure(stream, logging.DEBUG)
    yield stream
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    logging.raiseExceptions = True
    structlog.reset_defaults()


@pytest.fixture
def lines(text: io.StringIO) -> Lines:
    """The lines of the log so far."""
    return lambda: [json.loads(line) for line in text.getvalue().splitlines()]


@pytest.fixture
def canaries() -> Iterator[list[str]]:
    """Fifty secrets that were handed out; afterwards they are forgotten."""
    known, pattern = dict(redact._known), redact._pattern
    found = [f"canary-{number}-{chr(97 + number % 26)}\"'&%/\\{'é' * (number % 2)}" for number in range(50)]
    for secret in found:
        redact.hide(secret)
    yield found
    redact._known.clear()
    redact._known.update(known)
    redact._pattern = pattern
