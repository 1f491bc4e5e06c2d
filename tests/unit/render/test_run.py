"""What a program compiled, on a terminal, as JSON, over time, and in a pull request: of one report."""

import copy
import io
import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jitinspect.errors import LoadError
from jitinspect.model.runs import Check, Process, RunReport, Uneven
from jitinspect.render import chrome, github
from jitinspect.render.json import from_json, to_json
from jitinspect.render.log import CLEAR_LINE
from jitinspect.render.run import MOST_SITES, RunLog, lines, render, why
from jitinspect.render.text import Painter
from tests.unit.made import (
    ENVIRONMENT,
    FIRST,
    SHAPE,
    WHERE,
    compilation,
    fractions,
    reason,
    report,
    run_reports,
    span,
    words,
)

widths = st.integers(40, 200)
AGAIN = [
    compilation(n, signature=f"step(f32[{n + 3}])", reasons=(SHAPE,), avoidable=True) for n in range(1, 8)
]
TOLD = replace(
    report(
        compilation(0), *AGAIN, compilation(8, kind="internal", function="add"), spans=[span()],
        calls={("step", "train.py:3"): {WHERE: 1000}}, stopped="the program raised ValueError", exit_code=1,
    ),
    checks=(Check("--max-compiles 9", True), Check("--max-compiles 3", False, ("8 compilations",), WHERE)),
    processes=(Process("0", 3, 1.0, 2.0, exit_code=0), Process("1", 3, 1.0, 2.0, False, None, "compile f")),
    uneven=(Uneven("f", "f.py:1", "not on all", {"0": 1, "1": 0}, ("only on process 0: f",), True),),
    omitted=3,
    environment=ENVIRONMENT,
)  # fmt: skip


def shown(told, color=False, width=100, **more):
    return "".join(render(told, color, width, **more))


