"""Whose part of a compilation's wall clock an event of XLA's is."""

import pytest

from jitinspect.ir.trace import Event, Track, WrittenKernel
from jitinspect.jaxapi.traces.compilation import TimedCompilation
from jitinspect.jaxapi.traces.recording import MARK
from jitinspect.readings.timings.xla_phases import LINKING, LLVM, LLVM_MODULE
from jitinspect.readings.timings.xla_time import XlaTime, grouped


def event(name, start, end):
    return Event(name, start, end, {})


def compiled_until(llvm_ends):
    """A compilation of 1 s, in which LLVM works from 0.4 s on, on a thread of its own."""
    waits = event("JitCompiler::Compile", 0.3, 1.0)
    leading = (event(MARK, 0.0, 1.0), event("PjRtCpuClient::Compile", 0.1, 1.0), waits)
    tracks = [Track("", "compiler", leading), Track("", "llvm", (event(LLVM_MODULE, 0.4, llvm_ends),))]
    return XlaTime(TimedCompilation(None, 1.0, tracks, [WrittenKernel("sine", 0.5, 0.9)]))


@pytest.mark.parametrize("llvm_ends", [1.0, 1.002])
def test_an_event_that_ends_after_the_compilation_counts_up_to_its_end(llvm_ends):
    phases = grouped(compiled_until(llvm_ends).work, lambda one: (one.part.phase, one.part.module))
    assert phases[LLVM, "sine"].wall == phases[LLVM, "sine"].threads == pytest.approx(0.6)
    assert phases[LINKING, ""].wall == pytest.approx(0.1)
    assert sum(one.wall for one in phases.values()) == pytest.approx(1)
