"""The roofline of `cost --target` as text."""

from dataclasses import replace

import pytest

from jitinspect.model import Target
from jitinspect.model.communication import LinkSpeed
from jitinspect.model.readings import Cost, CostOfLine, CostReport, Growth, Rate, Roofline, XlaCost
from jitinspect.render import readings
from jitinspect.render.json import from_json, to_json

PRODUCTS = Rate("f32", True, "default", 51_380_224, "bf16", 1, 197e12, 51_380_224 / 197e12)
OTHERS = Rate("f32", False, "default", 65_536, None, 1, None, None)
ROOFLINE = Roofline(
    device="v5e",
    kind="TPU v5 lite",
    bandwidth=819_000_000_000,
    flops=51_380_224,
    hbm_bytes=1_204_240,
    flops_seconds=51_380_224 / 197e12,
    bytes_seconds=1_204_240 / 819e9,
    bound_seconds=1_204_240 / 819e9,
    bound_by="bytes",
    intensity=51_380_224 / 1_204_240,
    ridge=197e12 / 819e9,
    rates=(PRODUCTS, OTHERS),
    source="its maker's page",
)
BOUND = {"hbm_bytes": 1_204_240, "bound_seconds": 1_204_240 / 819e9, "bound_by": "bytes"}
LINE = CostOfLine("net/mlp.py", 22, "return x @ w", 51_445_760, 32_768, 2_809_872, 1.0, **BOUND)
COST = Cost(
    flops=51_445_760,
    transcendentals=32_768,
    bytes=2_809_872,
    intensity=18.3,
    peak_bytes=None,
    once={"flops": 51_445_760, "transcendentals": 32_768, "bytes": 2_809_872},
    xla=XlaCost(),
    memory={},
    by_line=(LINE,),
    by_op=(),
    loops=(),
    buffers=(),
    signature="f(f32[128,784], f32[784,256])",
    roofline=ROOFLINE,
    **BOUND,
)
TARGET = Target("t:f", "t", "f", None, None, (), (), "f()")


def report(cost=COST, **more):
    return CostReport("cost", TARGET, cost, **more)


def text(roofline=ROOFLINE, width=120, verbose=False):
    return "".join(readings.render(report(replace(COST, roofline=roofline)), False, width, verbose))


def test_the_bound_and_what_each_of_its_sides_needs():
    assert text().split("\n") == [
        "f(f32[128,784], f32[784,256])",
        "                   total",
        "FLOPs             51.4 M",
        "transcendentals   32.8 k",
        "bytes            2.81 MB",
        "peak memory",
        "intensity        18.3 FLOPs/byte",
        "",
        "on v5e: at least 1.47 µs, bound by bytes",
        "FLOPs   51.4 M   261 ns  at 197 TFLOP/s, the bf16 peak: f32 products",
        "HBM    1.20 MB  1.47 µs  at 819 GB/s",
        "intensity 42.7 FLOPs/byte of HBM, ridge 241",
        "FLOPs outside of products with no public peak, not in the bound: 65.5 k in f32",
        "a bound, not a prediction",
        "",
        "by line",
        " FLOPs  share  transc.    bytes      HBM  at least     by  line           text",
        "51.4 M   100%   32.8 k  2.81 MB  1.20 MB   1.47 µs  bytes  net/mlp.py:22  return x @ w",
        "",
    ]


def test_several_products_for_one():
    six = replace(PRODUCTS, precision="highest", products=6, seconds=6 * PRODUCTS.seconds)
    told = "the bf16 peak: f32 products of precision highest, 6 of bf16 for each\n"
    assert told in text(replace(ROOFLINE, rates=(six,)))


def test_scalar_units_have_a_row_of_their_own():
    scalar = replace(OTHERS, peak="f32", per_second=66.9e12, seconds=65_536 / 66.9e12)
    shown = text(replace(ROOFLINE, rates=(PRODUCTS, scalar)))
    assert "FLOPs   65.5 k     1 ns  at 66.9 TFLOP/s, the f32 peak: f32, outside of products\n" in shown
    assert "no public peak" not in shown


