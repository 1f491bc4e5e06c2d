"""`source`, `--stats` and `--outline` as text, on any terminal."""

import re
from dataclasses import replace

import pytest

from jitinspect.model import Artifact, Target
from jitinspect.model.readings import Source, SourceLine, SourceReport, WithoutLine
from jitinspect.model.views import Branch, LineCount, OpCount, Stats, TypeCount, Unrolled
from jitinspect.render import views
from jitinspect.render.json import from_json, to_json
from jitinspect.render.readings import render
from jitinspect.render.readings.gutter import MOST_COLUMNS, gutter
from jitinspect.render.text import Painter, amount, size

TARGET = Target("net:net", "net", "net", "net.py", 1, signature="net(f32[8])")


def line(number, *fusions, text="x = f(x)", **counts):
    return SourceLine("net.py", number, text, fusions=fusions, **counts)


def report(*lines, without=None):
    unrolled = (Unrolled("net.py:3", 96, 14, "for w in ws:"),)
    return SourceReport("source", TARGET, Source(lines, without or WithoutLine(), unrolled))


def text(made, width=100, verbose=False, color=False):
    return "".join(render(made, color, width, verbose))


def test_lines_of_one_fusion_are_joined():
    assert gutter([line(1, "a"), line(2), line(3, "a"), line(4)]) == ["╭", "│", "╰", " "]
    assert gutter([line(1, "a"), line(2, "a"), line(3, "a")]) == ["╭", "├", "╰"]
    assert gutter([line(1, "a"), line(2, "b"), line(3)]) == [""] * 3
    assert gutter([line(1, "a", "b"), line(2, "b", "a")]) == ["╭", "╰"], "alike ones share a bracket"


def test_brackets_that_overlap_stand_beside_each_other():
    assert gutter([line(1, "a"), line(2, "a", "b"), line(3, "b"), line(4, "a")]) == ["╭ ", "├╭", "│╰", "╰ "]
    assert gutter([line(1, "a"), line(2, "a"), line(3, "b"), line(4, "b")]) == ["╭", "╰", "╭", "╰"]


def test_a_gutter_has_an_end():
    rows = [line(n, *(f"f{k}" for k in range(9) if k in (n, n - 9) or n == 20)) for n in range(21)]
    assert max(map(len, gutter(rows))) <= MOST_COLUMNS


@pytest.mark.parametrize("width", [40, 80, 160])
def test_numbers_stay_and_the_python_is_cut(width):
    made = report(
        line(9, text="    return jnp.einsum('bhqk,bkhd->bqhd', weights, values).reshape(x.shape)",
             equations=3, operations=4, instructions=5, flops=5_000_000, bytes=12_345, share=0.987),
        line(12, text=""),
    )  # fmt: skip
    rows = text(made, width).splitlines()
    row = next(row for row in rows if row.startswith(" 9"))
    assert re.search(r"3 +4 +5 +5.00 M +12.3 kB +99%$", row)
    assert (len(row) <= width) or width < 60
    assert ("…" in row) == (width < 130)
    assert " ⋮" in rows, "lines were left out between 9 and 12"


def test_what_is_not_there_is_no_zero_and_what_has_no_line_is_counted():
    made = report(
        line(1), line(2, equations=1), without=WithoutLine(equations=1, instructions=2, flops=3, bytes=4)
    )
    told = text(made)
    assert "0" not in "".join(row for row in told.splitlines() if row.startswith(("1", "2")))
    assert "without a source line: 1 equation, 2 instructions, 3 FLOPs, 4 B" in told
    assert "without" not in text(report(line(1), line(2, equations=1), without=WithoutLine()))
    assert "net.py:3: the same 14 equations 96 times: use lax.scan or fori_loop  for w in ws:" in told


def test_a_function_without_a_line_of_yours_is_told_as_well():
    assert "3 instructions" in text(report(without=WithoutLine(instructions=3)))


