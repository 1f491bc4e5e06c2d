"""The data of the pages of `run`, `summary` and `trace-cache`."""

import json
from dataclasses import replace

import pytest
from hypothesis import given

from jitinspect.model import Call, CallReport, CallTotals, FunctionTotals, Reason, Work
from jitinspect.model.flames import Stack
from jitinspect.model.program_profiles import ProgramProfile
from jitinspect.model.runs import Check, DiskLookup, Process, Uneven
from jitinspect.render.json import from_json, to_json
from jitinspect.render.pages.programs import page, to_data
from tests.support.pages import data_of
from tests.unit.made import ENVIRONMENT, FIRST, SHAPE, WHERE, compilation, report, run_reports, span

DTYPE = Reason("dtype", "y", "f32", "bf16", None, "y: f32 → bf16")


def data(told):
    return json.loads(to_data(told))


def column(found, name, names=None):
    """A column of the table, with the names instead of their numbers."""
    values = found["columns"][name]
    return [found[names][value] for value in values] if names else values


def test_a_row_for_each_compilation_with_names_written_once():
    again = compilation(
        1, signature="step(f32[4])", reasons=(SHAPE, DTYPE), nearest=0, avoidable=True, status="DISK"
    )
    found = data(report(compilation(0), again, compilation(2, function="loss", at=None, kind="eager")))
    assert column(found, "number") == [0, 1, 2]
    assert column(found, "status", "statuses") == ["COMPILED", "DISK", "COMPILED"]
    functions = [["step", "train.py:3"], ["step", "train.py:3"], ["loss", "train.py:3"]]
    assert column(found, "function", "functions") == functions and len(found["functions"]) == 2
    assert column(found, "site", "sites") == [WHERE, WHERE, ""]
    assert column(found, "signature", "signatures") == ["step(f32[3])", "step(f32[4])", "step(f32[3])"]
    assert column(found, "nearest") == [-1, 0, -1] and column(found, "avoidable") == [0, 1, 0]
    assert [column(found, stage) for stage in ("trace", "lower", "compile")] == [[0.125] * 3] * 2 + [
        [0.5] * 3
    ]
    why = column(found, "difference", "differences")
    assert [found["reasons"][at]["text"] for at in why[1]["reasons"]] == [SHAPE.text, DTYPE.text]
    causes = [[found["causes"][at] for at in one["causes"]] for one in why]
    assert causes == [["first call"], ["shape", "dtype"], ["first call", "outside jit"]]


def test_what_raised_has_its_own_status_and_the_rest_is_in_the_details():
    raised = compilation(0, raised="lower", error="ValueError: no", status="TRACED")
    disk = compilation(1, lookups=(DiskLookup("step-1", "hit", 2.0, 0.5),), late=True, compilations=2)
    found = data(report(raised, disk))
    assert column(found, "status", "statuses") == ["RAISED", "COMPILED"]
    assert found["details"] == {
        "0": [["raised in lower", "ValueError: no"]],
        "1": [
            ["after the warm-up", "yes"], ["compilations", "2"],
            ["cache folder", "hit, compiled in 2.00 s, read in 500.0 ms  step-1"],
        ],
    }  # fmt: skip


def test_what_can_be_avoided_is_ranked_first_by_its_seconds():
    short = compilation(1, reasons=(SHAPE,), avoidable=True, function="short")
    long = [compilation(n, reasons=(SHAPE,), avoidable=True, function="long") for n in (2, 3)]
    needed = compilation(4, reasons=(DTYPE,), seconds={"compile": 9.0})
    found = data(report(compilation(0), short, *long, needed))
    ranked = [
        (found["functions"][one["function"]][0], one["count"], one["seconds"]) for one in found["ranked"]
    ]
    assert ranked == [("long", 2, 1.5), ("short", 1, 0.75), ("step", 1, 9.0), ("step", 1, 0.75)]
    assert [one["first"] for one in found["ranked"]] == [False, False, False, True]
    assert found["ranked"][0]["hint"] == SHAPE.hint and found["sites"][found["ranked"][0]["site"]] == WHERE
    assert found["avoidable"] == "3 of 5 avoidable, 2.25 s" and found["seconds"] == 2.25


