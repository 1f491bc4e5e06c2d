"""`trace-cache` as a table, for terminals of any width."""

from hypothesis import given
from hypothesis import strategies as st

from jitinspect.model import Call, CallReport, CallTotals, Reason, Work
from jitinspect.render.calls import render

TEXTS = [f"state.layers[{n}].num_lines: i32[]{{weak}} → f32[]{{weak}} (by default)" for n in range(3)]
REASONS = tuple(Reason("dtype", "state", None, None, None, text) for text in TEXTS)


def shown(width, **more):
    call = Call(
        index=3, function="step", definition="train.py:3", at="train.py:12",
        signature=f"step({'f32[8], ' * 20}f32[2])", status="COMPILED", executable=1,
        stages=("trace", "lower", "compile"), seconds={"trace": 1.0}, **more,
    )  # fmt: skip
    report = CallReport("train.py", (call,), (), CallTotals(1, 1, 1))
    return "".join(render(report, color=False, width=width))


@given(st.integers(60, 200))
def test_a_reason_is_whole_and_the_others_are_counted(width):
    told = shown(width, reasons=REASONS)
    assert max(map(len, told.splitlines())) <= width
    assert f"{TEXTS[0]} (+2 more)" in " ".join(told.split()) and told.count("num_lines") == 1


def test_a_reason_is_beside_its_call_if_there_is_room():
    row = next(line for line in shown(400, reasons=REASONS).splitlines() if "COMPILED" in line)
    assert row.endswith(f"f32[2])  {TEXTS[0]}  (+2 more)")


@given(st.integers(60, 200))
def test_an_error_is_cut_to_its_line(width):
    told = shown(width, error=f"ValueError: {'no ' * 200}")
    assert max(map(len, told.splitlines())) <= width and told.count("ValueError") == 1


def lines(script, **work):
    report = CallReport(script, (), (), CallTotals(0, 0, 0, 0, 0, 0.0), **work)
    return "".join(render(report, color=False, width=200)).splitlines()


def test_a_program_without_calls_has_no_table_and_points_to_run():
    assert lines("my train.py", unwatched=Work(5, 0.5)) == [
        "0 calls · 0 compilations · 0 cache entries · 0 cache hits · 0 µs",
        "+ 500.0 ms for 5 compilations outside of these calls (loops outside of a jit, jax.pmap, and the "
        "like): jitinspect run 'my train.py' shows them",
    ]


def test_a_call_script_cannot_be_run():
    assert "jitinspect run" not in "".join(lines("seed.calls", unwatched=Work(5, 0.5)))
