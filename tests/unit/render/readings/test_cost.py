"""`cost` as text: a pure function of its report."""

import re
from dataclasses import replace

import pytest

from jitinspect.model import Target
from jitinspect.model.readings import (
    Buffer,
    Cost,
    CostOfBranch,
    CostOfLine,
    CostOfLoop,
    CostOfOp,
    CostReport,
    Growth,
    XlaCost,
)
from jitinspect.render import readings

LINE = CostOfLine("net/layers.py", 12, "return jnp.tanh(x @ w)", 9_000_000, 3200, 150_000, 0.9)
LINES = (LINE, replace(LINE, file=None, line=None, text="", flops=1_000_000, transcendentals=0, share=0.1))
OPS = (
    CostOfOp("dot", 1, 9, 9_990_000, 0, 0, 0.999),
    CostOfOp("fusion", 3, 27, 0, 0, 160_000, 0.0),
)
LOOPS = (CostOfLoop("while.7", "net/layers.py:9", 9, 1, 9_000_000, 140_000, 0.9),)
BUFFERS = (
    Buffer("argument", 65_536, ("x.1",), "f32[128,128]", None, 0, 0, True),
    Buffer("temp", 4096, ("fusion.1", "while.7"), "f32[32,32]", "net/layers.py:12", 3, 64, False),
)
ONCE = {"flops": 1_000_000, "transcendentals": 400, "bytes": 20_000}
MEMORY = {"argument": 65_536, "output": 4096, "temp": 4096, "alias": 1024, "generated_code": 0}
COST = Cost(
    flops=10_000_000,
    transcendentals=3200,
    bytes=160_000,
    intensity=62.5,
    peak_bytes=72_704,
    once=ONCE,
    xla=XlaCost(1_000_000, 400, 20_016, 69_632),
    memory=MEMORY,
    by_line=LINES,
    by_op=OPS,
    loops=LOOPS,
    buffers=BUFFERS,
    signature="f(f32[128,128])",
)
TARGET = Target("t:f", "t", "f", None, None, (), (), "f()")
SWEEP = tuple(
    replace(COST, dims={"B": b, "D": d}, flops=b * d * d, signature=f"f(f32[{b},{d}])")
    for b in (8, 16, 32)
    for d in (64, 128)
)
GROWTH = (Growth("flops", "B", 1.0, 0.0), Growth("flops", "D", 2.0, 0.0), Growth("bytes", "B", 0.4, 0.21))


SENT = replace(
    COST,
    by_line=(replace(LINE, wire_bytes=57_300), LINES[1]),
    by_op=(*OPS, CostOfOp("all-reduce", 2, 9, 0, 0, 8200, 0.0, 57_300)),
    devices=8,
    collectives=2,
    wire_bytes=57_300,
)


def report(cost=COST, **more):
    return CostReport("cost", TARGET, cost, **more)


def text(found, width=100, color=False, verbose=False):
    return "".join(readings.render(found, color, width, verbose))


def test_all_of_it():
    assert text(report()).split("\n") == [
        "f(f32[128,128])",
        "                   total  loops once  XLA's own",
        "FLOPs             10.0 M      1.00 M     1.00 M",
        "transcendentals   3.20 k         400        400",
        "bytes             160 kB     20.0 kB    20.0 kB",
        "peak memory      72.7 kB                69.6 kB",
        "intensity        62.5 FLOPs/byte",
        "memory           65.5 kB arguments · 4.10 kB outputs · 4.10 kB temporaries"
        " · 1.02 kB of them aliased",
        "XLA counts a loop body once, jitinspect every time it runs",
        "XLA's peak leaves out temporaries",
        "",
        "loops",
        " FLOPs  share   bytes  trips  runs  loop     line",
        "9.00 M    90%  140 kB      9     1  while.7  net/layers.py:9",
        "",
        "by line",
        " FLOPs  share  transc.   bytes  line              text",
        "9.00 M    90%   3.20 k  150 kB  net/layers.py:12  return jnp.tanh(x @ w)",
        "1.00 M    10%           150 kB  no source line",
        "",
        "by op",
        " FLOPs  share  transc.   bytes  instr.  runs  op",
        "9.99 M   100%                        1     9  dot",
        "                        160 kB       3    27  fusion",
        "",
        "buffers",
        "  bytes  kind      peak  type          instructions       line",
        "65.5 kB  argument  yes   f32[128,128]  x.1",
        "4.10 kB  temp            f32[32,32]    fusion.1, while.7  net/layers.py:12",
        "",
    ]


