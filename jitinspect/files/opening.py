"""A file as the target of a request: what it holds, as a subject for stages and readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jitinspect.errors import UnavailableError
from jitinspect.files.kinds import Kind, kind_of
from jitinspect.files.modules import Opened, exported_file, hlo_before_file, hlo_before_proto, mlir_file
from jitinspect.files.worker import reading
from jitinspect.stages.inspection import Listeners, Request, RunningRequest
from jitinspect.stages.observer import Observer


def check(path: Path) -> None:
    """Raises what reading the file raises."""
    reading()
    _reader(path)(path)


@contextmanager
def opened(request: Request, listeners: Listeners) -> Iterator[RunningRequest]:
    """The file that the request names. To be called where foreign bytes may be read (`files.guarded`).

    Raises `LoadError` for what cannot be read.
    """
    path = Path(request.ref)
    reading()
    read = _reader(path)
    with Observer(listeners.on_event, listeners.on_start) as observer:
        yield read(path)(request, observer, listeners)


def _reader(path: Path) -> Callable[[Path], Opened]:
    kind = kind_of(path)
    if kind not in _READERS:
        raise UnavailableError(f"{path} is an {kind}, which is not read")
    return _READERS[kind]


_READERS: dict[Kind, Callable[[Path], Opened]] = {
    Kind.EXPORTED: exported_file,
    Kind.MLIR: mlir_file,
    Kind.HLO_BEFORE: hlo_before_file,
    Kind.PROTO_BEFORE: hlo_before_proto,
}