def test_verbose_names_the_fusions():
    assert "fusion.7" not in text(report(line(1, "fusion.7", instructions=1)))
    assert "fusion.7" in text(report(line(1, "fusion.7", instructions=1)), verbose=True)


def test_colour_is_all_that_colour_adds():
    made = report(line(1, "a", flops=5, share=1.0), line(2, "a"))
    assert re.sub(r"\x1b\[[\d;]*m", "", text(made, color=True)) == text(made)


def test_a_report_survives_json():
    made = report(line(1, "a", flops=5, share=1.0), line(2, "a"))
    assert from_json(to_json(made)) == made


STATS = Stats(
    operations=3,
    blocks=1,
    ops=tuple(OpCount(f"op{n}", 40 - n, 1000 * n) for n in range(20)),
    types=(TypeCount("f32[" + ",".join(["128"] * 60) + "]", 2, 4),),
    lines=(LineCount("net.py:3", 2, "x = f(x)"), LineCount(None, 1)),
    unrolled=(Unrolled("net.py:3", 96, 14),),
)
OUTLINE = Branch(
    "main",
    3,
    {"add": 2, "while": 1},
    branches=(Branch("while body", 5, {"mul": 5}, 1, 7), Branch("cond", 1, {})),
)


def viewed(width=100, verbose=False, color=False, **parts):
    made = Artifact("hlo", "", "", **parts)
    return "".join(views.render(made, Painter(color), width, verbose))


@pytest.mark.parametrize("width", [40, 80, 160])
def test_statistics_fit_their_terminal(width):
    told = viewed(width, stats=STATS)
    assert all(len(row) <= width for row in told.splitlines() if "the same" not in row)
    assert "… and 8 more; -v shows all" in told and "op19" not in told
    assert "op19" in viewed(width, verbose=True, stats=STATS)
    assert "no source line" in told and "the same 14 instructions 96 times" in told


def test_an_outline_is_a_tree():
    assert viewed(outline=OUTLINE).splitlines() == [
        "main  3 instructions  2 add, 1 while",
        "├─ while body × 7  5 instructions  5 mul",
        "└─ cond  1 instruction",
    ]
    assert all(len(row) <= 30 for row in viewed(30, outline=OUTLINE).splitlines()[:1])
    assert re.sub(r"\x1b\[[\d;]*m", "", viewed(color=True, outline=OUTLINE)) == viewed(outline=OUTLINE)


@pytest.mark.parametrize(
    ("number", "counted", "in_bytes"),
    [(0, "0", "0 B"), (999, "999", "999 B"), (1000, "1.00 k", "1.00 kB"), (12_345, "12.3 k", "12.3 kB"),
     (999_600, "1.00 M", "1.00 MB"), (2.5e15, "2.50 P", "2.50 PB")],
)  # fmt: skip
def test_large_numbers_are_short(number, counted, in_bytes):
    assert amount(number) == counted and size(number) == in_bytes


def test_a_file_begins_at_its_package():
    told = text(
        report(replace(line(1, instructions=1), file="/v/lib/python3.12/site-packages/lib/net.py")), 80
    )
    assert "\nlib/net.py " in told


def test_what_is_sent_between_devices_has_a_column():
    lines = (line(9, instructions=5, flops=5_000_000, bytes=12_345, share=0.9, wire_bytes=57_300), line(10))
    made = report(*lines, without=WithoutLine(wire_bytes=1000))
    made = replace(made, source=replace(made.source, devices=8))
    rows = text(made).splitlines()
    assert rows[2].split()[-3:] == ["bytes", "moved", "share"]
    assert rows[3].split()[-5:] == ["12.3", "kB", "57.3", "kB", "90%"]
    assert "without a source line: 1.00 kB moved" in rows
    told = "FLOPs and bytes are those of one device, of the 8 that it runs on; moved: what it sends to"
    assert any(row.startswith(told) for row in rows)
    assert "moved" not in text(report(line(9, bytes=1)))
    assert from_json(to_json(made)) == made