def test_without_loops_there_is_one_number_beside_xlas():
    plain = replace(COST, loops=(), once={"flops": 10_000_000, "transcendentals": 3200, "bytes": 160_000})
    shown = text(report(replace(plain, xla=XlaCost(10_000_000, 3200, 160_016, None))))
    assert "loops once" not in shown and "counts the body" not in shown


LIKE = replace(COST, loops=(), unlike_xla={"flops": (), "bytes": ()})


@pytest.mark.parametrize(
    ("unlike", "told"),
    [
        ({"flops": ("custom calls",), "bytes": ()}, "XLA's FLOPs leave out custom calls\n"),
        ({"flops": ("FFTs", "triangular solves"), "bytes": ()}, "count FFTs, triangular solves otherwise\n"),
        (
            {"flops": ("custom calls", "complex numbers"), "bytes": ()},
            "calls; count complex numbers like real",
        ),
        ({"flops": (), "bytes": ()}, "XLA's FLOPs differ, for a reason that is not known\n"),
    ],
)
def test_why_flops_differ_from_xlas_is_said(unlike, told):
    once = {"flops": 2_000_000, "transcendentals": 400, "bytes": 20_000}
    assert told in text(report(replace(LIKE, once=once, unlike_xla=unlike)))
    assert "XLA's FLOPs" not in text(report(replace(LIKE, unlike_xla=unlike)))  # they do not differ


def test_why_bytes_differ_from_xlas_is_said():
    kinds = ("custom calls", "gathers", "scatters", "pointers of tuples")
    xla = XlaCost(1_000_000, 400, 120_000, 69_632)
    told = "XLA's bytes leave out custom calls; count whole arrays for gathers, scatters; include pointers of"
    assert told in text(report(replace(LIKE, xla=xla, unlike_xla={"flops": (), "bytes": kinds})), 160)
    assert "XLA's bytes" not in text(report(LIKE))  # as shown, they do not differ
    assert "XLA's bytes" not in text(report(replace(COST, xla=xla)))  # a report saved by an older version


def test_the_convention_for_complex_numbers_is_said():
    told = "FLOPs are real operations: 2 for a complex addition, 6 for a complex multiplication"
    for kind in "complex numbers", "FFTs":
        assert told in text(report(replace(LIKE, unlike_xla={"flops": (kind,), "bytes": ()})))
    assert told not in text(report(LIKE))


BRANCH = CostOfBranch("cond.1", 1, 2, True, 100, 2_000, 8_000, "net/layers.py:14")
BRANCHES = (BRANCH, replace(BRANCH, index=0, counted=False, flops=10, bytes=4_000))


def test_branches_are_listed_with_the_range():
    ranged = {"least": {"flops": 1_000, "bytes": 500}, "most": {"flops": 200_000, "bytes": 900}}
    ranging = replace(COST, branches=BRANCHES, **ranged)
    shown = text(report(ranging))
    told = "of each conditional the costliest branch counts, in every run; others may run: "
    assert told + "1.00 k to 200 k FLOPs, 500 B to 900 B\n" in text(report(ranging), 160)
    assert (
        " ".join(shown.split()).count(told + "1.00 k to 200 k FLOPs, 500 B to 900 B") == 1
    )  # nothing is cut
    assert "2.00 k  8.00 kB   100  1 of cond.1, counted  net/layers.py:14\n" in shown
    assert "    10  4.00 kB   100  0 of cond.1           net/layers.py:14\n" in shown
    same = {"least": {"flops": 1_000, "bytes": 500}, "most": {"flops": 1_000, "bytes": 500}}
    assert "others may run, which costs the same\n" in text(report(replace(COST, branches=BRANCHES, **same)))
    assert "conditional" not in text(report())
    where = "jitinspect collectives counts what each branch sends\n"
    assert where in text(report(replace(ranging, devices=8))) and where not in shown


def test_what_is_not_counted_is_said():
    loops = (replace(LOOPS[0], trip_count=None), replace(LOOPS[0], trip_count=None))
    shown = text(report(replace(COST, loops=loops, unmodelled=("call.1",), no_buffers="it does not tell")))
    assert "2 loops with an unknown trip count: one iteration of each is counted" in shown
    assert "unknown FLOPs of custom calls: call.1" in shown
    assert "one device" not in shown
    assert "one device" in text(report(replace(COST, devices=8)))
    assert re.search(r"\? +1  while.7", shown) and "no buffers: it does not tell" in shown