def without_colour(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@given(run_reports())
def test_what_is_saved_is_read_back(told):
    assert from_json(to_json(told)) == told
    assert list(json.loads(to_json(told)))[:2] == ["schema", "command"]


def test_what_a_later_version_adds_is_passed_over():
    document = json.loads(to_json(TOLD))
    document["new"] = document["sites"][0]["causes"][0]["new"] = 1
    assert from_json(json.dumps(document)) == TOLD


def test_what_can_be_missing_may_be():
    kept = {"schema", "command", "program", "functions", "sites", "totals"}
    document = json.loads(to_json(TOLD))
    read = from_json(json.dumps({name: value for name, value in document.items() if name in kept}))
    assert read == RunReport(TOLD.program, TOLD.functions, TOLD.sites, TOLD.totals)


def places(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in items:
        yield (*path, name)
        yield from places(below, (*path, name))


SMALL = replace(
    report(compilation(0, nearest=0), spans=[span()]),
    checks=TOLD.checks[1:],
    processes=TOLD.processes[1:],
    uneven=TOLD.uneven,
    environment=ENVIRONMENT,
)


@pytest.mark.parametrize("value", [None, 1, -1.5, "x", [], {}, [1], [{}], True], ids=repr)
def test_a_damaged_report_is_an_error_to_load_or_none(value):
    document = json.loads(to_json(SMALL))
    refused = 0
    for path in places(document):
        double = copy.deepcopy(document)
        owner = double
        for name in path[:-1]:
            owner = owner[name]
        owner[path[-1]] = value
        try:
            read = from_json(json.dumps(double))
        except LoadError:
            refused += 1
        else:
            if isinstance(read, RunReport):
                assert shown(read, verbose=True) and chrome.to_trace(read) and all(github.annotated(read))
    assert refused > 20


@given(run_reports(), widths, st.booleans(), st.booleans())
def test_colour_taken_off_is_the_plain_text(told, width, verbose, quiet):
    plain, coloured = (shown(told, color, width, verbose=verbose, quiet=quiet) for color in (False, True))
    assert without_colour(coloured) == plain and "\x1b" not in plain
    assert coloured != plain or plain.count("\n") <= len(told.checks)


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("width", [*range(66, 130, 7), 117, 118, 150, 200])
def test_no_line_is_longer_than_the_terminal(width, verbose):
    assert max(map(len, shown(TOLD, width=width, verbose=verbose).splitlines())) <= width


@pytest.mark.parametrize("width", [40, 50, 60])
def test_no_line_is_longer_than_a_narrow_terminal(width):
    assert max(map(len, shown(TOLD, width=width).splitlines())) <= width


SUMMARY = """
jitinspect run train.py
8 compilations · 6.00 s of 10.00 s · trace 1.00 s · lower 1.00 s · compile 4.00 s · 1,000 calls
7 of 8 avoidable, 5.25 s
+ 750.0 ms for 1 compilation by JAX itself (eager operations); -v shows them
3 compilations counted, but not listed

function          compiled   trace   lower  compile   total  share  avoidable  calls  hits
step  train.py:3         8  1.00 s  1.00 s   4.00 s  6.00 s    60%          7  1,000   992

compiled again
train.py:12  step  8 compilations in 1,000 calls, 6.00 s
     7 ×    5.25 s  avoidable  x: f32[3] → f32[4]  and 6 more like it
                     hint  pad x to a few sizes

slowest
COMPILED   750.0 ms  step(f32[3])  train.py:12  first call of step
COMPILED   750.0 ms  step(f32[4])  train.py:12  x: f32[3] → f32[4]
COMPILED   750.0 ms  step(f32[5])  train.py:12  x: f32[3] → f32[4]
COMPILED   750.0 ms  step(f32[6])  train.py:12  x: f32[3] → f32[4]
COMPILED   750.0 ms  step(f32[7])  train.py:12  x: f32[3] → f32[4]

processes
0  3 compilations, 1.00 s  of 2.00 s  exit code 0
1  3 compilations, 1.00 s  of 2.00 s  no exit: killed, or still running, during compile f

compiled differently across processes
  f  f.py:1  not on all  (0: 1, 1: 0)
    they compute it together: if one does not join, the others hang
    only on process 0: f
ended early: the program raised ValueError
passed  --max-compiles 9
FAILED  --max-compiles 3
    8 compilations
"""


def test_a_summary_has_all_there_is():
    assert shown(TOLD, width=120) == SUMMARY


def test_quiet_tells_what_was_checked_and_nothing_else():
    assert (
        shown(TOLD, quiet=True) == "passed  --max-compiles 9\nFAILED  --max-compiles 3\n    8 compilations\n"
    )
    assert shown(report(compilation(0)), quiet=True) == ""


def test_a_program_that_compiled_nothing_has_its_totals():
    assert shown(report(wall=0.0)).startswith("\njitinspect run train.py\n0 compilations · 0 µs of 0 µs")


def test_columns_are_there_for_what_there_is():
    head = shown(report(compilation(0))).split("\n\n")[1].splitlines()[0]
    assert head.split() == ["function", "compiled", "total", "share"]
    from_disk = compilation(0, status="DISK", compilations=0)
    head = shown(report(from_disk), width=118).split("\n\n")[1].splitlines()[0]
    assert head.split() == [
        "function",
        "compiled",
        "trace",
        "lower",
        "compile",
        "total",
        "share",
        "from",
        "disk",
    ]


def test_a_definition_goes_where_there_is_no_room():
    far = report(compilation(0, definition=f"{'deep/' * 20}train.py:3"))
    assert "train.py:3" not in shown(far, width=80).split("\n\n")[1]
    assert "train.py:3" in shown(far, width=200).split("\n\n")[1]


def test_first_calls_are_told_of_in_full_alone():
    once = report(compilation(0))
    assert "compiled again" not in shown(once) and "first call of step" not in shown(once)
    assert "by call site\ntrain.py:12  step  1 compilation, 750.0 ms\n" in shown(once, verbose=True)


def test_of_many_sites_the_first_are_told_and_the_others_counted():
    many = report(*(compilation(n, at=f"a.py:{n}", reasons=(SHAPE,)) for n in range(MOST_SITES + 2)))
    assert len(re.findall(r"^a\.py:", shown(many), re.M)) == MOST_SITES
    assert "and 2 more call sites; -v shows all\n" in shown(many)
    assert len(re.findall(r"^a\.py:", shown(many, verbose=True), re.M)) == MOST_SITES + 2
    assert "more call site" not in shown(many, verbose=True)


def test_examples_are_told_in_full_alone():
    told = report(*(compilation(n, reasons=(reason(text=f"x is {n}"),)) for n in range(4)))
    assert "x is 0  and 3 more like it\n" in shown(told) and "x is 1" not in shown(told)
    assert [text in shown(told, verbose=True) for text in ("x is 1", "x is 2", "x is 3")] == [
        True,
        True,
        False,
    ]


LAYERS = [
    f"s[2].info.layers[{n}].num_lines: i32[]{{weak}} → f32[]{{weak}} (by default, {n})" for n in range(9)
]
"""Each with a comma, with which reasons are also joined."""


def unwrapped(text):
    return " ".join(text.split())


@given(st.integers(60, 200), st.integers(1, 9), st.booleans(), st.booleans())
def test_reasons_are_whole_and_the_others_counted(width, number, verbose, avoidable):
    reasons = tuple(reason(text=text) for text in LAYERS[:number])
    one = compilation(0, reasons=reasons, avoidable=avoidable)
    listed = "".join(lines(one, width, Painter(False)))
    causes = shown(report(one, replace(one, seq=1)), width=width, verbose=verbose)
    for told in (listed, causes):
        assert max(map(len, told.splitlines())) <= width and "…" not in told
        whole = [text for text in LAYERS if text in unwrapped(told)]
        assert whole == LAYERS[: len(whole)] != [], "from the first on"
        left = number - len(whole)
        assert told.count("num_lines") == len(whole), "and no part of another"
        assert (f"(+{left} more)" in told) == bool(left), "never torn"


@given(st.integers(60, 200))
def test_a_long_cause_has_several_lines(width):
    text = f"tree of x: {'w, ' * 100}b → none"
    one = compilation(0, reasons=(reason(text=text),), avoidable=True)
    for told in (shown(report(one, replace(one, seq=1)), width=width), "".join(plain_lines(one, width))):
        assert max(map(len, told.splitlines())) <= width and text in unwrapped(told)


def test_a_report_of_an_earlier_version_has_its_reasons_in_one_text():
    document = json.loads(to_json(report(compilation(0, reasons=(SHAPE,)))))
    for name in ("reasons", "more"):
        del document["sites"][0]["causes"][0][name]
    assert f"  {SHAPE.text}\n" in shown(from_json(json.dumps(document)))


def plain_lines(one, width=120):
    return "".join(lines(one, width, Painter(False)))


@given(st.sampled_from([*AGAIN, compilation(0, raised="trace", error="TypeError: no")]), st.integers(60, 200))
def test_a_line_fits_and_keeps_both_ends(one, width):
    told = plain_lines(replace(one, signature=f"step(f32[3], {'i32[], ' * 40}f32[4])"), width)
    assert max(map(len, told.splitlines())) <= width
    assert told.count("\n") == (1 if width >= 110 else 2) and told.endswith("\n")
    assert "step(" in told and "f32[4])" in told and WHERE in told
    assert without_colour("".join(lines(one, width, Painter(True)))) == plain_lines(one, width)


def test_on_a_narrow_terminal_the_reason_stands_below():
    assert plain_lines(AGAIN[0], 80) == (
        "COMPILED   750.0 ms  step(f32[4])  train.py:12\n                     x: f32[3] → f32[4]\n"
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "COMPILED   750.0 ms  step(f32[3])  train.py:12  first call of step"),
        ({"at": None, "signature": None, "reasons": ()}, "COMPILED   750.0 ms  step"),
        ({"reasons": (SHAPE, SHAPE, FIRST)},
         "COMPILED   750.0 ms  step(f32[3])  train.py:12  x: f32[3] → f32[4] (+1 more)"),
        ({"raised": "compile", "error": "E: no"},
         "RAISED     750.0 ms  step(f32[3])  train.py:12  E: no (while compiling)"),
        ({"kind": "backward", "reasons": ()},
         "COMPILED   750.0 ms  step(f32[3])  train.py:12  backward pass"),
        ({"kind": "eager", "status": "DISK", "reasons": (SHAPE,)},
         "DISK       750.0 ms  step(f32[3])  train.py:12  outside jit: x: f32[3] → f32[4]"),
    ],
)  # fmt: skip
def test_a_line_says_what_was_done_and_why(more, told):
    assert plain_lines(compilation(0, **more)) == told + "\n"


