"""`diff` of programs over several devices as text."""

import pytest

from jitinspect.model.differences import ChangedCollective, Difference, DiffReport, Quantity, Summary
from jitinspect.render import readings
from jitinspect.render.json import from_json, to_json

GONE = ChangedCollective("all-reduce", ("data",), 4, 4096, 4096, 6144, 1, ("net.py:5",))
CAME = ChangedCollective("all-gather", (), 2, 1024, 2048, 1024, 7, ("net.py:5",), 2, "after")
SUMMARY = Summary(
    Quantity(41, 87),
    added=46,
    collectives=Quantity(1, 2),
    wire_bytes=Quantity(6144, 14_336),
    collectives_changed=(GONE, CAME),
)


def report(summary=SUMMARY):
    one = Difference(False, summary, stage="hlo")
    return DiffReport("diff", "f(f32[8])", "f(f32[16])", one, (one,))


def text(summary=SUMMARY, width=80):
    return "".join(readings.render(report(summary), False, width))


def test_collectives_come_before_the_instructions():
    assert text().split("\n") == [
        "- f(f32[8])",
        "+ f(f32[16])",
        "",
        "collectives  1 → 2 (× 2) · moved 6.14 kB → 14.3 kB (× 2.33)",
        "     moved  times       in      out  kind        axes  line",
        "-  6.14 kB      1  4.10 kB  4.10 kB  all-reduce  data  net.py:5",
        "+  14.3 kB     14  1.02 kB  2.05 kB  all-gather  of 2  net.py:5",
        "moved: what one device sends to others, if rings carry it",
        "",
        "hlo  41 → 87 instructions · 46 added",
        "",
    ]


def test_without_any_nothing_is_said_and_without_a_change_that():
    assert "collectives" not in text(Summary(Quantity(41, 87)))
    same = Summary(Quantity(41, 87), collectives=Quantity(2, 2), wire_bytes=Quantity(6144, 6144))
    assert "collectives  2 · moved 6.14 kB, none came or went\n" in text(same)


@pytest.mark.parametrize("width", [72, 80, 160])
def test_it_fits(width):
    assert all(len(line) <= width for line in text(width=width).split("\n"))


def test_json():
    assert from_json(to_json(report())) == report()
