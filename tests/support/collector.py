"""A receiver of OTLP over HTTP: it decodes what it is sent with OpenTelemetry's own messages."""

import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Sent:
    """A span with its resource, as plain values."""

    def __init__(self, resource, span):
        self.name, self.error = span.name, span.status.message
        self.id, self.parent, self.trace = span.span_id, span.parent_span_id, span.trace_id
        self.start, self.end = span.start_time_unix_nano, span.end_time_unix_nano
        self.attributes, self.resource = values(span.attributes), values(resource.attributes)

    def __getitem__(self, name):
        return self.attributes[name]


def values(attributes):
    return {one.key: value(one.value) for one in attributes}


def value(any_value):
    kind = any_value.WhichOneof("value")
    held = getattr(any_value, kind)
    return [value(one) for one in held.values] if kind == "array_value" else held


class Collector:
    """What came: `requests` are pairs of a path and headers. It answers with `status`; with `hangs`, not at
    all.
    """

    def __init__(self, port, status, hangs):
        self.url, self.status, self.hangs = f"http://127.0.0.1:{port}", status, hangs
        self.requests, self.spans, self.released = [], [], threading.Event()

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.requests.append((handler.path, dict(handler.headers)))
        if self.hangs:
            self.released.wait(60)
        if self.status == 200:
            for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                scopes = of_resource.scope_spans
                self.spans += [Sent(of_resource.resource, span) for scope in scopes for span in scope.spans]

    def whole(self):
        """The spans of compilations, by their begin."""
        return sorted((span for span in self.spans if not span.parent), key=lambda span: span.start)

    def stages(self, whole):
        found = [span for span in self.spans if span.parent == whole.id and span.trace == whole.trace]
        return sorted(found, key=lambda span: span.start)

    def awaited(self, count):
        """The spans of compilations, once there are as many: where a program is killed, nobody waits."""
        until = time.monotonic() + 20
        while len(self.whole()) < count and time.monotonic() < until:
            time.sleep(0.02)
        return self.whole()


@contextmanager
def collecting(status=200, hangs=False):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            collector.take(self)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(collector.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

        def handle(self):
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked has stopped waiting
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server.server_address[1], status, hangs)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    try:
        yield collector
    finally:
        collector.released.set()
        server.shutdown()
        server.server_close()