@given(run_reports())
def test_of_any_program_every_number_names_something_and_a_saved_report_gives_the_same(told):
    found = data(told)
    assert found == data(from_json(to_json(told)))
    rows = len(told.compilations)
    assert all(len(values) == rows for values in found["columns"].values())
    for one in found["ranked"]:
        assert found["causes"][one["cause"]] and found["functions"][one["function"]]
        assert isinstance(found["sites"][one["site"]], str)
    for one in found["differences"]:
        assert all(at < len(found["causes"]) for at in one["causes"])
    assert [one["first"] or not one["avoidable"] for one in found["ranked"]] == sorted(
        one["first"] or not one["avoidable"] for one in found["ranked"]
    )
    if timeline := found["timeline"]:
        assert len(timeline["row"]) == rows + len(told.spans)
        assert all(-1 <= row < rows for row in timeline["row"])
        assert max(timeline["lane"]) < len(timeline["lanes"]) and max(timeline["name"]) < len(
            timeline["names"]
        )


def test_a_stage_belongs_to_the_call_that_was_under_way_on_its_thread():
    outer = compilation(0, began=0.0, ended=10.0)
    inner = compilation(1, began=2.0, ended=4.0, function="inner")
    other = compilation(2, began=1.0, ended=9.0, thread=7)
    spans = [
        span("trace", began=0.0, seconds=1.0), span("compile", "inner", 3.0, 0.5, depth=1),
        span("lower", began=5.0, seconds=1.0), span("trace", began=3.0, seconds=1.0, thread=7),
        span("trace", "add", 3.5, 0.25, internal=True), span("trace", began=20.0, disk_hit=True),
    ]  # fmt: skip
    found = data(report(outer, inner, other, spans=spans))["timeline"]
    columns = (found[key] for key in ("name", "phase", "began", "row"))
    told = {
        (found["names"][name], phase, began): row
        for name, phase, began, row in zip(*columns, strict=True)
        if phase != "call"
    }
    # the stages at 3.0 are those of the inner call, and of the call on the other thread
    assert told == {
        ("step", "trace", 0.0): 0, ("inner", "compile", 3.0): 1, ("step", "lower", 5.0): 0,
        ("step", "trace", 3.0): 2, ("add", "trace", 3.5): -1, ("step", "trace", 20.0): -1,
    }  # fmt: skip
    assert found["lanes"] == ["thread 1", "thread 2"] and found["lane"].count(1) == 2
    assert [found["began"][at] for at in found["internal"]] == [3.5]
    assert [found["began"][at] for at in found["disk"]] == [20.0]


def test_without_times_there_is_no_timeline_and_a_reason():
    assert data(report())["timeline"] is None and "nothing was traced" in data(report())["no_timeline"]
    found = data(CallReport("train.py", (), (), CallTotals()))
    assert found["timeline"] is None and "jitinspect run has one" in found["no_timeline"]


def test_processes_have_their_names_and_rows_are_compared_within_them():
    rows = [compilation(0, process=0), compilation(0, process=1), compilation(1, process=1, nearest=0)]
    job = replace(report(*rows), processes=(Process("0", 1, 1.0, 2.0), Process("1", 2, 1.0, 2.0, False)))
    found = data(job)
    assert column(found, "nearest") == [-1, -1, 1]
    assert found["processes"] == {"0": "process 0", "1": "process 1"}
    assert found["timeline"]["lanes"] == ["process 0 · thread 1", "process 1 · thread 1"]
    table = next(one for one in found["tables"] if one["title"] == "Processes")
    assert [row[1] for row in table["rows"]] == ["exit code None", "no exit: killed, or still running"]
    files = replace(job, processes=(Process("a.jsonl", 1, 1.0, 2.0), Process("b.jsonl", 2, 1.0, 2.0)))
    assert data(files)["processes"] == {"0": "a.jsonl", "1": "b.jsonl"}


def test_what_went_wrong_comes_first():
    told = replace(
        report(compilation(0), compilation(1, kind="internal"), stopped="the program raised ValueError"),
        checks=(Check("--max-compiles 9", True), Check("--max-compiles 0", False, ("1 compilation",), WHERE)),
        uneven=(Uneven("f", "f.py:1", "not on all", {"0": 1, "1": 0}, ("only on process 0: f",), True),),
        warnings=("it went wrong",), notes=("look here",), omitted=3,
    )  # fmt: skip
    messages = [(one["sort"], one["text"]) for one in data(told)["messages"]]
    assert messages == [
        ("bad", "FAILED: --max-compiles 0"),
        ("good", "passed: --max-compiles 9"),
        ("bad", "ended early: the program raised ValueError"),
        ("bad", "warning: it went wrong"),
        ("bad", "compiled differently across processes: f f.py:1: not on all (0: 1, 1: 0)"),
        ("note", "note: look here"),
        ("", "+ 750.0 ms for 1 compilation by JAX itself (eager operations)"),
        ("", "3 compilations counted, but not listed"),
    ]
    assert data(told)["messages"][0]["details"] == ["1 compilation"]
    assert data(told)["messages"][4]["details"][1] == "only on process 0: f"


