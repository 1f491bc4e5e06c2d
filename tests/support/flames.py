"""Reports on where time went, as the tests of their renderings need them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

from jitinspect.model import Target
from jitinspect.model.flames import Slice, Stack
from jitinspect.model.readings import ConstantsReport

TARGET = Target("net:loss", "net", "loss", "net.py", 3, (), (), "loss(f32[8])")


@dataclass(frozen=True, slots=True)
class Timed:
    """What a command finds of one call."""

    stacks: tuple[Stack, ...] = ()
    timeline: tuple[Slice, ...] = ()
    dims: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimedReport(ConstantsReport):
    """A reading of calls, and one that is of a program as a whole."""

    timed: Timed = Timed()
    sweep: tuple[Timed, ...] = ()
    stacks: tuple[Stack, ...] = ()


def timed(*stacks, timeline=(), **more):
    found = Timed(tuple(stacks), tuple(timeline))
    return TimedReport("constants", TARGET, (), timed=found, **more)


frames = st.sampled_from(["compile", "fusion.1", "net.py:3 <lambda>", "</script>", '日本 & "quoted"\\'])
stacks = st.lists(
    st.builds(Stack, st.lists(frames, max_size=6).map(tuple), st.integers(0, 4096).map(lambda n: n / 1024)),
    max_size=12,
)
"""Their sums are exact, in whatever order."""
nanoseconds = st.integers(0, 10**13).map(lambda number: number / 1e9)
slices = st.builds(
    Slice, frames, nanoseconds, nanoseconds, st.sampled_from(["main", "stream 1", "thread_name"])
)
timelines = st.lists(slices, max_size=12).map(tuple)


def nested_slices(depth, began=0.0, seconds=1.0, track="main"):
    """Slices each of which ends with the one around it, at moments that floats do not have."""
    if depth:
        yield Slice(f"at {depth}", began, seconds, track)
        yield from nested_slices(depth - 1, began + seconds / 3, seconds - seconds / 3, track)
