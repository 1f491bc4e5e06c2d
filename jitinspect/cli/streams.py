"""stdout is for the requested output; everything else goes to stderr."""

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
    """Replace a stdout or stderr that is closed from the start (`>&-`) by /dev/null."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


@cache
def own_stdout() -> TextIO:
    """Reserve stdout for jitinspect; from now on, whatever else writes to it writes to stderr.

    This redirects the file descriptor, so it covers C++ and subprocesses, and lasts to the end of the
    process, so it covers the user's `atexit` functions.
    """
    sys.stdout.flush()
    try:
        own = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # one of the two is closed, so nobody reads
        return sys.stdout
    return open(
        own, "w", encoding=sys.stdout.encoding, errors="backslashreplace", newline="", buffering=_BLOCK
    )


def shared_stdout() -> TextIO:
    """A stream of our own to stdout, beside the one of the user's program."""
    sys.stdout.flush()
    try:
        own = os.dup(1)
    except OSError:
        return sys.stdout
    return open(
        own, "w", encoding=sys.stdout.encoding, errors="backslashreplace", newline="", buffering=_BLOCK
    )


def own_stderr() -> TextIO:
    """A stream of our own to stderr, whatever the program does with its own."""
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
    """Write block by block. A reader that stops reading (`| head -1`) is not an error.

    Raises `UsageError` for any other failure, such as a full disk.
    """
    try:
        for block in blocks:
            stream.write(block)
        stream.flush()
    except BrokenPipeError:
        _redirect_to_null(stream)
    except OSError as error:
        _redirect_to_null(stream)
        raise UsageError(f"cannot write the output: {error.strerror}") from None


def _redirect_to_null(stream: IO[str]) -> None:
    """Otherwise the buffered text would fail again when the interpreter closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write_paged(stream: TextIO, blocks: Iterable[str]) -> None:
    """Write to the screen, or through `$PAGER` (else `less -FRX`) if the text does not fit."""
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
