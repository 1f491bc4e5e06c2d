"""Messages between a process and the one that started it, and an end that is not missed.

A child reads from a pipe that its parent holds open. Where that ends, the parent is gone, however it went.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, NoReturn


class Answers(io.FileIO):
    """A pipe of which no more is read than is asked for, so that `select` tells of each message in it."""

    def read(self, size: int | None = -1) -> bytes:
        """As many bytes, unless the pipe ends before."""
        parts: list[bytes] = []
        left = size if size is not None and size >= 0 else sys.maxsize
        while left and (part := super().read(min(left, _BLOCK))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Child:
    """The pipe to a process of ours, and the one from it; how it is killed, and waited for: its exit code, or
    that of a signal as a negative number. `pid` is None where another process started it.
    """

    to: IO[bytes]
    answers: IO[bytes]
    kill_it: Callable[[], None]
    wait_for_it: Callable[[], int]
    pid: int | None = None

    def send(self, message: Any) -> None:
        """Raises `BrokenPipeError` if it has ended."""
        pickle.dump(message, self.to, pickle.HIGHEST_PROTOCOL)
        self.to.flush()

    def ending(self) -> str:
        """How it ended by itself: `SIGABRT`, `exit code 1`. To be asked once."""
        code = self.wait_for_it()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def end(self) -> None:
        """SIGTERM would have libtpu print a stack trace."""
        with suppress(ProcessLookupError):
            self.kill_it()
        with suppress(ChildProcessError, EOFError):  # it was waited for before, or killed with its group
            self.wait_for_it()
        with suppress(BrokenPipeError):  # what it did not read any more
            self.to.close()
        self.answers.close()


def pipes() -> tuple[tuple[int, int], tuple[int, int]]:
    """To a child and from it; of each, the descriptor to read from and the one to write to."""
    return os.pipe(), os.pipe()


def start(module: str, *words: str, environ: Mapping[str, str]) -> Child:
    """Start `main` of a module of this package in a new Python, with the arguments `words`.

    It leads a process group of its own, so that Ctrl-C at the terminal does not reach it.
    """
    (reads, to), (answers, writes) = pipes()
    program = f"from {module} import main; main()"
    command = [sys.executable, "-P", "-c", program, str(reads), str(writes), *words]
    try:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            pass_fds=(reads, writes),
            start_new_session=True,
        )
    finally:
        os.close(reads)
        os.close(writes)
    kill = lambda: os.killpg(process.pid, signal.SIGKILL)  # noqa: E731
    return Child(os.fdopen(to, "wb"), Answers(answers), kill, process.wait, process.pid)


def fork(serve: Callable[[Parent], NoReturn]) -> Child:
    """A copy of this process that does `serve` alone. Nothing may have started a thread that it needs."""
    (reads, to), (answers, writes) = pipes()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if (pid := os.fork()) == 0:
        os.close(to)
        os.close(answers)
        serve(Parent(os.fdopen(reads, "rb"), os.fdopen(writes, "wb")))
    os.close(reads)
    os.close(writes)
    wait = lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])  # noqa: E731
    return Child(os.fdopen(to, "wb"), Answers(answers), partial(os.kill, pid, signal.SIGKILL), wait, pid)


@dataclass(frozen=True, slots=True)
class Parent:
    """The pipes to the process that started this one."""

    requests: IO[bytes]
    results: IO[bytes]

    @classmethod
    def of_arguments(cls) -> Parent:
        """By the file descriptors that are the first two words of the command line, which are removed."""
        reads, writes = map(int, sys.argv[1:3])
        del sys.argv[1:3]
        return cls(os.fdopen(reads, "rb"), os.fdopen(writes, "wb"))

    def receive(self) -> Any:
        return pickle.load(self.requests)

    def close(self) -> None:
        self.requests.close()
        self.results.close()

    def end_with(self, before: Callable[[], None] = lambda: None) -> None:
        """From now on, end at once when the parent does, but for what is to be done `before`. No more
        messages can be received.
        """
        threading.Thread(target=self._wait, args=(before,), daemon=True).start()

    def _wait(self, before: Callable[[], None]) -> None:
        self.requests.read()
        try:
            before()
        finally:
            os._exit(0)

    def tell(self, message: Any) -> None:
        """Give a part of the answer."""
        pickle.dump(message, self.results, pickle.HIGHEST_PROTOCOL)
        self.results.flush()

    def answer(self, message: Any) -> NoReturn:
        """Give the answer, and end. The compiler's threads are not waited for."""
        self.tell(message)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
