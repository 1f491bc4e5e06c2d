"""What a cell compiled, as text."""

from dataclasses import replace

from jitinspect.render import cell
from tests.unit.made import SHAPE, compilation, report


def told(*compilations, **more):
    return replace(report(*compilations, **more), program="cell [3]")


def shown(one):
    return "".join(cell.render(one, 120))


def test_a_compilation_has_its_line_its_cause_and_what_to_do():
    again = compilation(1, signature="step(f32[4])", at="cell [3]:2", reasons=(SHAPE,), avoidable=True)
    assert shown(told(again)) == (
        "cell [3]: 1 compilation · 750.0 ms of 10.00 s · 1 of 1 avoidable, 750.0 ms\n"
        "COMPILED   750.0 ms  step(f32[4])  cell [3]:2  x: f32[3] → f32[4]\n"
        "                     hint  pad x to a few sizes\n"
    )


def test_cached_calls_are_counted():
    assert shown(told(calls={("step", "train.py:3"): {"train.py:12": 3}})) == (
        "cell [3]: nothing was traced or compiled · 3 calls cached\nCACHED               step  3 calls\n"
    )


def test_no_call_at_all():
    assert shown(told()) == "cell [3]: nothing was traced or compiled\n"


def test_what_raised_has_no_hint():
    one = compilation(0, raised="trace", error="TypeError: no", compilations=0, reasons=(SHAPE,))
    assert "RAISED" in shown(told(one)) and "TypeError: no" in shown(told(one))
    assert "hint" not in shown(told(one))


def test_a_hint_is_given_once():
    two = compilation(0, reasons=(SHAPE, replace(SHAPE, where="y", text="y: f32[3] → f32[4]")))
    assert shown(told(two)).count("hint") == 1


def test_jax_itself_and_warnings_are_told():
    one = replace(told(compilation(0, kind="internal", function="add")), warnings=("stale",), notes=("slow",))
    assert "+ 750.0 ms for 1 compilation by JAX itself (eager operations)" in shown(one)
    assert "warning: stale\n" in shown(one) and "note: slow\n" in shown(one)
