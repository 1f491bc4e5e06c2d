"""A program, or a part of one, recorded while it runs, and where its time went."""

from __future__ import annotations

from dataclasses import replace

from jitinspect.ir.program_runs import program_runs
from jitinspect.ir.xspace import operation_tracks
from jitinspect.jaxapi.devices import finish_computing
from jitinspect.jaxapi.traces.programs import programs
from jitinspect.model.program_profiles import ProgramProfile, Unmeasured
from jitinspect.model.runs import RunReport
from jitinspect.process import garbage_collection
from jitinspect.readings.profiling.known_programs import KnownPrograms
from jitinspect.readings.profiling.of_program import Recorded, program_profile
from jitinspect.readings.profiling.pieces import Piece, PieceRecorder
from jitinspect.readings.profiling.sums import AllSums


class ProgramRecorder:
    """Records from `start` to `stop`; then `added_to` says what of."""

    def __init__(self) -> None:
        self._known = KnownPrograms(from_disk=True)
        self._sums = AllSums()
        self._recorder = PieceRecorder(self._fold)

    def start(self) -> None:
        """Raises `UnavailableError` if nothing can be recorded."""
        self._recorder.start()

    def stop(self, finish: bool = False) -> None:
        """With `finish`, wait first for what is still computed, as Python's exit would after this."""
        if finish:
            finish_computing()
        self._recorder.stop()

    @property
    def failure(self) -> Exception | None:
        """What went wrong meanwhile."""
        return self._recorder.failure

    @property
    def has_ended(self) -> bool:
        return self._recorder.ended > 0

    def added_to(self, report: RunReport) -> RunReport:
        """The report, which is on what was compiled meanwhile, with where the time of the program went."""
        return replace(report, profile=self._profile(report))

    def _profile(self, report: RunReport) -> ProgramProfile:
        recorder = self._recorder
        compile_seconds = report.totals.seconds + report.internal.seconds
        self._known.from_disk = report.totals.disk_hits + report.internal.disk_hits > 0
        for piece in recorder.pieces:
            self._known.add(programs(piece.xspace))
        with garbage_collection.paused():
            while recorder.pieces:
                self._fold(recorder.pieces.pop(0))
        recorded = Recorded(
            wall_seconds=recorder.ended - recorder.started,
            recorded_seconds=recorder.recorded_seconds,
            compile_seconds=compile_seconds,
            unmeasured=tuple(Unmeasured(seconds, why) for why, seconds in recorder.lost.items()),
            is_estimate=recorder.has_paused,
            pieces=recorder.count,
        )
        return program_profile(self._sums, recorded)

    def _fold(self, piece: Piece) -> None:
        """Add it to the sums."""
        self._known.add(programs(piece.xspace))
        self._sums.add(program_runs(operation_tracks(piece.xspace)), self._known, piece.weight)