def test_what_raised_without_a_word_is_told_all_the_same():
    assert why(compilation(0, raised="trace")) == "raised (while tracing)"


def log(*events, **more):
    stream = io.StringIO()
    told = RunLog(stream, **{"color": False, "live": False, "verbose": False, "width": 80} | more)
    for name, one in events:
        getattr(told, name)(one)
    return stream.getvalue()


def test_the_log_has_a_line_for_each_of_the_programs_own():
    inner = compilation(1, kind="internal", function="add", signature=None)
    events = [("on_compiling", AGAIN[0]), ("on_compilation", AGAIN[0]), ("on_compilation", inner)]
    assert log(*events) == plain_lines(AGAIN[0], 80)
    assert log(*events, verbose=True) == plain_lines(AGAIN[0], 80) + plain_lines(inner, 80)


def test_on_a_terminal_what_is_being_compiled_is_told_and_erased():
    inner = compilation(1, kind="internal", function="add", signature=None)
    compiling = "compile  step(f32[4]) …  x: f32[3] → f32[4]"
    assert log(("on_compiling", AGAIN[0]), live=True) == compiling
    both = log(("on_compiling", AGAIN[0]), ("on_compilation", AGAIN[0]), live=True)
    assert both == f"{compiling}{CLEAR_LINE}{plain_lines(AGAIN[0], 80)}"
    erased = log(("on_compiling", inner), ("on_compilation", inner), ("on_compilation", inner), live=True)
    assert erased == f"compile  add …{CLEAR_LINE}"
    assert log(("on_compiling", AGAIN[0]), live=True, width=30) == "compile  step(f32[4]) …", "without half"
    assert len(log(("on_compiling", AGAIN[0]), live=True, width=20)) <= 19


