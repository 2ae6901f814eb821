"""Sends steps to an OpenTelemetry collector, from a thread of its own.

Nothing waits for the collector: what it does not take in time is dropped, and counted. The SDK's own batching does not
tell how much it dropped, and may hold a stopping program up for half a minute.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue

from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from nthlayer_sync import __version__
from nthlayer_sync.engine.log import log
from nthlayer_sync.errors import Failure
from nthlayer_sync.sdk import spans
from nthlayer_sync.sdk.redact import redacted
from nthlayer_sync.settings.serve import TracingSettings

MOST_WAITING = 2048
"""Steps that wait to be sent: some seconds of a busy daemon, a few MB."""
MOST_AT_ONCE = 512
"""Steps in one request. Both are usual: https://opentelemetry.io/docs/specs/otel/trace/sdk/#batching-processor"""
EVERY = 2.0
"""Seconds that a step waits for others to go with."""
PATIENCE = 5.0
"""Seconds for one request, and for what is left when the daemon stops."""
LONGEST = 200
"""Characters of a text that is said of a step."""


class Collector:
    """Where steps go. `begin` is what `sdk.spans` begins them with."""

    def __init__(self, settings: TracingSettings, replica: str, dropped: Callable[[int], None]) -> None:
        # It complains of each request that fails; that requests fail is said once, and how many steps are lost counted.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._sender = Sender(OTLPSpanExporter(settings.endpoint, timeout=PATIENCE), dropped)
        us = {"service.name": "nthlayer-sync", "service.version": __version__, "service.instance.id": replica}
        provider = TracerProvider(
            sampler=ParentBasedTraceIdRatio(settings.share), resource=Resource.create(us), shutdown_on_exit=False
        )
        provider.add_span_processor(self._sender)
        self._tracer = provider.get_tracer("nthlayer_sync", __version__)
        self._headers = TraceContextTextMapPropagator()

    @contextmanager
    def begin(self, name: str, about: Mapping[str, str | int | float]) -> Generator[spans.Span]:
        """A step, as a part of the one that is under way in this task."""
        with self._tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
            step = _Step(span)
            step.note(**about)
            try:
                yield step
            except BaseException as error:
                # Of a bug only its type: its words, and the traceback, may repeat what was read.
                words = str(error) if isinstance(error, Failure) else type(error).__name__
                span.set_status(Status(StatusCode.ERROR, redacted(words)[:LONGEST]))
                raise

    @contextmanager
    def continuing(self, traceparent: str) -> Generator[None]:
        """What begins meanwhile belongs to the trace that the header names."""
        token = context.attach(self._headers.extract({"traceparent": traceparent}))
        try:
            yield
        finally:
            context.detach(token)

    def stop(self) -> None:
        """Send what is left, for `PATIENCE` seconds at most; blocks meanwhile."""
        self._sender.shutdown()


class _Step:
    def __init__(self, span: Span) -> None:
        self._span = span

    def note(self, **about: str | int | float) -> None:
        """Say more of the step."""
        for key, value in about.items():
            said = redacted(value)[:LONGEST] if isinstance(value, str) else value
            self._span.set_attribute(f"nthlayer.{key}", said)


class Sender(SpanProcessor):
    """Hands ended steps to an exporter; so many wait for it at most that it cannot fill the memory."""

    def __init__(self, exporter: SpanExporter, dropped: Callable[[int], None]) -> None:
        self._exporter = exporter
        self._dropped = dropped
        self._waiting = Queue[ReadableSpan | None](MOST_WAITING)
        self._failing = False
        self._thread = threading.Thread(target=self._work, name="traces", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Take a step that ended; never waits."""
        if span.context and span.context.trace_flags.sampled:
            try:
                self._waiting.put_nowait(span)
            except Full:
                self._dropped(1)

    def shutdown(self) -> None:
        """Send what is left, and end; what takes longer than `PATIENCE` seconds is dropped."""
        until = time.monotonic() + PATIENCE
        with suppress(Full):
            self._waiting.put(None, timeout=PATIENCE)
        self._thread.join(max(until - time.monotonic(), 0))
        self._exporter.shutdown()
        with suppress(Empty):
            while True:
                if self._waiting.get_nowait() is not None:
                    self._dropped(1)
        self._waiting.put_nowait(None)

    def _work(self) -> None:
        last = False
        while not last and (first := self._waiting.get()) is not None:
            batch = [first]
            until = time.monotonic() + EVERY
            while len(batch) < MOST_AT_ONCE and not last:
                try:
                    another = self._waiting.get(timeout=max(until - time.monotonic(), 0))
                except Empty:
                    break
                if another is None:
                    last = True
                else:
                    batch.append(another)
            self._send(batch)

    def _send(self, batch: list[ReadableSpan]) -> None:
        try:
            sent = self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception:  # whatever is wrong with it, the next steps come all the same
            log().exception("traces.refused")
            sent = False
        if not sent:
            self._dropped(len(batch))
        if sent == self._failing:
            self._failing = not sent
            log().warning("traces.lost" if self._failing else "traces.resumed")