def call(index, reasons=(), **more):
    known = {
        "function": "step", "definition": "train.py:3", "at": WHERE, "signature": "step(f32[3])",
        "status": "COMPILED", "executable": index + 1, "stages": ("compile",), "seconds": {"compile": 0.5},
        "compilations": 1, "reasons": reasons,
    }  # fmt: skip
    return Call(index, **known | more)


PADDED = replace(SHAPE, avoidable=True)
CALLS = CallReport(
    "train.py",
    (
        call(0, (FIRST,)), call(1, status="CACHED", executable=1, seconds={}, compilations=0, stages=()),
        call(2, (PADDED,), nearest=0), call(3, (PADDED,), nearest=2), call(4, (PADDED, DTYPE), nearest=3),
        call(5, error="ValueError: no", traceback="Traceback\n  line", jax_says="never seen", compilations=0),
    ),
    (FunctionTotals("step", "train.py:3", 6, 4, 1, 2.0, 1),),
    CallTotals(6, 4, 4, 1, 0, 2.5),
    internal=Work(2, 0.5), warnings=("a warning",), notes=("a note",), environment=ENVIRONMENT,
)  # fmt: skip


def test_calls_are_grouped_by_what_differs():
    found = data(CALLS)
    assert column(found, "executable") == [1, 1, 3, 4, 5, 6]
    assert column(found, "status", "statuses") == ["COMPILED", "CACHED", *["COMPILED"] * 3, "RAISED"]
    ranked = [(one["text"], one["count"], one["seconds"], one["avoidable"]) for one in found["ranked"]]
    assert ranked == [
        ("x: f32[3] → f32[4]", 2, 1.0, True),
        ("x: f32[3] → f32[4], y: f32 → bf16", 1, 0.5, False),
        ("first call of step", 1, 0.5, False),
    ]
    assert (found["avoidable"], found["seconds"]) == ("2 of 4 avoidable, 1.00 s", 1.0)
    error, traceback, says = found["details"]["5"]
    assert error == ["error", "ValueError: no"] and traceback[1] == "Traceback\n  line"
    assert says == ["JAX says", "never seen"]


def test_the_totals_of_calls_have_the_stages_but_not_of_a_plan():
    assert data(CALLS)["totals"][-3:] == ["trace 0 µs", "lower 0 µs", "compile 2.50 s"]
    planned = data(replace(CALLS, planned=True))
    assert planned["totals"][-1] == "1 cache hit" and planned["avoidable"] == "2 of 4 avoidable"
    assert "planned, not made" in planned["no_timeline"]
    sorts = [(one["sort"], one["text"]) for one in data(CALLS)["messages"]]
    assert ("bad", "warning: a warning") in sorts and ("note", "note: a note") in sorts


def test_small_tables_leave_out_what_is_empty_and_filter():
    (functions,) = data(CALLS)["tables"]
    head = ["function", "defined at", "calls", "compilations", "hits", "slow hits", "total"]
    assert functions["head"] == head and functions["texts"] == 2 and functions["facet"] == "function"
    assert functions["rows"] == [["step", "train.py:3", "6", "4", "1", "1", "2.00 s"]]
    functions, sites = data(report(compilation(0)))["tables"]
    assert "avoidable" not in functions["head"] and "calls" not in functions["head"]
    assert sites["rows"] == [[WHERE, "step", "1", "750.0 ms"]] and sites["numbers"] == [0]


@pytest.mark.parametrize("told", [report(compilation(0)), CALLS], ids=["run", "trace-cache"])
def test_the_page_holds_the_data(told):
    assert data_of("".join(page(told))) == data(told)
    assert data_of("".join(page(told)))["command"] == told.command


def test_a_name_that_utf8_does_not_have_is_kept():
    assert data_of("".join(page(report(compilation(0, function="f\udc80")))))["functions"][0][0] == "f\udc80"


def test_time_by_stack_is_a_flame_graph():
    assert data(report(compilation(0)))["flames"] == []
    profile = ProgramProfile(2.0, 1.5, 1.5, 1.5, (), (), (), stacks=(Stack(("a", "b"), 1.5),))
    (flames,) = data(replace(report(compilation(0)), profile=profile))["flames"]
    assert flames["frames"][1:] == ["a", "b"] and flames["seconds"] == [1.5] * 3