def test_a_log_that_cannot_be_written_stops_nothing():
    stream = io.StringIO()
    stream.close()
    RunLog(stream, color=False, live=True, verbose=False, width=80).on_compilation(AGAIN[0])


@st.composite
def timelines(draw):
    """Calls one after the other on each thread, and within each its stages, one after the other."""
    calls, stages = [], []
    for thread, process in draw(st.lists(st.tuples(st.integers(0, 2**47), st.integers(0, 3)), max_size=3)):
        now = draw(fractions)
        for seq in range(draw(st.integers(0, 3))):
            began = now
            for phase in draw(st.permutations(["trace", "lower", "compile"])):
                lasted = draw(fractions)
                stages.append(span(phase, f"f{seq}", now, lasted, thread=thread, process=process))
                now += lasted
            now += draw(fractions)
            one = compilation(
                len(calls), began=began, ended=now, thread=thread, process=process, signature=None
            )
            calls.append(replace(one, function=f"f{seq}"))
            now += draw(fractions)
    return calls, stages


def events(told, kind="X"):
    return [one for one in json.loads(chrome.to_trace(told))["traceEvents"] if one["ph"] == kind]


def within(stage, call):
    """To a fifth of a microsecond, as each time is rounded."""
    apart = stage["ts"] - call["ts"], call["ts"] + call["dur"] - stage["ts"] - stage["dur"]
    return (stage["pid"], stage["tid"]) == (call["pid"], call["tid"]) and min(apart) >= -0.2


@given(timelines())
def test_over_time_every_stage_lies_within_its_call(drawn):
    calls, stages = drawn
    told = events(report(*calls, spans=stages))
    assert len(told) == len(calls) + len(stages)
    for stage in told[len(calls) :]:
        name = stage["name"].removeprefix(f"{stage['cat']} ")
        assert any(within(stage, call) and call["name"] == name for call in told[: len(calls)])


def test_times_are_microseconds():
    call, stage = events(
        report(compilation(0, began=1.5, ended=2.25), spans=[span(began=1.75, seconds=0.125)])
    )
    assert (call["ts"], call["dur"], call["cat"], call["name"]) == (1.5e6, 0.75e6, "call", "step(f32[3])")
    assert (stage["ts"], stage["dur"], stage["cat"], stage["name"]) == (
        1.75e6,
        0.125e6,
        "compile",
        "compile step",
    )
    assert call["args"]["reasons"] == [FIRST.text] and call["args"]["at"] == WHERE
    assert stage["args"] == {}


def test_what_did_not_end_lasts_no_less_than_nothing():
    (call,) = events(report(compilation(0, began=3.0, ended=0.0)))
    assert call["dur"] == 0.0


def test_internal_stages_and_those_from_disk_are_told_as_such():
    inner, read = events(report(spans=[span(internal=True), span(disk_hit=True)]))
    assert inner["cat"] == "internal" and read["args"] == {"from_disk": True}


def test_processes_are_named():
    one = report(compilation(0), spans=[span(process=2)])
    assert [(each["pid"], each["args"]["name"]) for each in events(one, "M")] == [
        (0, "train.py"),
        (2, "train.py"),
    ]
    several = replace(one, processes=TOLD.processes)
    assert [each["args"]["name"] for each in events(several, "M")] == [
        "train.py, process 0",
        "train.py, process 2",
    ]


