"""What would make a function compile faster, where that is known.

Each piece of advice says what its cause costs, of tracing, lowering and compiling together. It is given only
where that is a good part of the whole, and takes long enough to be noticed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any, NamedTuple

from jitinspect.ir.attribution import Innermost, Line, attribute
from jitinspect.ir.program import Frame
from jitinspect.ir.source_files import SourceFiles
from jitinspect.ir.unrolled_loops import UnrolledLoop, unrolled_loops
from jitinspect.jaxapi.arrays.captured import Captured, captured
from jitinspect.jaxapi.arrays.folded import folded_equations
from jitinspect.jaxapi.source_lines.jaxpr_lines import walked
from jitinspect.model.compile_times import Advice, CompileTime
from jitinspect.process.paths import relative
from jitinspect.readings.timings.python_time import PythonTime
from jitinspect.readings.timings.xla_phases import CONVERSION
from jitinspect.specs.describe import describe

SHARE = 0.25
"""What takes less of the whole is not what makes it slow."""
SECONDS = 0.3
"""What takes less is not worth a change."""
_BYTES_OF_AN_INSTRUCTION = 4096
"""XLA takes as long to read an instruction of StableHLO as so many bytes of a constant, about."""
_FEWEST_ITERATIONS = 8
"""A shorter loop is written out for good reasons as often as not."""
_FOLDING = "constant_folding"


class Call(NamedTuple):
    """What was timed: the `jax.stages.Traced`, the samples of its trace and of its lowering, the target's
    file, and the user's sources.
    """

    stages: Any
    traced: PythonTime
    lowered: PythonTime
    file: str | None
    sources: SourceFiles


def advice(time: CompileTime, call: Call) -> tuple[Advice, ...]:
    """What costs most first."""
    return tuple(sorted(_Adviser(time, call).found(), key=lambda one: -one.seconds))


class _Adviser:
    """Looks for each thing that is known to be slow."""

    def __init__(self, time: CompileTime, call: Call) -> None:
        self._time, self._call = time, call
        self._loop_of = cache(call.sources.loop_of)
        self._whole = sum(time.wall_seconds.values())

    def found(self) -> Iterator[Advice]:
        if self._whole >= SECONDS:
            yield from self._slow_python()
            yield from self._unrolled_loops()
            yield from self._large_constants()
            yield from self._slow_passes()
            yield from self._slow_kernel()

    def _worth(self, seconds: float) -> bool:
        return seconds >= max(SECONDS, SHARE * self._whole)

    def _advice(self, text: str, line: Line | str | None, seconds: float) -> Advice:
        return Advice(text, relative(str(line)) if line else None, seconds, seconds / self._whole)

    def _slow_python(self) -> Iterator[Advice]:
        """Lines that take long without any work of JAX's."""
        for line, seconds in self._call.traced.outside_of_jax().items():
            if line is not None and self._worth(seconds):
                text = "Python runs here each time it is traced, outside of JAX: do it once, before the call"
                yield self._advice(text, line, seconds)

    def _unrolled_loops(self) -> Iterator[Advice]:
        for loop in unrolled_loops(self._program, self._attribution, self._loop_of):
            seconds = self._loop_seconds(loop) if loop.times >= _FEWEST_ITERATIONS else 0.0
            if self._worth(seconds):
                text = (
                    f"Python unrolls this loop into {loop.times} times {loop.period} equations:"
                    " jax.lax.scan or fori_loop would have them once"
                )
                yield self._advice(text, loop.line, seconds)

    def _loop_seconds(self, loop: UnrolledLoop) -> float:
        """Of the kernels those of its lines; of what else XLA does, its share of the equations."""

        def is_inside(line: Line) -> bool:
            return self._loop_of(line) == loop.line

        operations = list(self._program.operations())
        inside = [one for one in operations if any(map(is_inside, self._attribution.stack(one)))]
        lines = {relative(str(line)) for one in inside for line in self._attribution.lines(one)}
        kernels = sum(one.seconds for one in self._time.kernels if lines & {*one.lines})
        python = self._call.traced.within(is_inside) + self._call.lowered.within(is_inside)
        return python + kernels + self._unexplained * len(inside) / max(len(operations), 1)

    @property
    def _unexplained(self) -> float:
        """What XLA did for the program as a whole."""
        kernels = sum(one.seconds for one in self._time.kernels)
        special = kernels + self._converting + self._passes.get(_FOLDING, 0.0)
        return max(self._time.wall_seconds["compile"] - special, 0.0)

    def _large_constants(self) -> Iterator[Advice]:
        """Arrays that were closed over: JAX writes them into the module, from which XLA reads them."""
        writing = sum(one.seconds for one in self._call.lowered.by_primitive() if one.primitive == "constant")
        seconds = self._converting + writing
        if self._arrays and self._worth(seconds):
            largest, *others = self._arrays
            more = f", as are {len(others)} more" if others else ""
            text = (
                f"{describe(largest.aval)} is closed over, and so compiled into the program{more}:"
                " pass it as an argument"
            )
            yield self._advice(text, largest.line, seconds)

    @cached_property
    def _arrays(self) -> list[Captured]:
        """The largest first."""
        return sorted(captured(self._call.stages), key=lambda one: -_bytes(one))

    @cached_property
    def _converting(self) -> float:
        """What XLA took to read the arrays, of the time in which it read all of the module."""
        arrays = sum(map(_bytes, self._arrays))
        whole = arrays + self._time.instructions * _BYTES_OF_AN_INSTRUCTION
        reading = sum(one.seconds for one in self._time.phases if one.phase == CONVERSION)
        return reading * arrays / max(whole, 1)

    @cached_property
    def _passes(self) -> dict[str, float]:
        """The seconds of each, in all pipelines."""
        seconds: defaultdict[str, float] = defaultdict(float)
        for one in self._time.passes:
            seconds[one.pass_] += one.seconds
        return dict(seconds)

    def _slow_passes(self) -> Iterator[Advice]:
        """Constant folding, whose cause is known, and any pass that takes longer than all others together."""
        for name, seconds in self._passes.items():
            if self._worth(seconds) and name == _FOLDING:
                yield self._folding(seconds)
            elif self._worth(seconds) and seconds > sum(self._passes.values()) / 2:
                yield self._advice(f"XLA's pass {name} takes longer than all others", None, seconds)

    def _folding(self, seconds: float) -> Advice:
        """The largest equation of constants alone is the one that XLA is likely to be at."""
        largest = next(iter(folded_equations(self._call.stages)), None)
        what = f" ({largest.primitive} of {largest.elements:,} elements)" if largest else ""
        text = f"XLA folds constants while it compiles{what}: use NumPy beforehand, or an argument"
        frame = Innermost(self._call.file)(largest.frames) if largest else None
        return self._advice(text, _line(frame), seconds)

    def _slow_kernel(self) -> Iterator[Advice]:
        """One that takes longer than all others together."""
        kernels = self._time.kernels
        for one in kernels[:1]:
            if self._worth(one.seconds) and one.seconds > sum(other.seconds for other in kernels) / 2:
                size = f"{one.instructions:,} instructions"
                text = f"the kernel {one.kernel}, of {size}, takes longer than all others"
                yield self._advice(text, self._most_equations(one.lines), one.seconds)

    def _most_equations(self, lines: tuple[str, ...]) -> str | None:
        made = (line for one in self._program.operations() for line in self._attribution.lines(one))
        counts = Counter(relative(str(line)) for line in made)
        return max(lines, key=counts.__getitem__, default=None)

    @cached_property
    def _program(self) -> Any:
        return walked(self._call.stages)

    @cached_property
    def _attribution(self) -> Any:
        return attribute(self._program, self._call.file)


def _bytes(array: Captured) -> int:
    return int(math.prod(array.aval.shape) * array.aval.dtype.itemsize)


def _line(frame: Frame | None) -> Line | None:
    return Line(frame.file, frame.line) if frame else None
