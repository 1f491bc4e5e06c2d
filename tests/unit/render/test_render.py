"""Reports as JSON and text: pure functions of the model."""

import hashlib
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.errors import LoadError, UsageError
from jitinspect.model import (
    Artifact,
    CacheKey,
    Change,
    Comparison,
    CompileEvent,
    Diagnosis,
    DiskEntry,
    DiskKey,
    Environment,
    Kernel,
    KeyDifference,
    ListedCallable,
    Listing,
    MemoryKey,
    Report,
    Support,
    Target,
)
from jitinspect.render import tables, terminal
from jitinspect.render.errors import error_text
from jitinspect.render.html import render as html
from jitinspect.render.json import error_to_json, from_json, to_json
from jitinspect.render.log import event_line
from jitinspect.render.text import cut_middle, printable, seconds, shown_path, shown_places

ENVIRONMENT = Environment("0.1", "0.10.2", "0.10.2", "3.11.7", "cpu", "cpu", 1, "")
text = st.text(max_size=20)
labels = st.lists(text | st.integers(0, 9), max_size=3).map(tuple)
targets = st.builds(
    Target, text, text, text, st.none() | text, st.none() | st.integers(), labels, labels, text
)
kernels = st.lists(st.builds(Kernel, text, st.none() | text, text), max_size=2).map(tuple)
artifacts = st.builds(
    Artifact,
    stage=st.sampled_from(["jaxpr", "stablehlo", "hlo", "llvm", "asm"]),
    text=text,
    sha256=text,
    unavailable=st.none() | text,
    signature=text,
    dims=st.dictionaries(text, st.integers(0, 99), max_size=2),
    platform=st.none() | text,
    kernels=kernels,
)
events = st.builds(
    CompileEvent,
    seq=st.integers(0, 99),
    phase=st.sampled_from(["trace", "lower", "compile"]),
    function=text,
    signature=st.none() | text,
    seconds=st.floats(0, 1e4),
    source=st.none() | text,
    cache=st.sampled_from([None, "hit", "miss", "off"]),
    internal=st.booleans(),
)
mappings = st.dictionaries(text, text, max_size=2)
entries = st.builds(
    DiskEntry, st.none() | text, st.none() | st.booleans(), st.none() | st.integers(0, 99), st.none() | text,
    st.lists(text, max_size=2).map(tuple),
)  # fmt: skip
memories = st.builds(MemoryKey, text, st.lists(text, max_size=2).map(tuple), mappings, mappings)
disks = st.builds(
    DiskKey, text, text, mappings, st.dictionaries(text, mappings, max_size=2), st.none() | entries
)
keys = st.builds(
    CacheKey, memories, st.none() | disks, st.none() | text, text,
    st.dictionaries(text, st.integers(0, 99), max_size=2),
)  # fmt: skip
changes = st.lists(st.builds(Change, text, st.none() | text, st.none() | text), max_size=2).map(tuple)
differences = st.builds(KeyDifference, text, st.none() | text, st.none() | text, changes)
comparisons = st.builds(
    Comparison, text, st.booleans(), changes, st.lists(differences, max_size=2).map(tuple), st.booleans()
)
reports = st.builds(
    Report,
    command=st.sampled_from(["jaxpr", "show"]),
    target=targets,
    artifacts=st.lists(artifacts, min_size=1, max_size=3).map(tuple),
    events=st.lists(events, max_size=3).map(tuple),
    environment=st.none() | st.just(ENVIRONMENT),
    keys=st.lists(keys, max_size=3).map(tuple),
    against=st.none() | comparisons,
)
rows = st.builds(
    ListedCallable,
    text,
    text,
    text,
    labels,
    labels,
    st.none() | text,
    st.none() | st.integers(),
    st.booleans(),
)
listings = st.builds(Listing, text, st.lists(rows, max_size=3).map(tuple))
diagnoses = st.builds(
    Diagnosis,
    st.just(ENVIRONMENT),
    st.lists(text, max_size=2).map(tuple),
    st.none() | text,
    st.dictionaries(text, text, max_size=2),
    st.lists(st.builds(Support, text, st.booleans(), st.none() | text), max_size=2).map(tuple),
)


@given(reports | listings | diagnoses)
def test_what_is_saved_is_read_back(report):
    assert from_json(to_json(report)) == report


@given(reports)
def test_a_report_begins_with_schema_and_command(report):
    document = json.loads(to_json(report))
    assert list(document)[:2] == ["schema", "command"]
    assert (document["key"] is None) == (report.keys == ())


