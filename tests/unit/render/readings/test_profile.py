"""`profile` as text: a pure function of its report."""

from jitinspect.model import Target
from jitinspect.model.profiles import Profile, ProfileReport, TimeOfCall, TimeOfOp
from jitinspect.render import readings

OPERATION = TimeOfOp("dot", 1e-4, 1, ())


def text(*walls, overhead, by_op=(OPERATION,)):
    calls = tuple(TimeOfCall(wall, wall / 2) for wall in walls)
    found = Profile(
        len(calls), 3e-4, 1e-4, (), by_op, by_call=calls, overhead=overhead, signature="f(f32[8])"
    )
    target = Target("net:f", "net", "f", "net.py", 4, signature="f(f32[8])")
    return "".join(readings.render(ProfileReport("profile", target, found), False, 120))


def test_what_the_profiler_adds_is_told_of_the_fastest_call():
    told = "the fastest call took 400 µs under the profiler, 200 µs without it"
    assert told in text(2e-4, 4e-4, overhead=2.0)
    assert "under the profiler" not in text(2e-4, 4e-4, overhead=1.04)
    assert "under the profiler" not in text(2e-4, 4e-4, overhead=2.0, by_op=())
