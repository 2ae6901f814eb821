"""Traces, where the settings ask for them: the steps that `sdk.spans` marks are sent to a collector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk import spans
from nthlayer_sync.settings.serve import TracingSettings

_continue: Callable[[str], AbstractContextManager[None]] | None = None
_NOTHING = nullcontext()


@asynccontextmanager
async def tracing(
    settings: TracingSettings | None, replica: str, dropped: Callable[[int], None]
) -> AsyncGenerator[None]:
    """Steps are sent to the collector of the settings as long as this lasts; `dropped` counts those that are not.

    Without settings nothing of OpenTelemetry is even imported. PermanentError when it is not installed.
    """
    global _continue
    if settings is None:
        yield
        return
    try:
        from nthlayer_sync.daemon.telemetry.otel import Collector
    except ImportError as error:
        raise PermanentError("serve.tracing needs more: pip install 'nthlayer-sync[otel]'") from error
    collector = await asyncio.to_thread(Collector, settings, replica, dropped)
    spans.trace(collector.begin)
    _continue = collector.continuing
    try:
        yield
    finally:
        spans.trace(None)
        _continue = None
        await asyncio.to_thread(collector.stop)


def continuing(traceparent: str) -> AbstractContextManager[None]:
    """What this task does meanwhile belongs to the trace of who asked for it: https://www.w3.org/TR/trace-context/.

    A header that is none changes nothing.
    """
    return _continue(traceparent) if _continue and traceparent else _NOTHING