def test_keys_of_a_later_jitinspect_are_passed_over():
    report = Listing("m", ())
    document = {**json.loads(to_json(report)), "new": 1}
    assert from_json(json.dumps(document)) == report


@pytest.mark.parametrize("saved", ["", "[]", "{}", "3", '{"schema": 99, "command": "ls"}', "not json"])
def test_what_is_no_report_is_refused(saved):
    with pytest.raises(LoadError):
        from_json(saved)


def test_an_error_is_a_document():
    document = json.loads(error_to_json("hlo", UsageError("bad", hint="good")))
    assert document["error"] == {
        "kind": "usage", "message": "bad", "hint": "good", "detail": None, "exit_code": 2,
    }  # fmt: skip


def artifact(stage="jaxpr", body="{ lambda ; a:f32[3]. let in (a,) }", **more):
    return Artifact(stage, body, "", signature="f(f32[3])", **more)


def report(*parts):
    return Report("show", Target("m:f", "m", "f", "/a/m.py", 3, signature="f(f32[3])"), parts)


def test_one_artifact_is_its_text_and_a_final_newline():
    assert "".join(terminal.render(report(artifact()), color=False)) == artifact().text + "\n"
    assert "".join(terminal.render(report(artifact(body="x\n")), color=False)) == "x\n"


def test_several_artifacts_have_headings():
    missing = artifact("hlo", "", unavailable="no such thing", dims={"B": 8}, platform="tpu")
    shown = "".join(terminal.render(report(artifact(), missing), color=False))
    assert "== jaxpr  f(f32[3]) ==\n{ lambda" in shown
    assert "== hlo  f(f32[3])  for tpu  B=8 ==\nnot available: no such thing\n" in shown


def test_html_is_whole_and_shows_the_text():
    page = "".join(html(report(artifact(body="a < b & c"))))
    assert page.startswith("<!doctype html>") and page.endswith("</html>\n")
    assert "a &lt; b &amp; c" in re.sub(r"</?span[^>]*>", "", page)


EVENT = CompileEvent(0, "compile", "f", "f(f32[3], " + "i32[], " * 40 + "f32[4])", 0.0401, "/a/m.py:3", "hit")


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_log_line_fits_its_width_and_keeps_both_ends(width):
    line = event_line(EVENT, width, color=False)
    assert len(line) <= width
    assert line.startswith("compile   40.1 ms  f(f32[3]") and line.endswith("f32[4])  from disk  /a/m.py:3")


