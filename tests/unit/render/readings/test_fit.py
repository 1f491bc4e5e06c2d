"""`fit` as text: a pure function of its report."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.model import Target
from jitinspect.model.fit import Fit, FitReport, FitStep, LiveBuffer, Moment, Refusal, Rematerialized
from jitinspect.render import html, readings
from jitinspect.render.json import from_json, to_json

TARGET = Target("t:f", "t", "f", None, None, (), (), "f()")
BUFFERS = (
    LiveBuffer(3_000_000_000, "f32[20480,16384]", None, "x", (0, 17), "argument", "x.1"),
    LiveBuffer(2_000_000_000, "f32[8192,8192]", "net.py:12", None, (5, 12), "temp", "fusion.3", shares=2),
    LiveBuffer(1_000_000_000, "f32[4096,4096]", "net.py:14", None, (15, 17), "output", "fusion.4", False),
)
FITS = Fit(
    target="v5e",
    fits=True,
    limit_bytes=16_000_000_000,
    peak_bytes=6_000_000_000,
    argument_bytes=3_000_000_000,
    output_bytes=1_500_000_000,
    temporary_bytes=2_500_000_000,
    full=False,
    buffers=BUFFERS,
    needed_bytes=6_500_000_000,
    left_bytes=9_500_000_000,
    unused_bytes=500_000_000,
    aliased_bytes=500_000_000,
    constant_bytes=0,
    moment=Moment(7, 17, "fusion.5", "net.py:13"),
    signature="f(f32[20480,16384])",
)
REFUSED = replace(
    FITS,
    fits=False,
    needed_bytes=17_000_000_000,
    left_bytes=-1_000_000_000,
    refusal=Refusal("RESOURCE_EXHAUSTED: Ran out of memory on HBM", 17_000_000_000, 16_000_000_000, "HBM"),
)
SEARCHED = replace(
    FITS,
    searched="B",
    largest={"B": 48},
    refused_size=49,
    dims={"B": 48},
    steps=(
        FitStep(1, True, 1_000_000_000, 16_000_000_000),
        FitStep(64, False, 18_000_000_000, 16_000_000_000),
        FitStep(49, False, None, 16_000_000_000),
        FitStep(48, True, 6_500_000_000, 16_000_000_000),
    ),
)


def report(*fits):
    return FitReport("fit", TARGET, fits)


def text(*fits, width=160, color=False, verbose=False):
    return "".join(readings.render(report(*fits), color, width, verbose))


def test_all_of_one_call():
    assert text(FITS).split("\n") == [
        "f(f32[20480,16384])",
        "fits on v5e: 6.50 GB of 16.0 GB, 9.50 GB left",
        "memory          3.00 GB arguments · 1.50 GB outputs · 2.50 GB temporaries"
        " · 500 MB aliased (donated and reused)",
        "peak            6.00 GB · at step 7 of 17 · fusion.5 · net.py:13",
        "500 MB are reserved but empty at the peak: gaps between temporaries, where no other fits",
        "compiled for v5e until memory was assigned (--full: to the end); no device was involved",
        "",
        "buffers at the peak",
        "  bytes  alive  kind          type              argument  line",
        "3.00 GB   0-17  argument      f32[20480,16384]  x",
        "2.00 GB   5-12  temp          f32[8192,8192]              net.py:12",
        "1.00 GB  15-17  output, kept  f32[4096,4096]              net.py:14",
        "",
    ]


def test_a_refusal_has_the_compiler_s_words():
    shown = text(REFUSED)
    assert "does not fit on v5e: 17.0 GB of 16.0 GB, 1.00 GB too much\n" in shown
    assert "the compiler says: RESOURCE_EXHAUSTED: Ran out of memory on HBM\n" in shown


def test_without_figures():
    bare = replace(
        REFUSED, peak_bytes=None, needed_bytes=None, left_bytes=None, argument_bytes=None, moment=None,
        buffers=(), unused_bytes=None, unknown="the compiler did not say where it puts what",
    )  # fmt: skip
    shown = text(bare)
    assert "does not fit on v5e, which has 16.0 GB\n" in shown and "buffers at the peak" not in shown
    assert "no buffers: the compiler did not say where it puts what\n" in shown


def test_each_size_of_a_search():
    lines = text(SEARCHED).split("\n")
    assert lines[2:8] == [
        " B    needs      left",
        " 1  1.00 GB   15.0 GB  fits",
        "48  6.50 GB   9.50 GB  fits",
        "49        ?         ?  does not fit",
        "64  18.0 GB  -2.00 GB  does not fit",
        "the largest B is 48; 49 does not fit; 4 sizes compiled",
    ]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"refused_size": None}, "the largest B is 48, the last of the range; 4 sizes compiled"),
        ({"largest": None, "fits": False, "refused_size": 1}, "not even B=1 fits; 4 sizes compiled"),
    ],
)
def test_ends_of_a_search(changed, told):
    assert told in text(replace(SEARCHED, **changed))


def test_a_search_that_ends_close_to_the_limit():
    unsure = tuple(replace(step, certain=step.size != 49) for step in SEARCHED.steps)
    told = "B=49 is over by less than is known of the limit: --full makes sure"
    assert told in text(replace(SEARCHED, steps=unsure)) and told not in text(SEARCHED)


def test_several_devices_are_a_table():
    other = replace(REFUSED, target="v2")
    shown = text(FITS, other)
    assert shown.split("\n") == [
        "  needs       of      left                target",
        "6.50 GB  16.0 GB   9.50 GB  fits          v5e",
        "17.0 GB  16.0 GB  -1.00 GB  does not fit  v2",
        "",
        "no device was involved; -v shows what takes the memory of each",
        "",
    ]
    assert text(FITS, other, verbose=True).count("buffers at the peak") == 2


def test_a_table_of_searches_and_sizes():
    none = replace(SEARCHED, largest=None, fits=False, target="v2", dims={"T": 8, "B": 1})
    rows = text(replace(SEARCHED, dims={"T": 8, "B": 48}), none).split("\n")
    assert rows[0].split() == ["T", "needs", "of", "left", "largest", "B", "target"]
    assert rows[1].split()[:1] == ["8"] and " 48 " in rows[1] and " none " in rows[2]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"full": True}, "compiled for v5e to the end; no device was involved"),
        ({"certain": False}, "machine code is not counted, and may decide here: --full makes sure"),
        (
            {"taken_bytes": 6_000_000_000},
            "JAX takes 6.00 GB of it by default: XLA_PYTHON_CLIENT_MEM_FRACTION",
        ),
        ({"elsewhere": {"VMEM": 3 * 10**9}}, "XLA's peak_memory_in_bytes would count VMEM"),
        ({"xla": {"peak": 8 * 10**9}}, "XLA's peak_memory_in_bytes is 8.00 GB: it counts VMEM"),
        ({"devices": 8}, "all numbers are those of one device, of the 8 that it runs on"),
        (
            {"collectives": 3, "wire_bytes": 57_300},
            "collectives     3 · 57.3 kB moved to other devices, if rings carry it",
        ),
        ({"code_bytes": 2_000_000}, "2.00 MB code"),
        (
            {"rematerialized": (Rematerialized("net.py:3", ("a.remat", "b.remat2"), 7_000_000),)},
            "rematerialized  2 instructions · 7.00 MB · net.py:3",
        ),
    ],
)
def test_what_is_worth_a_note(changed, told):
    assert told in text(replace(FITS, **changed)) and told not in text(FITS)


def test_only_the_largest_buffers_unless_verbose():
    many = replace(FITS, buffers=BUFFERS * 5)
    assert "… and 5 more, 9.00 GB\n" in text(many)
    assert "… and" not in text(many, verbose=True)


@given(st.sampled_from([FITS, REFUSED, SEARCHED]), st.integers(60, 200), st.booleans())
def test_no_line_is_too_wide_and_colour_changes_no_text(one, width, color):
    shown = text(one, width=width, color=color)
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert plain == text(one, width=width)
    tables = plain.split("buffers at the peak")[0]
    assert all(len(line) <= width for line in tables.split("\n"))


@pytest.mark.parametrize("one", [FITS, REFUSED, SEARCHED])
def test_json_and_html(one):
    assert from_json(to_json(report(one))) == report(one)
    page = "".join(html.render_reading(report(one)))
    assert "v5e" in page and "f32[20480,16384]" in page
