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


def test_what_the_profiler_adds_is_told_where_it_is_much():
    told = "a call took 600 µs under the profiler: what that adds is taken off all operations evenly"
    assert told in text(2e-4, 4e-4, overhead=2.0)
    assert "taken off" not in text(2e-4, 4e-4, overhead=1.04)
    assert "taken off" not in text(2e-4, 4e-4, overhead=2.0, by_op=())


def test_which_calls_took_so_long():
    assert "mean of 2 calls · without the profiler · 200 µs to 400 µs" in text(2e-4, 4e-4, overhead=1.0)
    assert "one call · under the profiler" in text(3e-4, overhead=None)
