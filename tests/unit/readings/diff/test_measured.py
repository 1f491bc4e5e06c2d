"""`diff` of saved reports on time: profiles, compilations, sweeps, and several measurements of one thing."""

from dataclasses import replace

import pytest

from jitinspect.errors import LoadError
from jitinspect.model.runs import RunReport, RunTotals
from jitinspect.readings.diff.measured import compare_times, is_timed
from jitinspect.render import readings
from jitinspect.render.json import from_json, to_json
from tests.support.timed_reports import compile_time, compiled, profiled, traced


def compared(before, after):
    return compare_times(before, after, ("before.json", "after.json"))


def shown(report, width=100, verbose=False):
    return "".join(readings.render(report, False, width, verbose))


def test_a_profile_is_the_same_as_itself():
    report = compared([profiled(0.1)], [profiled(0.1)])
    assert report.diff.same and "a call  100 ms → 100 ms (× 1) · the same within noise" in shown(report)
    assert "by line" not in shown(report) and "net.py:3" in shown(report, verbose=True)


def test_what_got_slower_is_told_by_line_and_operation():
    report = compared([profiled(0.1)], [profiled(0.1, slow=0.2)])
    text = shown(report)
    assert not report.diff.same and "slower by 200 ms · noise ± 15" in text
    assert [line.split()[:4] for line in text.splitlines() if "slower  " in line and "ms" in line[:8]] == [
        ["+200", "ms", "50.0", "ms"], ["+200", "ms", "50.0", "ms"],
    ]  # fmt: skip
    assert "h = f(x)" in text and "fusion.1" in text and "add" not in text


def test_a_compilation_is_compared_by_all_its_parts():
    report = compared([compiled(1.0)], [compiled(1.0, slow=4.0)])
    (times,) = report.times
    assert [table.by for table in times.tables] == ["stage", "line", "phase", "pass", "kernel"]
    first = {table.by: (table.changes[0].name, table.changes[0].verdict) for table in times.tables}
    assert first == {
        "stage": ("compile", "slower"), "line": ("h = f(x)", "slower"), "phase": ("LLVM", "slower"),
        "pass": ("dce of simplification", "same"), "kernel": ("fusion.1", "slower"),
    }  # fmt: skip
    assert "measured once" in shown(report)


def test_a_program_is_compared_by_its_functions_too():
    (times,) = compared([traced(1.0)], [traced(1.0, slow=4.0)]).times
    first = {table.by: (table.changes[0].name, table.changes[0].verdict) for table in times.tables}
    assert first == {
        "function": ("f", "slower"), "line": ("h = f(x)", "slower"), "operation": ("fusion.1", "slower"),
    }  # fmt: skip
    assert (
        is_timed(traced(1.0))
        and is_timed(profiled(1.0))
        and not is_timed(RunReport("a.py", (), (), RunTotals()))
    )


def test_calls_of_the_same_sizes_are_compared():
    before = replace(compiled(1.0), sweep=(compile_time(1.0, B=1), compile_time(2.0, B=8)))
    after = replace(compiled(1.0), sweep=(compile_time(9.0, B=8), compile_time(1.0, B=64)))
    (times,) = compared([before], [after]).times
    assert (times.dims, times.total.before, times.total.after) == ({"B": 8}, 2.0, 9.0)
    with pytest.raises(LoadError, match="no call of the same sizes"):
        compared([replace(before, sweep=before.sweep[:1])] * 2 + [before], [compiled(1.0)])


def test_several_reports_show_what_one_could_not():
    few = compared([compiled(1.0)], [compiled(1.3)])
    many = compared(
        [compiled(one) for one in (1.0, 1.01, 0.99)], [compiled(one) for one in (1.3, 1.29, 1.31)]
    )
    assert few.diff.same and not many.diff.same and "of the reports" in shown(many)


def test_reports_of_different_commands_are_not_compared():
    with pytest.raises(LoadError, match=r"before\.json is of profile, after\.json of compile-time"):
        compared([profiled(1.0)], [compiled(1.0)])
    with pytest.raises(LoadError, match=r"before\.json is of compile-time and profile, after"):
        compared([profiled(1.0), compiled(1.0)], [compiled(1.0), profiled(1.0)])


def test_it_is_saved_and_read_back():
    report = compared([compiled(1.0)], [compiled(1.0, slow=4.0)])
    assert from_json(to_json(report)) == report


def test_it_fits_a_narrow_terminal():
    report = compared([profiled(0.1)], [profiled(0.1, slow=0.2)])
    assert max(map(len, shown(report, 60).splitlines()[3:])) <= 60
