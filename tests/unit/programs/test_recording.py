"""Recordings, written and read back, whole and in pieces; and the recordings of a job, added up."""

import json
import os
import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.cli.run import decoded
from jitinspect.errors import LoadError, UsageError
from jitinspect.model.runs import DiskLookup
from jitinspect.programs.recording import merging, reader, stream
from jitinspect.programs.recording.writer import Recorder, path_for
from tests.unit.made import SHAPE, WHERE, compilation, compilations, histories, report, span, spans

CALLS = {("step", "train.py:3"): {WHERE: 5, None: 1}, ("<lambda>", None): {"b.py:1": 2}}
BEGIN = '{"record":"begin","schema":1,"program":"train.py"}\n'


def recorded(path, events=(), end=True, job=None, calls=None, **header):
    """What a recorder writes of `events`, which are pairs of its method's name and arguments."""
    recorder = Recorder(path, {"program": "train.py", **header}, lambda: job)
    try:
        for name, *arguments in events:
            getattr(recorder, name)(*arguments)
        if end:
            recorder.end(0, None, 9.5, calls)
    finally:
        recorder.close()
    return path


def whole(*told):
    return [("on_compilation", one) for one in told]


def read(path):
    return reader.read(path, decoded)


def summarize_recordings(*paths):
    return merging.summarize_recordings(paths, decoded)


def written(tmp_path, *lines):
    path = tmp_path / "rec.jsonl"
    path.write_text(BEGIN + "".join(line + "\n" for line in lines))
    return path


@given(st.lists(compilations, max_size=6), st.lists(spans, max_size=6), st.booleans())
def test_what_is_recorded_is_read_back(tmp_path_factory, told, stages, counted):
    path = tmp_path_factory.getbasetemp() / "round.jsonl"
    events = [*whole(*told), *(("on_span", one) for one in stages)]
    got = read(recorded(path, events, job=(1, 2), calls=CALLS if counted else None))
    assert got.compilations == told and got.spans == stages and got.program == "train.py"
    assert got.calls == (CALLS if counted else None)
    assert got.job == ((1, 2) if told else None)
    assert (got.wall_seconds, got.end["exit_code"], got.end["stopped"]) == (9.5, 0, None)


@given(histories)
def test_a_summary_of_a_recording_is_the_report_of_the_run(tmp_path_factory, told):
    path = recorded(tmp_path_factory.getbasetemp() / "same.jsonl", whole(*told), calls=CALLS)
    assert summarize_recordings(path) == replace(report(*told, wall=9.5, calls=CALLS), command="summary")


def test_a_recording_says_whose_it_is(tmp_path):
    path = recorded(tmp_path / "rec.jsonl", whole(compilation(0)), job=(1, 4), jax="0.10.2")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["record"] for line in lines] == ["begin", "job", "compilation", "end"]
    assert lines[0]["pid"] == os.getpid() and lines[0]["host"] == socket.gethostname()
    assert (lines[0]["schema"], lines[0]["jax"]) == (1, "0.10.2")
    assert (lines[1]["process"], lines[1]["processes"]) == (1, 4)


def test_names_that_are_no_unicode_are_read_back(tmp_path):
    odd = compilation(0, at="\udcff.py:1", function="a\u2028b\rc\x85d")
    assert read(recorded(tmp_path / "rec.jsonl", whole(odd))).compilations == [odd]


def test_the_job_is_told_once_and_as_soon_as_it_is_known(tmp_path):
    jobs = iter([None, (0, 2)])
    recorder = Recorder(tmp_path / "rec.jsonl", {}, lambda: next(jobs))
    for seq in range(3):
        recorder.on_compilation(compilation(seq))
    recorder.close()
    kinds = [json.loads(line)["record"] for line in (tmp_path / "rec.jsonl").read_text().splitlines()]
    assert kinds == ["begin", "compilation", "job", "compilation", "compilation"]


def test_each_event_is_in_the_file_at_once(tmp_path):
    recorder = Recorder(tmp_path / "rec.jsonl", {}, lambda: None)
    recorder.on_compilation(compilation(0))
    assert read(tmp_path / "rec.jsonl").compilations == [compilation(0)]
    recorder.close()


def test_a_recording_replaces_an_earlier_one(tmp_path):
    path = recorded(tmp_path / "rec.jsonl", whole(*map(compilation, range(5))))
    assert len(read(recorded(path)).compilations) == 0


LAST = [
    ("on_compilation", compilation(1, function="été", error="名", reasons=(SHAPE,))),
    ("on_compiling", compilation(1)),
    ("on_span", span()),
    ("on_start", "compile", "step", 1.0),
    ("end", 3, "é", 2.0, None),
]