def test_products_without_a_public_peak_give_no_bound():
    unknown = replace(PRODUCTS, dtype="f64", peak=None, per_second=None, seconds=None)
    without = replace(ROOFLINE, rates=(unknown, OTHERS), flops_seconds=0.0, ridge=None)
    shown = text(without)
    assert "FLOPs with no public peak, not in the bound: 51.4 M in f64\n" in shown
    assert "ridge" not in shown and "\nFLOPs   51.4 M" not in shown


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            {"collectives": ("all-reduce.3", "all-gather.1")},
            "the time that data take between devices is not in the bound: 2 collectives\n",
        ),
        ({"assumptions": ("A holds",)}, "a bound, not a prediction: it assumes that A holds\n"),
        ({"assumptions": ("A holds", "B")}, "it assumes that A holds, and that B\n"),
    ],
)
def test_what_the_bound_leaves_out_and_assumes(more, told):
    assert told in text(replace(ROOFLINE, **more)) and told not in text()


def test_links_are_a_side_of_their_own():
    links = LinkSpeed("v5e", 200_000_000_000, "its maker's other page", "ICI")
    sent = replace(
        ROOFLINE, collectives=("all-reduce.3",), wire_bytes=57_344, links=links, links_seconds=57_344 / 200e9
    )
    bound = replace(sent, bound_seconds=2e-6, bound_by="links")
    assert "links  57.3 kB   287 ns  at 200 GB/s, one way over ICI\n" in text(bound)
    assert "on v5e: at least 2.00 µs, bound by links\n" in text(bound)
    assert "is not in the bound: 1 collective" not in text(bound)
    assert "links: its maker's other page\n" in text(bound, verbose=True)
    saved = report(replace(COST, roofline=bound))
    assert from_json(to_json(saved)) == saved


def test_sources_are_told_when_asked_for():
    assert "peaks and bandwidth: its maker's page\n" in text(verbose=True)
    assert "its maker's page" not in text()


def test_what_needs_no_time_is_bound_by_nothing():
    nothing = replace(ROOFLINE, bound_seconds=0.0, bound_by=None, rates=(), hbm_bytes=0, bytes_seconds=0.0)
    assert "on v5e: at least 0 ns\n" in text(replace(nothing, intensity=None, ridge=None))


def test_devices_are_rows_of_a_table():
    other = replace(ROOFLINE, device="h100", bound_by="flops")
    both = (COST, replace(COST, roofline=other, bound_by="flops", bound_seconds=2e-3))
    shown = "".join(readings.render(report(sweep=both), False, 120))
    assert shown.split("\n") == [
        "f(f32[128,784], f32[784,256])",
        " FLOPs    bytes  transc.  peak      HBM  at least     by  device",
        "51.4 M  2.81 MB   32.8 k        1.20 MB   1.47 µs  bytes  v5e",
        "51.4 M  2.81 MB   32.8 k        1.20 MB   2.00 ms  FLOPs  h100",
        "at least: a bound, not a prediction",
        "",
        "-v shows each by line, by op and by buffer",
        "",
    ]


def test_sizes_and_devices_are_rows_of_a_table():
    sweep = tuple(
        replace(COST, dims={"B": size}, roofline=replace(ROOFLINE, device=device))
        for device in ("v5e", "v6e")
        for size in (8, 16)
    )
    shown = "".join(readings.render(report(sweep[0], sweep=sweep), False, 120)).split("\n")
    assert [line.split()[0] for line in shown[:5]] == ["B", "8", "16", "8", "16"]
    assert [line.split()[-1] for line in shown[:5]] == ["device", "v5e", "v5e", "v6e", "v6e"]


def test_a_roofline_is_saved_and_read_again():
    one = report(sweep=(COST, replace(COST, roofline=None)), growth=(Growth("flops", "B", 1.0, 0.0),))
    assert from_json(to_json(one)) == one


def test_a_report_of_an_older_version_has_none():
    saved = to_json(report(replace(COST, roofline=None)))
    assert from_json(saved).cost.roofline is None
