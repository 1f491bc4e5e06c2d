"""The process that sends spans: it reads them from the program's, a line of JSON each, and gives them to
OpenTelemetry's SDK, for which the `OTEL_*` settings of the environment hold. No other file imports that.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, Tracer, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, StatusCode, set_span_in_context

_MOST_WAITING = 8192
"""Spans, unless the environment says otherwise: the SDK's 2048 are those of 500 compilations."""
_LOOK = 0.02
"""Seconds between two looks at whether all has been delivered."""


def main() -> None:
    """Ends when the program and all its children have."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    lines = connection.makefile("rb")
    begin = json.loads(lines.readline())
    try:
        exporting = Exporting(begin["endpoint"], begin["resource"], begin["seconds"])
    except Exception as error:  # such as a timeout in the environment that is no number
        _tell(connection, {"delivered": 0, "why": f"{type(error).__name__}: {error}"})
        raise
    _tell(connection, {})  # it is ready
    for line in _until_the_end(lines):
        message = _read(line)
        if "end" in message:
            _tell(connection, exporting.settled())
        elif message:
            exporting.take(message["pid"], message["spans"])
    exporting.settled()
    os._exit(0)


def _tell(connection: socket.socket, answer: Mapping[str, Any]) -> None:
    with suppress(OSError):  # the program has ended, or does not wait
        connection.sendall(json.dumps(answer).encode() + b"\n")


def _until_the_end(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Where the program ended before it read what it was told, the last of them is an error."""
    with suppress(ConnectionResetError):
        yield from lines


def _read(line: bytes) -> Mapping[str, Any]:
    """Empty for one that was cut off because the program was killed."""
    try:
        message: Mapping[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return message


class Exporting:
    """Spans go to `endpoint`, in batches; the end may take so many `seconds`."""

    def __init__(self, endpoint: str, resource: Mapping[str, Any], seconds: float) -> None:
        self._resource, self._seconds = resource, seconds
        self._counted = _Counted(OTLPSpanExporter(endpoint=endpoint))
        most = None if "OTEL_BSP_MAX_QUEUE_SIZE" in os.environ else _MOST_WAITING
        self._processor = BatchSpanProcessor(self._counted, max_queue_size=most)
        self._tracers: dict[int, Tracer] = {}
        self._failures = _Failures()
        self._made = 0

    def take(self, pid: int, spans: Sequence[Mapping[str, Any]]) -> None:
        """The span of a compilation, and those of its stages."""
        if pid not in self._tracers:
            self._tracers[pid] = self._tracer(pid)
        tracer, (whole, *stages) = self._tracers[pid], spans
        span = tracer.start_span(
            whole["name"], Context(), attributes=whole["attributes"], start_time=whole["start"]
        )
        self._made += int(span.get_span_context().trace_flags.sampled)
        if error := whole.get("error"):
            span.set_status(Status(StatusCode.ERROR, error))
        inside = set_span_in_context(span, Context())
        for stage in stages:
            child = tracer.start_span(
                stage["name"], inside, attributes=stage["attributes"], start_time=stage["start"]
            )
            self._made += int(child.get_span_context().trace_flags.sampled)
            child.end(stage["end"])
        span.end(whole["end"])

    def _tracer(self, pid: int) -> Any:
        """Its spans are those of this process: the program, or a child of it."""
        own: dict[str, int | str] = {"process.pid": pid, "service.instance.id": str(uuid.uuid4())}
        resource = Resource.create({**self._resource, **own})
        provider = TracerProvider(
            resource=resource.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
        )
        provider.add_span_processor(self._processor)
        return provider.get_tracer("jitinspect", str(self._resource["jitinspect.version"]))

    def settled(self) -> dict[str, Any]:
        """What became of all spans, once each was tried, one failed, or too much time has passed."""
        failed, until = self._failures.count, time.monotonic() + self._seconds
        flushing = threading.Thread(target=self._processor.force_flush, daemon=True)
        flushing.start()
        while flushing.is_alive() and self._failures.count == failed and time.monotonic() < until:
            flushing.join(_LOOK)
        why = self._failures.last or f"no answer within {self._seconds:g} s"
        return {"made": self._made, "delivered": self._counted.delivered, "why": why}


class _Counted(SpanExporter):
    """Another exporter; `delivered` counts its spans."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.delivered = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        self.delivered += len(spans) if result is SpanExportResult.SUCCESS else 0
        return result


class _Failures(logging.Handler):
    """What the SDK logs: it returns no reasons."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count, self.last = 0, ""
        logging.getLogger("opentelemetry").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[1] if record.exc_info else None
        self.last = reason_in(f"{record.getMessage()} {raised or ''}".strip()) or self.last
        self.count += 1


def reason_in(message: str) -> str:
    """The cause in what was logged (seen in SDK 1.30 and 1.45): `Connection refused`, `500 Internal …`."""
    if found := re.search(r"code: (\d+), reason: (.+)", message):
        return f"{found[1]} {found[2]}"
    if found := re.search(r"Transient error (?!HTTP)(.+) encountered", message):
        return found[1]
    if found := re.search(r"\[Errno -?\d+\] ([^'\")>]+)", message):
        return found[1]
    if "timed out" in message:
        return "no answer in time"
    return "" if "max retries or shutdown" in message else message.partition("\n")[0][:200]