@pytest.mark.parametrize("last", LAST, ids=lambda last: last[0])
def test_a_last_line_may_break_off_anywhere(tmp_path, last):
    path = recorded(tmp_path / "rec.jsonl", [*whole(compilation(0)), last], end=False)
    data = path.read_bytes()
    start = data[:-1].rindex(b"\n") + 1
    for stop in range(start, len(data) - 1):
        path.write_bytes(data[:stop])
        got = read(path)
        assert got.compilations == [compilation(0)] and got.end is None
        assert not (got.spans or got.unfinished or got.under_way)
        assert summarize_recordings(path).stopped == "the recording ends here"
    path.write_bytes(data[:-1])
    unbroken = read(path)
    path.write_bytes(data)
    assert unbroken == read(path)
    assert read(path).end or read(path).spans or read(path).under_way or len(read(path).compilations) == 2


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "3", "null", '"record"', '{"kind":"span"}', '{"record":"span"']
)
def test_a_damaged_line_in_the_middle_is_told_by_its_number(tmp_path, line):
    path = written(tmp_path, '{"record":"new"}', line, '{"record":"new"}')
    with pytest.raises(LoadError, match=r"rec\.jsonl:3: not a line of a recording"):
        read(path)


@pytest.mark.parametrize(
    "line",
    ['{"record":"start"}', '{"record":"start","phase":"compile","function":"f","began":null}',
     '{"record":"span"}', '{"record":"compilation","seq":"x"}', '{"record":"job"}',
     '{"record":"job","process":"x","processes":2}', '{"record":"calls"}', '{"record":"calls","calls":[3]}',
     "[" * 100_000],
    ids=lambda line: line[:50],
)  # fmt: skip
def test_a_line_without_what_its_kind_has_is_told_by_its_number(tmp_path, line):
    with pytest.raises(LoadError, match=r"rec\.jsonl:2"):
        read(written(tmp_path, line, '{"record":"new"}'))


@pytest.mark.parametrize("line", ['{"record":"end"}', '{"record":"begin","schema":1,"started":null}\n'])
def test_a_damaged_begin_or_end_is_told_as_that(tmp_path, line):
    path = written(tmp_path, line)
    if "begin" in line:
        path.write_text(line)
    with pytest.raises(LoadError):
        summarize_recordings(path)


def test_lines_of_a_later_jitinspect_are_passed_over(tmp_path):
    path = recorded(tmp_path / "rec.jsonl", whole(compilation(0)))
    first, *others = path.read_text().splitlines(keepends=True)
    before = read(path)
    path.write_text(first + '{"record":"memory","bytes":3}\n' + "".join(others))
    assert read(path) == before
    path.write_text(path.read_text().replace('"late":false', '"late":false,"new":[1]'))
    assert read(path) == before