def test_colour_off_is_the_same_line():
    coloured = event_line(EVENT, 80, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == event_line(EVENT, 80, color=False) != coloured


@pytest.mark.parametrize(
    ("value", "shown"), [(2e-6, "2 µs"), (0.0123, "12.3 ms"), (4.561, "4.56 s"), (0.9996, "999.6 ms")]
)
def test_durations_are_short(value, shown):
    assert seconds(value) == shown


@given(st.text(max_size=50), st.integers(3, 40))
def test_a_cut_text_fits_and_keeps_its_ends(whole, width):
    whole = printable(whole)
    cut = cut_middle(whole, width)
    assert len(cut) <= width
    assert cut == whole or (cut[0] == whole[0] and cut[-1] == whole[-1] and "…" in cut)


def test_tables_are_plain_without_colour_and_never_read_markup():
    row = ListedCallable("f", "jax.jit", "(x: 'Float[Array, \"b\"]' = [1])", (0,), ("x",), "/a/m.py", 3, True)
    plain = tables.listing(Listing("m", (row,)), color=False, width=120)
    assert "\x1b" not in plain and "(x: 'Float[Array, \"b\"]' = [1])" in plain
    assert "\x1b[" in tables.listing(Listing("m", (row,)), color=True, width=120)


def test_an_error_names_itself_and_its_hint():
    assert error_text(UsageError("bad", hint="good", detail="  x\n  ^"), color=False) == (
        "  x\n  ^\nerror: bad\nhint:  good\n"
    )


def test_paths_are_shown_from_where_one_looks(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert shown_path(f"{tmp_path}/a/b.py:3") == "a/b.py:3"
    assert shown_path("/usr/lib/python3/site-packages/optax/a.py:3") == "optax/a.py:3"
    assert shown_path("/elsewhere/b.py:3") == "/elsewhere/b.py:3"


def test_a_file_is_written_once_for_lines_that_follow_each_other():
    assert shown_places(["a.py:6", "a.py:7", "b.py:7", "a.py:1"]) == "a.py:6, 7, b.py:7, a.py:1"
    assert shown_places([]) == ""


def test_a_row_of_ls_is_cut_at_its_signature():
    rows = tuple(
        ListedCallable(name, "function", f"(x, {'y, ' * 40}z)", (), (), "/a/m.py", 3, True) for name in "fg"
    )
    lines = tables.listing(Listing("m", rows), color=False, width=80).rstrip("\n").split("\n")
    assert len(lines) == 3 and all(len(line) <= 80 for line in lines)
    assert all("(x, y" in line and line.endswith("z)") for line in lines[1:])


ENTRY = DiskEntry("/cache", obstacles=("only if its compilation takes 1 s or more (setting)",))
KEY = CacheKey(
    MemoryKey("m.f (/a/m.py:3)", ("x: f32[3]",), {"n": "2"}, {"jax_enable_x64": "True"}),
    DiskKey(
        "jit_f-" + 64 * "0", "jit_f", {"computation": 64 * "1", "XLA flags": 64 * "2"},
        {"computation": {"module": "jit_f"}, "operations": {"stablehlo.add": "2"}, "XLA flags": {"--a": "3"}},
        ENTRY,
    ),
    signature="f(f32[3])",
)  # fmt: skip
PLAIN = f"""in memory
  function  m.f (/a/m.py:3)
  argument  x: f32[3]
  static    n = 2
  setting   jax_enable_x64 = True

on disk  jit_f-{64 * "0"}-cache
  computation  111111111111  jit_f: 2 operations
  XLA flags    222222222222  --a 3

in the cache folder  /cache
  not found
  JAX would write it:
    only if its compilation takes 1 s or more (setting)
"""


def keyed(*parts, **more):
    return Report("key", Target("m:f", "m", "f", "/a/m.py", 3), parts, keys=(KEY,), **more)


def test_a_key_alone_has_no_heading():
    assert "".join(terminal.render(keyed(), color=False)) == PLAIN
    shown = "".join(terminal.render(keyed(artifact()), color=False))
    assert shown.endswith(f"== key  f(f32[3]) ==\n{PLAIN}\n")
    assert PLAIN.split("\n")[0] in "".join(html(keyed()))


def test_a_verbose_key_is_told_whole():
    shown = "".join(terminal.render(keyed(), color=False, verbose=True))
    assert 64 * "1" in shown and "  XLA flags is made of\n    --a  3\n" in shown


def test_differences_come_first_with_their_causes():
    flags = KeyDifference("XLA flags", 64 * "2", 64 * "3", (Change("--a", "3", None),))
    unknown = KeyDifference("custom_hook", None, 64 * "3")
    found = Comparison("key.json", False, (Change("argument x", "f32[3]", "f32[4]"),), (flags, unknown))
    assert "".join(terminal.render(keyed(against=found), color=False)).startswith(
        "against key.json: the key on disk differs in XLA flags, custom_hook\n"
        "  XLA flags  222222222222 → 333333333333\n"
        "    --a  3 → none\n"
        "  custom_hook  none → 333333333333\n"
        "    unknown cause: nothing recorded about it differs\n"
        "  in memory\n"
        "    argument x  f32[3] → f32[4]\n"
        "\nin memory\n"
    )


def test_the_arrays_of_a_model_are_told_by_their_number():
    args = (*(f"params['w'][{index}]: f32[3]" for index in range(60)), "x: f32[8]", "y.a: f32[]")
    many = replace(KEY, memory=replace(KEY.memory, args=args))
    told = "".join(terminal.render(replace(keyed(), keys=(many,)), color=False))
    assert "params: 60 arrays (-v lists them)\n" in told and "argument  x: f32[8]\n" in told
    assert "argument  y.a: f32[]\n" in told
    whole = "".join(terminal.render(replace(keyed(), keys=(many,)), color=False, verbose=True))
    assert "params['w'][59]: f32[3]" in whole


def test_a_component_of_nothing_is_told_as_that():
    digest = hashlib.sha256(b"").hexdigest()
    bare = replace(KEY, disk=replace(KEY.disk, components={"custom_hook": digest}))
    assert f"  custom_hook  {digest[:12]}  none\n" in "".join(
        terminal.render(replace(keyed(), keys=(bare,)), color=False)
    )


def test_the_same_key_is_told_in_one_line():
    shown = "".join(terminal.render(keyed(against=Comparison("key.json", True)), color=False))
    assert shown == f"against key.json: the same key\n\n{PLAIN}"


def test_colour_of_a_key_taken_off_is_the_plain_one():
    found = Comparison("key.json", False, (Change("argument x", "f32[3]", "f32[4]"),))
    plain, coloured = ("".join(terminal.render(keyed(against=found), color=color)) for color in (False, True))
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain != coloured
