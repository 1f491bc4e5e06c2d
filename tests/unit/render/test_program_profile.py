"""Where a program's time went, as text: a pure function of its profile."""

from jitinspect.model.program_profiles import ProgramProfile
from jitinspect.render.program_profile import render


def text(covered, compiling):
    left = max(0.0, 10.0 - covered - compiling)
    profile = ProgramProfile(
        10.0, covered, covered, 10.0, (), (), (), compile_seconds=compiling, host_seconds=left
    )
    return "".join(render(profile, lambda line, sgr: line, 200))


def test_what_is_left_is_the_least_where_operations_may_have_run_while_others_compiled():
    assert "the program's own code ≥ 0 ns, 0%" in text(covered=4.0, compiling=7.0)
    assert "the program's own code ≥ 5.00 s, 50%" in text(covered=2.0, compiling=3.0)
    assert "the program's own code 5.99 s, 60%" in text(covered=4.0, compiling=0.01)
    assert "the program's own code 7.00 s, 70%" in text(covered=0.0, compiling=3.0)
