"""A sender and the process that it starts, before a real receiver: what is delivered, and what is told of the
rest. That the program is not slowed down, whatever the collector does, too.
"""

import os
import signal
import socket
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from jitinspect.model.runs import Compilation, Span
from jitinspect.programs.listeners import Listeners
from jitinspect.programs.telemetry import sender as module
from jitinspect.programs.telemetry.sender import Sender
from tests.support.collector import collecting

RESOURCE = {"service.name": "train", "jitinspect.version": "1"}
SDK_GIVES_UP = 10
"""Seconds: by itself it would go on trying for so long."""
NOWHERE = "http://127.0.0.1:9/v1/traces"


def compilation(seq=0, **others):
    return Compilation(
        seq, "call", "step", "train.py:8", None, "step()", "COMPILED", seq + 0.0, seq + 1.0,
        {"compile": 0.5}, 1, thread=1, **others,
    )  # fmt: skip


def sent(to, count, **others):
    sender = ready(Sender(f"{to.url}/v1/traces" if hasattr(to, "url") else to, RESOURCE))
    for seq in range(count):
        sender.on_span(Span("compile", "step", seq + 0.25, 0.5, 1))
        sender.on_compilation(compilation(seq, **others))
    return sender


def test_each_compilation_and_each_of_its_stages_is_delivered():
    with collecting() as collector:
        assert sent(collector, 700).finish() is None
    wholes = collector.whole()
    assert [span.end - span.start for span in wholes] == [10**9] * 700
    assert [len(collector.stages(span)) for span in wholes] == [1] * 700
    assert len({span.trace for span in wholes}) == 700
    assert {span.resource["process.pid"] for span in collector.spans} == {os.getpid()}


def test_what_jax_compiles_for_itself_is_not_sent():
    with collecting() as collector:
        sender = ready(Sender(collector.url + "/v1/traces", RESOURCE))
        sender.on_span(Span("compile", "step", 0.25, 0.5, 1, internal=True))
        sender.on_compilation(Compilation(0, "internal", "add", None, None, None, "COMPILED", 0.0, 1.0))
        sender.on_compilation(compilation())
        assert sender.finish() is None
    assert [span.name for span in collector.spans] == ["compilation step"]


def test_a_collector_that_is_not_there_is_told_with_what_was_lost():
    began = time.monotonic()
    note = sent(NOWHERE, 2).finish()
    assert note == f"4 of 4 spans were not delivered to {NOWHERE}: Connection refused"
    assert time.monotonic() - began < SDK_GIVES_UP


def test_a_collector_that_answers_with_an_error_is_quoted():
    with collecting(status=500) as collector:
        note = sent(collector, 1).finish()
    assert note == f"2 of 2 spans were not delivered to {collector.url}/v1/traces: 500 Internal Server Error"


def test_a_collector_that_never_answers_is_waited_for_a_moment_only():
    with collecting(hangs=True) as collector:
        sender = sent(collector, 1)
        began = time.monotonic()
        note = sender.finish()
        assert time.monotonic() - began < SDK_GIVES_UP
    assert note == f"2 of 2 spans were not delivered to {collector.url}/v1/traces: no answer within 3 s"


def test_what_exceeds_the_queue_is_lost_and_nobody_waits(monkeypatch):
    """The process that reads is stopped, so that all must wait here."""
    monkeypatch.setattr(module, "_MOST_BYTES", 100_000)
    sender = Sender(NOWHERE, RESOURCE)
    os.kill(exporter_of(sender), signal.SIGSTOP)
    spent = []
    for seq in range(3000):
        began = time.process_time()
        sender.on_compilation(compilation(seq))
        spent.append(time.process_time() - began)
    assert len(sender._backlog.waiting) <= 100_000 and sender._backlog.lost > 1000
    assert sum(spent) / len(spent) < 0.001
    os.kill(exporter_of(sender), signal.SIGKILL)
    assert sender.finish().startswith("whether 3000 spans were delivered to ")


def ready(sender):
    """Once its process has started, which may take long here."""
    sender._socket.settimeout(60)
    assert sender._socket.recv(3, socket.MSG_PEEK) == b"{}\n"
    sender._socket.setblocking(False)
    return sender


def exporter_of(sender):
    """The process of this one's sender: no child of it, so it is found by its environment."""
    ready(sender)
    mark = f"JITINSPECT_TEST={os.environ['JITINSPECT_TEST']}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0") and int(process.name) != os.getpid():
                return int(process.name)
    raise AssertionError("it has not started")


@pytest.fixture(autouse=True)
def _found_by_its_environment(monkeypatch):
    monkeypatch.setenv("JITINSPECT_TEST", uuid.uuid4().hex)


def test_an_exporter_that_is_gone_does_not_end_the_program():
    """Also where SIGPIPE would, as a program may have set."""
    sender = Sender(NOWHERE, RESOURCE)
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.kill(exporter_of(sender), signal.SIGKILL)
        time.sleep(0.2)
        for seq in range(3):
            sender.on_compilation(compilation(seq))
        assert "is not known: the process that sends them has ended" in sender.finish()
    finally:
        signal.signal(signal.SIGPIPE, before)


def test_settings_that_the_sdk_refuses_are_told(monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    sender = Sender(NOWHERE, RESOURCE)
    sender.on_compilation(compilation())
    sender._socket.settimeout(60)
    assert sender._socket.recv(1, socket.MSG_PEEK)
    assert sender.finish().startswith(
        "1 of 1 spans were not delivered to http://127.0.0.1:9/v1/traces: ValueError"
    )


def test_a_program_that_compiled_nothing_waits_for_nothing():
    began = time.monotonic()
    assert Sender(NOWHERE, RESOURCE).finish() is None
    assert time.monotonic() - began < 1


def test_listeners_are_told_as_before():
    told = []
    sender = Sender(NOWHERE, RESOURCE)
    listeners = sender.added_to(Listeners(on_compiling=told.append, on_compilation=told.append))
    listeners.on_compiling("so far")
    listeners.on_compilation(compilation())
    assert told == ["so far", compilation()]
    sender._socket.close()
