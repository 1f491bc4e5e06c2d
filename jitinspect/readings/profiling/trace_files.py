"""Traces that `jax.profiler` wrote, here or elsewhere → where their programs' time went."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from jitinspect.errors import LoadError
from jitinspect.ir.program_runs import ProgramRun, program_runs
from jitinspect.ir.wire_format import repeated
from jitinspect.ir.xspace import operation_tracks, recorded_seconds
from jitinspect.jaxapi.traces.programs import hlo_text, programs
from jitinspect.model.program_profiles import TraceReport
from jitinspect.process import garbage_collection
from jitinspect.readings.profiling.known_programs import KnownPrograms
from jitinspect.readings.profiling.of_program import Recorded, program_profile
from jitinspect.readings.profiling.sums import AllSums

_SUFFIXES = (".xplane.pb", ".xplane.pb.gz")
_HOW = "jax.profiler.start_trace(DIR) writes DIR/plugins/profile/DATE/HOST.xplane.pb"


def trace_files(path: Path) -> list[Path]:
    """The traces of all hosts: `path` is one, or the folder of one date, or one above it, in which the newest
    date counts. Raises `LoadError` if there is none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise LoadError(f"no such file or folder: {path}", hint=_HOW)
    found = [one for one in path.rglob("*.xplane.pb*") if one.name.endswith(_SUFFIXES)]
    if not found:
        raise LoadError(f"there is no trace in {path}", hint=_HOW)
    newest = max({one.parent for one in found}, key=lambda folder: (folder.name, folder))
    return sorted(one for one in found if one.parent == newest)


def read_traces(path: Path, hlo_files: Sequence[Path] = ()) -> TraceReport:
    """`hlo_files` are HLO texts, dumped modules or saved reports, for programs whose HLO the trace has not.

    Raises `LoadError` for what cannot be read.
    """
    texts = [text for file in hlo_files for text in _hlo_texts(file)]
    files = trace_files(path)
    sums, seconds = AllSums(), []
    with garbage_collection.paused():
        for file in files:
            xspace = _read(file)
            host = file.name.partition(".xplane.pb")[0] if len(files) > 1 else ""
            seconds.append(_add(sums, file, xspace, host, texts))
    sums.covered_seconds /= len(files)
    profile = program_profile(sums, Recorded(max(seconds), fmean(seconds)))
    return TraceReport("profile", tuple(map(str, files)), profile)


def _add(sums: AllSums, file: Path, xspace: bytes, host: str, texts: Sequence[str]) -> float:
    """Adds one host's trace; returns the seconds from its beginning to its end."""
    known = KnownPrograms()
    known.add_texts(texts)
    try:
        if not xspace:
            raise ValueError("nothing")
        known.add(programs(xspace))
        runs = program_runs(operation_tracks(xspace))
        whole = recorded_seconds(xspace)
    except (ValueError, IndexError):
        raise LoadError(f"{file} is not a trace", hint=_HOW) from None
    for run in runs:
        run.device = f"{host} {run.device}".lstrip()
    sums.add(runs, known)
    return _span(runs) if whole is None else whole


def _span(runs: Sequence[ProgramRun]) -> float:
    return max((run.end for run in runs), default=0.0) - min((run.start for run in runs), default=0.0)


def _read(file: Path) -> bytes:
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if file.suffix == ".gz" else content
    except OSError as error:
        raise LoadError(f"{file} cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error) as error:
        raise LoadError(f"{file} cannot be read: {error}") from None


def _hlo_texts(file: Path) -> Iterator[str]:
    """Of a report those of its stages that are compiled HLO."""
    content = _read(file)
    if content.startswith(b"HloModule"):
        yield content.decode(errors="replace")
        return
    found = list(_of_report(content) if content.startswith(b"{") else _of_proto(content))
    if not found:
        raise LoadError(
            f"{file} has no compiled HLO",
            hint="what `jitinspect hlo --raw` prints, or a dump of --xla_dump_to (after_optimizations)",
        )
    yield from found


def _of_report(content: bytes) -> Iterator[str]:
    try:
        artifacts = json.loads(content)["artifacts"]
        texts = [one["text"] for one in artifacts if one["stage"] == "hlo"]
    except (ValueError, KeyError, TypeError):
        return
    yield from (text for text in texts if text.startswith("HloModule"))


def _of_proto(content: bytes) -> Iterator[str]:
    """A dumped `HloProto`, whose first field is the module."""
    try:
        yield from map(hlo_text, repeated(content, 1))
    except Exception:  # whatever jaxlib raises for bytes that are no module
        return
