"""The table of `trace-cache`."""

from jitinspect.model import CallReport, CallTotals, Work
from jitinspect.render.calls import render


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
