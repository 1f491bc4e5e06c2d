"""A file as the target of a request: what it holds, as a subject for stages and readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from jitinspect.errors import UnavailableError
from jitinspect.files.compiled import compiled_module
from jitinspect.files.contents import contents
from jitinspect.files.dumps import chosen
from jitinspect.files.kinds import COMPILED, Kind, kind_of, parts_of
from jitinspect.files.modules import Opened, exported_file, hlo_before_file, hlo_before_proto, mlir_file
from jitinspect.files.opening_compiled import RunningCompiled, opened_compiled
from jitinspect.files.opening_dumps import opened_dump
from jitinspect.files.serialized import is_scheduled
from jitinspect.files.worker import reading
from jitinspect.stages.inspection import Listeners, Request, RunningRequest
from jitinspect.stages.observer import Observer


def check(path: Path) -> None:
    """Raises what reading the file raises."""
    reading()
    if (kind := kind_of(path)) in COMPILED:
        compiled_module(path, kind, {})
    _reader(path, None)(path)


@contextmanager
def opened(request: Request, listeners: Listeners) -> Iterator[RunningRequest]:
    """The file that the request names. To be called where foreign bytes may be read (`files.guarded`).

    Raises `LoadError` for what cannot be read.
    """
    path, module = parts_of(request.ref)
    reading()
    read = _reader(path, module)
    with Observer(listeners.on_event, listeners.on_start) as observer:
        running = read(path)(request, observer, listeners)
        with running.damage_told() if isinstance(running, RunningCompiled) else nullcontext():
            yield running


def _already_compiled(kind: Kind, path: Path) -> Opened:
    return partial(opened_compiled, path, kind)


def _reader(path: Path, module: str | None) -> Callable[[Path], Opened]:
    kind = kind_of(path)
    if kind is Kind.DUMP:
        files = chosen(path, module)
        return lambda _: partial(opened_dump, files)
    if kind is Kind.PROTO and not is_scheduled(contents(path)):
        kind = Kind.PROTO_BEFORE
    if kind not in _READERS:
        raise UnavailableError(f"{path} is an {kind}, which is not read")
    return _READERS[kind]


_READERS: dict[Kind, Callable[[Path], Opened]] = {
    Kind.EXPORTED: exported_file,
    Kind.MLIR: mlir_file,
    Kind.HLO_BEFORE: hlo_before_file,
    Kind.PROTO_BEFORE: hlo_before_proto,
    **{kind: partial(_already_compiled, kind) for kind in COMPILED},
}