def test_nothing_at_all():
    nothing = Cost(
        0, 0, 0, None, None, dict.fromkeys(ONCE, 0), XlaCost(), {}, (), (), (), (), signature="f()"
    )
    assert text(report(nothing)).split("\n") == [
        "f()",
        "                 total  XLA's own",
        "FLOPs                0",
        "transcendentals      0",
        "bytes              0 B",
        "peak memory",
        "",
    ]


def test_of_many_rows_the_first_are_shown_and_the_rest_is_summed():
    many = replace(
        COST,
        by_line=tuple(replace(LINE, line=n, share=0.05) for n in range(20)),
        buffers=tuple(replace(BUFFERS[0], bytes=1000) for _ in range(12)),
    )
    shown = text(report(many))
    assert "… and 10 more, 50% of the FLOPs" in shown and "… and 2 more, 2.00 kB" in shown
    assert "layers.py:19" not in shown and "layers.py:19" in text(report(many), verbose=True)
    assert "more," not in text(report(many), verbose=True)


def test_verbose_has_exact_numbers():
    assert "10,000,000   1,000,000  1,000,000" in text(report(), verbose=True)


@pytest.mark.parametrize("width", [80, 160])
def test_what_is_long_is_cut_and_whole_under_verbose(width):
    long = replace(LINE, file="a/" * 60 + "b.py", text="x = " + "y + " * 90 + "z")
    shown = text(report(replace(COST, by_line=(long,), signature="f" * 300)), width)
    assert max(map(len, shown.split("\n"))) <= width and "…" in shown
    assert "\n9.00 M" in shown and long.text[:5] in shown
    whole = text(report(replace(COST, by_line=(long,), signature="f" * 300)), width, verbose=True)
    assert "f" * 300 in whole and long.file in whole and long.text in whole


@pytest.mark.parametrize("found", [report(), report(sweep=SWEEP, growth=GROWTH)])
def test_colours_are_all_that_colour_adds(found):
    coloured = text(found, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == text(found) != coloured


def test_a_sweep_is_a_row_each_and_how_it_grows():
    found = report(SWEEP[0], sweep=SWEEP, growth=GROWTH)
    shown = text(found).split("\n")
    assert shown[:3] == [
        " B    D   FLOPs   bytes  transc.     peak",
        " 8   64  32.8 k  160 kB   3.20 k  72.7 kB",
        " 8  128   131 k  160 kB   3.20 k  72.7 kB",
    ]
    assert shown[8:] == [
        "growth",
        "FLOPs  ~ B^1.00 · D^2.00",
        "bytes  ~ B^0.40  not a single power: off by up to 21%",
        "two sizes fit any power: add a third of D",
        "",
        "-v shows each by line, by op and by buffer",
        "",
    ]
    assert text(found, verbose=True).count("by op\n") == len(SWEEP)


@pytest.mark.parametrize("width", [70, 80, 100, 120])
def test_a_place_begins_at_its_package_and_keeps_its_end(width):
    """Neither a folder of the environment nor half of a file's name is shown."""
    folder = "/home/me/some/folder/venv/lib/python3.12/site-packages/"
    line = replace(LINE, file=f"{folder}flax/linen/linear.py", line=287)
    loop = replace(LOOPS[0], at=f"{folder}jax_md/partition.py:1219")
    buffer = replace(BUFFERS[0], at=f"{folder}flax/linen/linear.py:287")
    told = "".join(
        readings.render(
            report(replace(COST, by_line=(line,), loops=(loop,), buffers=(buffer,))), False, width
        )
    )
    assert "site-packages" not in told and told.count("linear.py:287") == 2 and "partition.py:1219" in told


def test_what_is_sent_between_devices_is_a_total_and_a_column():
    rows = text(report(SENT)).split("\n")
    assert "moved            57.3 kB" in rows
    assert "moved: what the device sends to others in 2 collectives, if rings carry it" in rows
    assert "9.00 M    90%   3.20 k  150 kB  57.3 kB  net/layers.py:12  return jnp.tanh(x @ w)" in rows
    assert any(re.fullmatch(r" +8.20 kB  57.3 kB +2 +9  all-reduce", row) for row in rows)
    assert "moved" not in text(report())


def test_what_is_sent_is_a_column_of_a_sweep():
    sweep = tuple(replace(SENT, dims={"B": b}) for b in (8, 16))
    rows = text(report(sweep[0], sweep=sweep)).split("\n")
    assert rows[0].split() == ["B", "FLOPs", "bytes", "transc.", "peak", "moved"]
    assert rows[1].split()[-2:] == ["57.3", "kB"]
