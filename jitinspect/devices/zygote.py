"""The process from which a worker's compile processes are forked, so that each begins with JAX imported.

It is itself forked from the worker, before that loads a compiler or starts a thread: neither lives through a
fork.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn

from jitinspect.devices.lifeline import Child, Parent, pipes

_START, _WAIT, _REMOVE = b"s", b"w", b"r"
_WORD = 8
"""Bytes of a number between the two."""


class Zygote:
    """Forks processes that run `serve`, which does not return. What they print is that of this process's
    descriptors 1 and 2. `others` are descriptors that only this process is to hold. They write to `folder`.
    """

    def __init__(self, serve: Callable[[Parent], NoReturn], others: Parent, folder: str) -> None:
        self._asks, answers = socket.socketpair()
        if os.fork() == 0:
            self._asks.close()
            others.close()
            sys.stdout = sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
            _fork_for_ever(answers, serve, folder)
        answers.close()

    def start(self) -> Child:
        """Raises `EOFError` if it has ended."""
        (reads, to), (answers, writes) = pipes()
        socket.send_fds(self._asks, [_START.ljust(1 + _WORD)], [reads, writes])
        os.close(reads)
        os.close(writes)
        pid = self._answer()
        return Child(
            os.fdopen(to, "wb"),
            os.fdopen(answers, "rb"),
            kill_it=partial(os.kill, pid, signal.SIGKILL),
            wait_for_it=partial(self._wait, pid),
        )

    def remove_all(self) -> None:
        """Have all processes of this group ended, this one too, and then the folder removed."""
        self._asks.sendall(_REMOVE.ljust(1 + _WORD))

    def _wait(self, pid: int) -> int:
        """The exit code of a process, once it has ended; that of a signal is negative."""
        self._asks.sendall(_WAIT + pid.to_bytes(_WORD, "big", signed=True))
        return self._answer()

    def _answer(self) -> int:
        if not (found := self._asks.recv(_WORD)):
            raise EOFError("the zygote has ended")
        return int.from_bytes(found, "big", signed=True)


def _fork_for_ever(asked: socket.socket, serve: Callable[[Parent], NoReturn], folder: str) -> NoReturn:
    while True:
        message, descriptors, _, _ = socket.recv_fds(asked, 1 + _WORD, 2)
        if not message:
            os._exit(0)
        if message[:1] == _REMOVE:
            _remove_all(asked, folder)
        if message[:1] == _WAIT:
            pid = int.from_bytes(message[1:], "big", signed=True)
            answer = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        elif (answer := os.fork()) == 0:
            asked.close()
            reads, writes = descriptors
            serve(Parent(os.fdopen(reads, "rb"), os.fdopen(writes, "wb")))
        for descriptor in descriptors:
            os.close(descriptor)
        asked.sendall(answer.to_bytes(_WORD, "big", signed=True))


def _remove_all(asked: socket.socket, folder: str) -> NoReturn:
    """The folder last: in one that is still written to, a removal fails half-way."""
    group = os.getpgrp()
    os.setpgid(0, 0)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.wait()
    with suppress(ConnectionError):
        while asked.recv(_WORD):  # until those that asked, who are no children, are gone
            pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
