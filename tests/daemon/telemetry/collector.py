"""A stand-in for an OpenTelemetry collector: it keeps what it is sent, and can refuse or be slow."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from nthlayer_sync.settings.serve import TracingSettings


class Collector:
    """What came; `open` lets requests be answered, `status` is what they are answered."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Event()
        self.status = 200
        self.port = 0

    def settings(self, share: float = 1.0) -> TracingSettings:
        return TracingSettings(endpoint=f"http://127.0.0.1:{self.port}/v1/traces", share=share)

    @property
    def spans(self) -> list[Any]:
        found = []
        for body in self.raw:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on this machine."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.asked.set()
            collector.open.wait(20)
            if collector.status == 200:
                packed = self.headers.get("Content-Encoding") == "gzip"
                collector.raw.append(gzip.decompress(body) if packed else body)
            try:
                self.send_response(collector.status)
                self.end_headers()
            except OSError:
                pass  # who asked did not wait

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield collector
        finally:
            collector.open.set()
            server.shutdown()
            thread.join()
