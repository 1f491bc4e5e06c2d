"""In the program's process: spans are handed to another process, which sends them.

That one imports OpenTelemetry, encodes, and waits for the collector, so that the program's modules, threads
and time are its own. It lives on for a moment if the program is killed. It is no child of the program, whose
`os.wait()` must not find it, and leads a session of its own, which Ctrl-C does not reach.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from jitinspect.model.runs import Compilation, Span
from jitinspect.programs.listeners import Listeners
from jitinspect.programs.recording.writer import Job
from jitinspect.programs.telemetry.endpoint import shown
from jitinspect.programs.telemetry.spans import spans_of, stages_of

LAST_SECONDS = 3.0
"""How long the end of the program may wait for what has not been delivered."""
_START_SECONDS = 4.0
"""More than that, if the process that sends them has hardly started: the machine has much else to do."""
_MOST_BYTES = 4 << 20
"""Waiting to be handed over; what exceeds that is lost."""
_MOST_STAGES = 256
"""Of one thread, whose compilation has not ended."""
_FLAGS = getattr(socket, "MSG_NOSIGNAL", 0)
"""The program may have SIGPIPE end it."""
_PROGRAM = "from jitinspect.programs.telemetry.exporter import main; main()"


@dataclass(slots=True)
class _Backlog:
    """What has not been handed over. `spans` counts all that were made, `lost` those that had no room."""

    waiting: bytearray = field(default_factory=bytearray)
    spans: int = 0
    lost: int = 0

    def add(self, message: Mapping[str, Any], spans: int = 0) -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        self.spans += spans
        if len(self.waiting) + len(line) > _MOST_BYTES:
            self.lost += spans
        else:
            self.waiting += line


class Sender:
    """Takes what a watch tells, and never waits for anybody before `finish`. `started` is when the watch
    began, in the time of `time.perf_counter()`.
    """

    def __init__(self, endpoint: str, resource: Mapping[str, str | int]) -> None:
        self._endpoint, self._process = shown(endpoint), os.getpid()
        self._clock = time.time_ns() - time.perf_counter_ns()
        self.started = time.perf_counter()
        self._stages: dict[int, deque[Span]] = defaultdict(lambda: deque(maxlen=_MOST_STAGES))
        self._backlog = _Backlog()
        self.job: Callable[[], Job | None] = lambda: None
        self._socket = _started_exporter()
        self._backlog.add({"endpoint": endpoint, "seconds": LAST_SECONDS, "resource": dict(resource)})
        self._hand_over()

    def added_to(self, listeners: Listeners) -> Listeners:
        """Listeners that tell those and this one."""

        def on_compilation(one: Compilation) -> None:
            listeners.on_compilation(one)
            self.on_compilation(one)

        return replace(listeners, on_compilation=on_compilation, on_span=self.on_span)

    def on_span(self, span: Span) -> None:
        if not span.internal:
            self._stages[span.thread].append(span)

    def on_compilation(self, one: Compilation) -> None:
        if one.kind == "internal":
            return
        ended = self._stages[one.thread]
        stages = stages_of(one, ended)
        for stage in stages:
            ended.remove(stage)
        spans = spans_of(one, stages, self._clock + round(self.started * 1e9), self.job())
        self._backlog.add({"pid": os.getpid(), "spans": spans}, len(spans))
        self._hand_over()

    def forked(self) -> None:
        """In a child that the program forked: what waits is its parent's to hand over."""
        self._stages.clear()
        self._backlog = _Backlog()

    def finish(self) -> str | None:
        """Wait for what is under way, though not for long: what is to be told of what was not delivered. In
        a child, and where there is nothing to wait for, just go.
        """
        if os.getpid() != self._process or not self._backlog.spans:
            self._socket.close()
            return None
        answer: Mapping[str, Any] = {"unknown": "interrupted"}
        with suppress(KeyboardInterrupt):
            answer = self._answer()
        self._socket.close()
        made = max(self._backlog.spans, answer.get("made", 0) + self._backlog.lost)
        if unknown := answer.get("unknown"):
            return f"whether {made} spans were delivered to {self._endpoint} is not known: {unknown}"
        missing = made - answer["delivered"]
        why = answer["why"]
        return f"{missing} of {made} spans were not delivered to {self._endpoint}: {why}" if missing else None

    def _answer(self) -> Mapping[str, Any]:
        """What became of the spans, those of the program's children included."""
        self._backlog.add({"end": True})
        self._socket.settimeout(LAST_SECONDS + _START_SECONDS)
        answers = self._socket.makefile("rb")
        try:
            with suppress(ConnectionError):  # it may have told why it ended
                self._socket.sendall(self._backlog.waiting, _FLAGS)
            return next(filter(None, map(json.loads, answers)))  # the first says that it is ready
        except TimeoutError:
            return {"unknown": "the process that sends them does not answer"}
        except (OSError, StopIteration):
            return {"unknown": "the process that sends them has ended"}

    def _hand_over(self) -> None:
        """As much as the other process has room for."""
        waiting = self._backlog.waiting
        try:
            while waiting:
                del waiting[: self._socket.send(waiting, _FLAGS)]
        except BlockingIOError:
            pass
        except OSError as error:
            if isinstance(error, TimeoutError):  # the program's own, from a signal handler
                raise
            waiting.clear()  # the other process has ended, or the program has closed all files


def _started_exporter() -> socket.socket:
    """The connection to it."""
    ours, its = socket.socketpair()
    with suppress(ChildProcessError):  # whoever started us ignores SIGCHLD
        if (pid := os.fork()) == 0:
            _start(its.fileno())
        os.waitpid(pid, 0)
    its.close()
    ours.setblocking(False)
    return ours


def _start(descriptor: int) -> None:
    """In a process between, which ends at once. Does not return."""
    try:
        subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, str(descriptor)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(descriptor,), start_new_session=True,
        )  # fmt: skip
    finally:
        os._exit(0)
