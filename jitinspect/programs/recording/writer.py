"""A recording: every event of a program as it happens, one JSON object a line, so that a program that is
killed leaves a recording up to that moment.

The kinds of lines: `begin` (once, first), `job` (as soon as JAX knows its process), `cache` (the
cache folder, once something is compiled), `start` and `span` (of a
stage), `compiling` (what is known when XLA begins), `compilation` (when it has ended), `calls` and `end`
(once, last except for what `atexit` functions compile).
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jitinspect.errors import UsageError
from jitinspect.model import SCHEMA, Phase
from jitinspect.model.runs import Compilation, Span
from jitinspect.programs.summary import Calls

Job = tuple[int, int]
"""The index of a process in its job, and how many there are."""


class Recorder:
    """Writes a recording to `path`, each line with its own write. It is also a `Sink`.

    Raises `UsageError` where the file cannot be written, or another process is recording to it.
    """

    def __init__(
        self, path: Path, header: Mapping[str, Any], job: Callable[[], Job | None] = lambda: None
    ) -> None:
        self._file = _open(path)
        self.job, self._job_is_written = job, False
        self.cache: Callable[[], Mapping[str, Any] | None] = lambda: None
        """The folder and the settings of JAX's cache, with what it does not say about them."""
        self._cache_is_written = False
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        known = {"schema": SCHEMA, "pid": os.getpid(), "host": socket.gethostname(), "time": now}
        self.error: str | None = None
        """Why the file ends before the program does, if so: the program itself must not be affected."""
        self._path = path
        self._write("begin", {**known, **header})
        if self.error is not None:
            os.close(self._file)
            raise UsageError(self.error)

    def on_start(self, phase: Phase, function: str, began: float) -> None:
        self._write("start", {"phase": phase, "function": function, "began": round(began, 6)})

    def on_compiling(self, so_far: Compilation) -> None:
        self._write_job()
        self._write("compiling", _fields(so_far))

    def on_span(self, span: Span) -> None:
        self._write("span", _shallow(span))

    def on_compilation(self, compilation: Compilation) -> None:
        self._write_job()
        self._write_cache()
        self._write("compilation", _fields(compilation))

    def _write_cache(self) -> None:
        """Once something was compiled, as JAX opens the folder then."""
        if not self._cache_is_written and (cache := self.cache()) is not None:
            self._cache_is_written = True
            self._write("cache", cache)

    def _write_job(self) -> None:
        if not self._job_is_written and (job := self.job()) is not None:
            self._job_is_written = True
            self._write("job", {"process": job[0], "processes": job[1]})

    def end(self, exit_code: int, stopped: str | None, wall_seconds: float, calls: Calls | None) -> None:
        if calls is not None:
            listed = [
                {"function": name, "definition": definition, "at": at, "calls": count}
                for (name, definition), lines in calls.items()
                for at, count in lines.items()
            ]
            self._write("calls", {"calls": listed})
        self._write("end", {"exit_code": exit_code, "stopped": stopped, "wall_seconds": wall_seconds})

    def close(self) -> None:
        os.close(self._file)

    def _write(self, kind: str, fields: Mapping[str, Any]) -> None:
        line = _encoded({"record": kind, **fields})
        try:
            if self.error is None:
                os.write(self._file, line.encode("utf-8", "backslashreplace") + b"\n")
        except OSError as error:
            if isinstance(error, TimeoutError):  # the program's own, from a signal handler
                raise
            self.error = f"--record {self._path}: {error.strerror}"


_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _fields(compilation: Compilation) -> dict[str, Any]:
    fields = _shallow(compilation)
    fields["reasons"] = list(map(_shallow, compilation.reasons))
    fields["lookups"] = list(map(_shallow, compilation.lookups))
    return fields


def _shallow(value: Any) -> dict[str, Any]:
    """`asdict` would copy deeply."""
    return {name: getattr(value, name) for name in type(value).__slots__}


def _open(path: Path) -> int:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise UsageError(f"--record {path}: {error.strerror}") from None
    if not _is_ours(file):
        os.close(file)
        hint = f"--record {path.with_name(f'{path.stem}-{{pid}}{path.suffix}')}"
        raise UsageError(f"--record {path}: another process is recording to it", hint=hint)
    if os.path.isfile(path):
        os.ftruncate(file, 0)
    return file


def _is_ours(file: int) -> bool:
    """Whether no other process has locked the file; True where there are no such locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def path_for(text: str) -> Path:
    """`rec-{pid}.jsonl`, `rec-{host}-{pid}.jsonl`: one file for each process of a job."""
    return Path(text.replace("{pid}", str(os.getpid())).replace("{host}", socket.gethostname()))