@given(run_reports())
def test_the_trace_is_json_of_all_that_is_listed(told):
    assert len(events(told)) == len(told.compilations) + len(told.spans)
    assert all(one["dur"] >= 0 for one in events(told))


def test_a_pull_request_has_errors_and_warnings():
    error, warning = github.annotated(TOLD)
    assert error == "::error file=train.py,line=12,title=--max-compiles 3::8 compilations\n"
    assert warning == (
        "::warning file=train.py,line=12,title=7 of 8 compilations of step avoidable%2C 5.25 s"
        "::7 × x: f32[3] → f32[4]%0Ahint: pad x to a few sizes\n"
    )


def test_what_held_and_what_was_needed_is_no_annotation():
    needed = report(compilation(0), compilation(1, reasons=(SHAPE,)))
    assert list(github.annotated(replace(needed, checks=TOLD.checks[:1]))) == []


def test_a_place_that_is_not_known_is_left_out():
    (error,) = github.annotated(replace(report(), checks=(Check("x", False, ("a", "b")),)))
    assert error == "::error title=x::a%0Ab\n"


def unescaped(text):
    for code, sign in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, sign)
    return text


@given(words | st.text("%:,\r\n2A50DC"), st.lists(words | st.text("%:,\r\n"), min_size=1, max_size=3))
@example("%2C", ["%0A", "%25", "100%"])
def test_a_command_is_one_line_and_says_what_was_to_be_said(limit, texts):
    (command,) = github.annotated(
        replace(report(), checks=(Check(limit, False, tuple(texts), "a,b:c.py:7"),))
    )
    assert command.count("\n") == 1 and "\r" not in command
    found = re.fullmatch(r"::error file=([^:,]*),line=(\d+),title=([^:,]*)::(.*)\n", command, re.S)
    assert [unescaped(part) for part in found.groups()] == ["a,b:c.py", "7", limit, "\n".join(texts)]


def test_of_what_was_compiled_no_more_is_avoidable():
    read = compilation(0, status="DISK", compilations=0, reasons=(SHAPE,))
    compiled = compilation(1, reasons=(SHAPE,), avoidable=True)
    (warning,) = github.annotated(report(replace(compiled, seq=0), replace(read, seq=1)))
    assert "title=1 of 1 compilations" in warning


def test_a_warning_stands_in_the_summary():
    assert "warning: stale result: f" in shown(replace(TOLD, warnings=("stale result: f",)))


def test_of_many_processes_those_that_ended_alike_have_one_line():
    many = tuple(Process(str(n), 3, 1.0 + n / 1000, 2.0, exit_code=0) for n in range(200))
    odd = Process("200", 3, 1.0, 2.0, False, None, "compile f")
    told = shown(replace(TOLD, processes=(*many, odd)), width=120).split("\nprocesses\n")[1].splitlines()
    assert told[:3] == [
        "0, 1, 2 and 197 more  3 compilations each, 1.00 s to 1.20 s  of 2.00 s  exit code 0",
        f"{'200':<20}  3 compilations, 1.00 s  of 2.00 s  "
        "no exit: killed, or still running, during compile f",
        "",
    ]
    verbose = shown(replace(TOLD, processes=many), width=120, verbose=True)
    assert verbose.count("exit code 0") == 200


@pytest.mark.parametrize("width", range(50, 100))
def test_no_item_of_the_headline_is_left_alone_below_a_full_line(width):
    head = shown(TOLD, width=width).split("\n")[2:4]
    if " avoidable" not in head[1]:
        assert max(map(len, head)) <= width and " · " in head[1]


def of_disk(*outcomes, folder="/cache"):
    told = report(
        *(compilation(n, kind=kind, disk=(what,)) for n, (kind, what) in enumerate(outcomes)), folder=folder
    )
    lines = shown(told).splitlines()
    return [line for line in lines if line.startswith("cache folder") or "not written" in line]


def test_what_lies_in_the_cache_folder_now_and_what_does_not():
    both = of_disk(("call", "written"), ("call", "fast"), ("call", "fast"), ("internal", "written"))
    assert both == [
        "cache folder /cache: 1 of 3 compilations written + 1 of JAX's own",
        "  2 not written: fast",
    ]
    assert of_disk(("internal", "written")) == ["cache folder /cache: 1 of JAX's own written"]
    assert of_disk(("internal", "fast")) == []
    assert of_disk(("call", "written"), folder=None) == ["cache folder: 1 of 1 compilation written"]
    assert of_disk() == []
