"""Who may write where: stdout is for what was asked, all else goes to stderr."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from typing import IO, TextIO

from jitinspect.errors import UsageError

_BLOCK = 1 << 16


def replace_closed() -> None:
    """Give a process that was started without stdout or stderr (`>&-`) streams that lead nowhere."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


@cache
def own_stdout() -> TextIO:
    """Take stdout for this program alone; from now on whatever else writes to it writes to stderr.

    It is done to the file descriptor, so that C++ and subprocesses are meant, too,
    and for the rest of the process, so that what the user's `atexit` prints is as well.
    """
    sys.stdout.flush()
    try:
        own = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # one of the two is closed: nobody reads
        return sys.stdout
    return open(
        own, "w", encoding=sys.stdout.encoding, errors="backslashreplace", newline="", buffering=_BLOCK
    )


def shared_stdout() -> TextIO:
    """A stream of our own to stdout, which stays open to the user's program as well."""
    sys.stdout.flush()
    try:
        own = os.dup(1)
    except OSError:
        return sys.stdout
    return open(
        own, "w", encoding=sys.stdout.encoding, errors="backslashreplace", newline="", buffering=_BLOCK
    )


def own_stderr() -> TextIO:
    """A stream of our own to stderr, whatever the program does with its one."""
    sys.stderr.flush()
    try:
        own = os.dup(2)
    except OSError:
        return sys.stderr
    return open(own, "w", encoding="utf-8", errors="backslashreplace", newline="", buffering=1)


def wants_color(choice: str, stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Flag > NO_COLOR / FORCE_COLOR > TERM=dumb > is it a terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return environ.get("TERM") != "dumb" and stream.isatty()


def write(stream: IO[str], blocks: Iterable[str]) -> None:
    """Write block by block; a reader that went away (`| head -1`) is no error.

    Raises `UsageError` where the stream takes no more, such as on a full disk.
    """
    try:
        for block in blocks:
            stream.write(block)
        stream.flush()
    except BrokenPipeError:
        _lead_nowhere(stream)
    except OSError as error:
        _lead_nowhere(stream)
        raise UsageError(f"the output cannot be written: {error.strerror}") from None


def _lead_nowhere(stream: IO[str]) -> None:
    """What is still buffered would fail once more when the interpreter closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write_paged(stream: TextIO, blocks: Iterable[str]) -> None:
    """Write to the screen, and from the moment that it is full through `$PAGER` (else `less -FRX`)."""
    height = shutil.get_terminal_size().lines
    held: list[str] = []
    lines = 0
    remaining = iter(blocks)
    for block in remaining:
        held.append(block)
        lines += block.count("\n")
        if lines >= height:
            return _page(stream, held, remaining)
    write(stream, held)


def _page(stream: TextIO, held: Iterable[str], remaining: Iterable[str]) -> None:
    environ = {"LESS": "FRX", **os.environ}
    command = os.environ.get("PAGER") or "less"
    if shutil.which(command.split()[0]) is None:
        return write(stream, chain(held, remaining))
    pager = subprocess.Popen(
        command, shell=True, stdin=subprocess.PIPE, stdout=stream, env=environ, text=True
    )
    assert pager.stdin is not None
    write(pager.stdin, chain(held, remaining))
    pager.communicate()
