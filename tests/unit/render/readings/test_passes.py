"""The passes as text, and as JSON and back."""

import re
from dataclasses import replace

import pytest

from jitinspect.model import Target
from jitinspect.model.readings import Found, Pass, PassesReport
from jitinspect.render.json import from_json, to_json
from jitinspect.render.readings import render

LONG = "HLO_passes_through_layout_assignment"
CALL = "f(f32[8])"
PASSES = (
    Pass(0, LONG, "algsimp", True, 1012, 1013, {"multiply": 2, "divide": -1}, signature=CALL),
    Pass(1, LONG, "dce", False, 1013, 1013, signature=CALL),
    Pass(2, LONG, "adding_copies_to_resolve_interference", True, 1013, 1013, {}, "names", signature=CALL),
    Pass(3, "after", "pipeline-start", True, 1013, 998, {f"op-{n}": -1 for n in range(15)}, signature=CALL),
)
FOUND = (
    Found("fusion.1", "fusion", 2, 3, CALL),
    Found("add.1", "add", None, 0, CALL),
    Found("x", "tanh", None, None, CALL),
)
DIFF = "--- before 0 algsimp (p)\n+++ after 0 algsimp (p)\n@@ -1,1 +1,1 @@ %main\n   %a\n-  %b\n+  %c\n"


def report(passes=PASSES, **more):
    return PassesReport("passes", Target("m:f", "m", "f", None, None, (), (), CALL), passes, **more)


def text(made, width=10_000, color=False, verbose=False):
    return "".join(render(made, color, width, verbose))


def plain(colored):
    return re.sub("\x1b\\[[0-9;]*m", "", colored)


def test_only_passes_that_changed_something_and_the_sums():
    lines = text(report()).splitlines()
    assert lines[0].split() == ["#", "pipeline", "pass", "instructions", "ops"]
    assert lines[1].split() == ["0", LONG, "algsimp", "1,012", "→", "1,013", "multiply", "+2", "divide", "-1"]
    assert lines[2].endswith("1,013 → 1,013  names only")
    assert "(before its passes)" in lines[3] and lines[3].count("op-") == 15
    assert lines[4:] == ["", "4 passes, 3 changed the module · 1,012 → 998 instructions · -v shows all"]


def test_with_v_all_of_them_and_nothing_cut():
    lines = text(report(), width=40, verbose=True).splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["0", "1", "2", "3"]
    assert "adding_copies_to_resolve_interference" in lines[3] and lines[4].count("op-") == 15
    assert "-v" not in lines[-1]


@pytest.mark.parametrize("width", [60, 80, 160])
def test_the_table_fits_and_its_columns_stand_below_their_heads(width):
    lines = text(report(), width).splitlines()
    assert max(map(len, lines)) <= width
    column = lines[0].index("ops")
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines[1:4])
    assert lines[3].endswith("…")
    assert ("…" in lines[2]) == (width < 160)


@pytest.mark.parametrize("width", [60, 160, 10_000])
def test_colour_adds_nothing_else(width):
    made = report(difference=DIFF, found=FOUND)
    assert plain(text(made, width, color=True)) == text(made, width)
    colored = text(report(), color=True)
    assert "\x1b[32mmultiply +2\x1b[0m" in colored and "\x1b[31mdivide -1\x1b[0m" in colored


def test_runs_that_were_asked_for_and_their_differences():
    asked = tuple(replace(one, asked=one.index < 2) for one in PASSES)
    made = text(report(asked, difference=DIFF))
    assert "2 runs, 1 changed the module" in made and "pipeline-start" not in made
    assert made.endswith("\n\n" + DIFF)
    assert "\x1b[32m+  %c\x1b[0m\n" in text(report(asked, difference=DIFF), color=True)


def test_instructions_by_the_passes_they_came_and_went_with():
    lines = text(report(found=FOUND)).splitlines()
    assert [re.split("  +", line) for line in lines[1:4]] == [
        ["fusion.1", "fusion", "2 adding_copies_to_resolve_interference", "(kept)"],
        ["add.1", "add", "(in XLA's input)", "1 dce"],
        ["x", "tanh", "(in XLA's input)", "0 algsimp"],
    ]
    assert "rename" in lines[-1]
    assert max(map(len, text(report(found=FOUND), 60).splitlines())) <= 60


def test_several_calls_have_their_own_tables():
    other = Pass(0, "p", "dce", False, 3, 3, signature="f(f32[16])")
    lines = text(report((*PASSES, other), found=FOUND)).splitlines()
    assert lines.index(CALL) < lines.index("f(f32[16])")
    assert lines[-1] == "1 pass, none changed the module · 3 → 3 instructions · -v shows all"


def test_json_and_back():
    made = report(difference=DIFF, found=FOUND)
    document = to_json(made)
    assert '"pass": "dce"' in document and '"pass_"' not in document
    assert from_json(document) == made
