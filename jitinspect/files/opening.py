"""A file as the target of a request: what it holds, as a subject for stages and readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jitinspect.files.kinds import Kind, kind_of
from jitinspect.files.modules import Opened, exported_file, hlo_before_file, hlo_before_proto, mlir_file
from jitinspect.files.worker import reading
from jitinspect.stages.inspection import Listeners, Request, RunningRequest
from jitinspect.stages.observer import Observer


def check(path: Path) -> None:
    """Raises what reading the file raises."""
    reading()
    _READERS[kind_of(path)](path)


@contextmanager
def opened(request: Request, listeners: Listeners) -> Iterator[RunningRequest]:
    """The file that the request names. To be called where foreign bytes may be read (`files.guarded`).

    Raises `LoadError` for what cannot be read.
    """
    path = Path(request.ref)
    reading()
    read = _READERS[kind_of(path)]
    with Observer(listeners.on_event, listeners.on_start) as observer:
        yield read(path)(request, observer, listeners)


_READERS: dict[Kind, Callable[[Path], Opened]] = {
    Kind.EXPORTED: exported_file,
    Kind.MLIR: mlir_file,
    Kind.HLO_BEFORE: hlo_before_file,
    Kind.PROTO_BEFORE: hlo_before_proto,
}