def test_what_is_no_recording_is_told_as_that(tmp_path):
    path = tmp_path / "rec.jsonl"
    for text, told in [
        ("", "is empty"),
        ("x", "rec.jsonl:1"),
        ("{}\n", "rec.jsonl:1"),
        ('{"record":"end"}\n', "is not a jitinspect recording"),
        ('{"record":"begin","schema":9}\n', "has schema 9, this jitinspect reads 1"),
    ]:
        path.write_text(text)
        with pytest.raises(LoadError, match=told):
            read(path)
    with pytest.raises(LoadError, match="cannot be read: No such file"):
        read(tmp_path / "none.jsonl")
    with pytest.raises(LoadError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_two_recorders_do_not_share_a_file(tmp_path):
    path = tmp_path / "rec.jsonl"
    first = Recorder(path, {}, lambda: None)
    first.on_compilation(compilation(0))
    with pytest.raises(UsageError, match="another process is recording to it") as caught:
        Recorder(path, {}, lambda: None)
    assert caught.value.hint == f"--record {tmp_path}/rec-{{pid}}.jsonl"
    first.on_compilation(compilation(1))
    first.close()
    assert [one.seq for one in read(path).compilations] == [0, 1]
    Recorder(path, {}, lambda: None).close()


def test_a_file_that_cannot_be_written_is_told_before_anything_runs(tmp_path):
    with pytest.raises(UsageError, match=r"--record .*none/rec\.jsonl: No such file"):
        Recorder(tmp_path / "none" / "rec.jsonl", {}, lambda: None)
    with pytest.raises(UsageError, match="Is a directory"):
        Recorder(tmp_path, {}, lambda: None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_disk_that_is_full_is_told_before_anything_runs():
    with pytest.raises(UsageError):
        Recorder(Path("/dev/full"), {}, lambda: None)


def test_each_process_has_a_file_of_its_own():
    pid, host = os.getpid(), socket.gethostname()
    assert path_for("a/rec-{host}-{pid}.jsonl") == Path(f"a/rec-{host}-{pid}.jsonl")
    assert path_for("rec.jsonl") == Path("rec.jsonl") and path_for("{x}") == Path("{x}")


COMPILING = compilation(1, at="train.py:20", compilations=0, status="LOWERED", seconds={"trace": 0.5})


def test_a_compilation_that_did_not_end_is_told_as_under_way(tmp_path):
    events = [*whole(compilation(0)), ("on_compiling", COMPILING), ("on_start", "compile", "step", 2.5)]
    path = recorded(tmp_path / "rec.jsonl", events, end=False)
    told = summarize_recordings(path)
    assert told.stopped == "the recording ends here, during compile step(f32[3]) at train.py:20"
    assert told.compilations == (compilation(0), COMPILING)
    (process,) = told.processes
    assert not process.ended and process.exit_code is None and process.wall_seconds == 2.5
    assert process.under_way == "compile step(f32[3]) at train.py:20"


def test_what_xla_was_done_with_waits_for_others(tmp_path):
    events = [("on_compiling", COMPILING), ("on_start", "compile", "step", 2.5), ("on_span", span(began=2.5))]
    told = summarize_recordings(recorded(tmp_path / "rec.jsonl", events, end=False))
    assert told.stopped == "the recording ends here, during the call of step(f32[3]) at train.py:20"
    assert told.compilations == (replace(COMPILING, compilations=1),)
    assert told.processes[0].wall_seconds == 2.75


def test_what_ended_is_not_under_way(tmp_path):
    done = replace(COMPILING, compilations=1, status="COMPILED")
    events = [
        ("on_compiling", COMPILING),
        ("on_start", "compile", "step", 2.5),
        ("on_span", span()),
        *whole(done),
    ]
    path = recorded(tmp_path / "rec.jsonl", events, end=False)
    assert summarize_recordings(path).stopped == "the recording ends here" and read(path).compilations == [
        done
    ]
    whole_one = summarize_recordings(recorded(path, events))
    assert whole_one.stopped is None and whole_one.processes == ()


def test_a_stage_alone_may_be_under_way(tmp_path):
    started = [("on_start", "trace", "step", 1.0), ("on_start", "lower", "step", 2.0)]
    path = recorded(tmp_path / "rec.jsonl", started, end=False)
    assert summarize_recordings(path).processes[0].under_way == "lower step"
    raised = compilation(0, raised="lower", compilations=0)
    path = recorded(path, [*started, ("on_span", span("trace")), *whole(raised)], end=False)
    assert summarize_recordings(path).processes[0].under_way is None


def job_of(tmp_path, *processes, end=True, **more):
    """A recording for each process: its compilations."""
    number = len(processes)
    return [
        recorded(tmp_path / f"rec-{n}.jsonl", whole(*told), end, (n, number), started=100.0 + n, **more)
        for n, told in enumerate(processes)
    ]


def test_the_recordings_of_a_job_are_added_up(tmp_path):
    paths = job_of(tmp_path, [compilation(0)], [compilation(0, seconds={"compile": 4.0})], calls=CALLS)
    told = summarize_recordings(*reversed(paths))
    assert told.program == "train.py" and told.command == "summary"
    assert (told.totals.compilations, told.totals.seconds, told.totals.calls) == (2, 4.75, 16)
    assert told.functions[0].calls == 12 and told.sites[0].calls == 10
    assert [(one.name, one.compilations, one.seconds) for one in told.processes] == [
        ("0", 1, 0.75),
        ("1", 1, 4.0),
    ]
    assert {one.process: one.began for one in told.compilations} == {0: 0.0, 1: 1.0}
    assert told.uneven == ()


def test_calls_are_told_where_all_counted_them(tmp_path):
    counted = recorded(tmp_path / "a.jsonl", whole(compilation(0)), calls=CALLS)
    other = recorded(tmp_path / "b.jsonl", whole(compilation(1)))
    assert (
        summarize_recordings(counted).totals.calls == 8
        and summarize_recordings(counted, other).totals.calls is None
    )


def test_spans_are_placed_by_the_start_of_their_process(tmp_path):
    paths = [
        recorded(tmp_path / f"{n}.jsonl", [("on_span", span(began=0.5))], started=100.0 + 2 * n)
        for n in (1, 0)
    ]
    assert [(one.began, one.process) for one in summarize_recordings(*paths).spans] == [(2.5, 0), (0.5, 1)]


def test_recordings_of_no_job_need_not_be_alike(tmp_path):
    first = recorded(tmp_path / "a.jsonl", whole(compilation(0)))
    second = recorded(
        tmp_path / "b.jsonl", whole(compilation(1, function="g")), end=False, program="other.py"
    )
    told = summarize_recordings(first, second)
    assert told.uneven == () and told.program == "train.py and other.py" and told.stopped is None
    assert [one.name for one in told.processes] == [str(first), str(second)]
    assert [one.ended for one in told.processes] == [True, False]


def test_a_job_that_hangs_tells_in_what(tmp_path):
    events = [("on_compiling", replace(COMPILING, shared=True)), ("on_start", "compile", "step", 2.5)]
    first = recorded(tmp_path / "a.jsonl", events, end=False, job=(0, 2))
    (second,) = job_of(tmp_path, [compilation(0, function="g", definition="b.py:1")], end=False)
    second = recorded(second, whole(compilation(0, function="g")), end=False, job=(1, 2))
    told = summarize_recordings(first, second)
    assert [one.under_way for one in told.processes] == ["compile step(f32[3]) at train.py:20", None]
    assert [(one.function, one.what, one.shared) for one in told.uneven] == [
        ("step", "not on all", True), ("g", "not on all", False),
    ]  # fmt: skip


def told(path):
    """The report of a recording, or what is wrong with it."""
    try:
        return summarize_recordings(path)
    except LoadError as error:
        return error.message, error.hint


def line_by_line(path, monkeypatch):
    """The same, where no line is known by its form."""
    with monkeypatch.context() as patched:
        patched.setattr(stream, "LINES", re.compile(b"(?!)"))
        return told(path)


LOOKUP = DiskLookup("jit_step-key-cache", "written", 0.5)
ALIKE = [
    event
    for seq in range(4)
    for event in (
        ("on_start", "compile", "step", float(seq)),
        ("on_compiling", compilation(seq, compilations=0)),
        ("on_span", span(began=seq + 0.5)),
        *whole(compilation(seq, nearest=seq, disk=("written",), lookups=(LOOKUP,), reasons=(SHAPE,))),
    )
]


def test_lines_that_are_alike_are_told_as_if_each_was_read(tmp_path, monkeypatch):
    path = recorded(tmp_path / "rec.jsonl", ALIKE, calls=CALLS)
    text = path.read_bytes()
    assert stream.LINES.sub(b"", text).count(b"\n") == 3  # all but the header, the calls and the end
    assert told(path) == line_by_line(path, monkeypatch) and len(told(path).compilations) == 4
    path.write_bytes(text[: text.index(b'{"record":"calls"')])
    assert told(path) == line_by_line(path, monkeypatch)


@pytest.mark.parametrize(
    "damage", [b"\r", b"\n", b"\xff", b"\\", b'"', b"\t", b"0", b".", b"}", b"]", b"NaN", b"x"]
)
def test_damage_anywhere_is_told_as_if_each_line_was_read(tmp_path, monkeypatch, damage):
    path = recorded(tmp_path / "rec.jsonl", ALIKE[:8], calls=CALLS)
    text = path.read_bytes()
    for place in range(0, len(text), 7):
        path.write_bytes(text[:place] + damage + text[place:])
        assert told(path) == line_by_line(path, monkeypatch), place


def test_what_is_listed_is_left_out_of_text_alone(tmp_path):
    path = recorded(tmp_path / "rec.jsonl", ALIKE)
    listed = summarize_recordings(path)
    short = merging.summarize_recordings([path], decoded, lists=False)
    assert short == replace(listed, compilations=(), spans=())


def test_of_two_damaged_lines_the_first_is_told(tmp_path, monkeypatch):
    """Though the first is only known to be invalid by the line that ends its compilation."""
    path = recorded(tmp_path / "rec.jsonl", ALIKE)
    lines = path.read_text().splitlines(keepends=True)
    lines[2] = lines[2].replace('"status":"COMPILED"', '"status":"NONESUCH"')
    lines[3] = lines[3].replace("step", "st\tep")
    path.write_text("".join(lines))
    assert told(path) == line_by_line(path, monkeypatch) and f"{path}:3: " in told(path)[0]


def test_the_slowest_of_many_recordings_are_told_by_process(tmp_path):
    seconds = {(process, seq): (process * 7 + seq * 3) % 31 / 10 for process in range(12) for seq in range(3)}
    paths = [
        recorded(
            tmp_path / f"rec-{process}.jsonl",
            whole(*(compilation(seq, seconds={"compile": seconds[process, seq]}) for seq in range(3))),
            job=(process, 12),
            started=float(process),
        )
        for process in range(12)
    ]
    expected = sorted(seconds, key=lambda one: (-seconds[one], one[1], one[0]))[:5]
    for lists in (False, True):
        slowest = merging.summarize_recordings(paths, decoded, lists).slowest
        assert [(one.process, one.seq) for one in slowest] == expected
        assert all(one.ended == compilation(one.seq).ended + one.process for one in slowest)
