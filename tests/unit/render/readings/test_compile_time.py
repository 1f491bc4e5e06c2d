"""`compile-time` as text: a pure function of its report."""

import re
from dataclasses import replace

import pytest

from jitinspect.model import Target
from jitinspect.model.compile_times import (
    Advice,
    CompileTime,
    CompileTimeReport,
    FunctionTime,
    Growth,
    KernelTime,
    LineTime,
    PassTime,
    PhaseTime,
    PrimitiveTime,
)
from jitinspect.model.flames import Stack
from jitinspect.render import readings
from jitinspect.render.json import from_json, to_json

KERNEL = KernelTime(
    "add_tanh_fusion.1",
    1.5,
    ("net.py:5", "net.py:6"),
    0.5,
    2.5,
    codegen_seconds=0.5,
    llvm_seconds=2.0,
    instructions=40,
)
TIME = CompileTime(
    wall_seconds={"trace": 0.5, "lower": 0.5, "compile": 3.0},
    phases=(
        PhaseTime("LLVM", 2.4, 0.8, 4.5), PhaseTime("fusion", 0.594, 0.198, 0.594),
        PhaseTime("linking", 0.006, 0.002),
    ),
    passes=(PassTime("fusion", 0.594, "after layout", 1, 0.198), PassTime("dce", 0.003, "cleanup", 9, 0.001)),
    kernels=(KERNEL,),
    by_line=(
        LineTime("net.py", 5, "y = jnp.tanh(x)", 0.3, 1.5, 0.2), LineTime("net.py", 6, "return y + 1", 0.1),
    ),
    functions=(FunctionTime("step", "net.py", 4, 0.1, 0.5),),
    primitives=(PrimitiveTime("tanh", 0.4, ("net.py:5",)),),
    thread_seconds=5.5, threads=3, stacks=(Stack(("compile", "LLVM"), 2.4),), sampling_seconds=0.01,
    instructions=50, signature="f(f32[128,64])", dims={"N": 8},
)  # fmt: skip
GROWTH = (Growth("pass cse", "N", 2.0, 1.0, 0.01, True), Growth("LLVM", "N", 1.1, 1.0, 0.1, False))


def report(*times, **more):
    target = Target("net:f", "net", "f", "net.py", 4, signature="f(f32[128,64])")
    sweep = times if len(times) > 1 else ()
    return CompileTimeReport("compile-time", target, times[0], sweep, **more)


def text(*times, width=80, color=False, verbose=False, **more):
    return "".join(readings.render(report(*times, **more), color, width, verbose))


def test_the_stages_come_first_with_their_shares():
    assert re.match(
        r"f\(f32\[128,64\]\)\n"
        r"total     4\.00 s\n"
        r"trace     500 ms   12%  █+\n"
        r"lower     500 ms   12%  █+\n"
        r"compile   3\.00 s   75%  █+\n",
        text(TIME),
    )


def test_what_is_long_is_shown_and_the_rest_is_summed_up():
    shown = re.sub(" +", " ", text(TIME))
    phases = r"\n2\.40 s 80% 4\.50 s LLVM █+\n594 ms 20% 594 ms fusion █+\n… and 1 phase more, 6\.00 ms\n"
    assert re.search(phases, shown)
    assert "\n594 ms 20% 1 fusion after layout\n… and 1 pass more, 3.00 ms\n" in shown
    for little in ("linking", "dce"):
        assert little not in shown and little in text(TIME, verbose=True)


def test_a_kernel_has_its_lines_and_both_its_parts():
    assert re.search(
        r"^1\.50 s +50% +500 ms +2\.00 s  add_tanh_fusion\.1  net\.py:5, 6$", text(TIME), re.MULTILINE
    )


def test_kernels_of_the_same_lines_are_one_row_with_their_number():
    layers = [replace(KERNEL, kernel=f"add_fusion.{n}", seconds=0.25, share=0.05) for n in range(4)]
    other = replace(KERNEL, seconds=0.5, share=0.1)
    shown = text(replace(TIME, kernels=(other, *layers)))
    assert re.search(r"1\.00 s +20% .* 4 × add_fusion +net.*\n *500 ms .*add_tanh_fusion\.1", shown)
    assert len(re.findall(r"add_fusion\.\d", text(replace(TIME, kernels=tuple(layers)), verbose=True))) == 4


@pytest.mark.parametrize("doubt", [{"llvm_seconds": None}, {"swappable": ("sub_fusion",)}])
def test_what_is_not_known_of_a_kernel_is_marked(doubt):
    assert re.search(r"500 ms +(2\.00 s)?\?  add", text(replace(TIME, kernels=(replace(KERNEL, **doubt),))))
    assert "?" not in text(TIME)


def test_kernels_that_may_have_changed_places_are_named():
    pair = (
        replace(KERNEL, swappable=("sub_fusion",)),
        replace(KERNEL, kernel="sub_fusion", swappable=(KERNEL.kernel,)),
    )
    assert "may have each other's time: add_tanh_fusion.1, sub_fusion\n" in text(
        replace(TIME, kernels=pair), width=160
    )


def test_a_line_has_what_each_stage_took_for_it():
    shown = text(TIME)
    assert re.search(
        r"^2\.00 s +300 ms +200 ms +1\.50 s  net\.py:5  y = jnp\.tanh\(x\)$", shown, re.MULTILINE
    )
    assert re.search(r"^100 ms +100 ms +net\.py:6  return y \+ 1$", shown, re.MULTILINE)


def test_functions_and_primitives_are_there_if_their_stage_takes_long():
    short = replace(TIME, wall_seconds={"trace": 0.01, "lower": 0.01, "compile": 3.0})
    for heading in ("trace, by function", "lower, by primitive"):
        assert heading in text(TIME) and heading not in text(short) and heading in text(short, verbose=True)


def test_threads_are_told_from_the_wall_clock():
    shown = text(TIME, width=200)
    assert "the sum over 3 threads, 5.50 s in 3.00 s\n" in shown
    assert "the Python stack took 10.0 ms of trace and lower" in shown


def test_advice_and_notes_are_told():
    shown = text(
        replace(
            TIME,
            advice=(Advice("roll it", "net.py:5", 2.0, 0.5), Advice("wait", None, 1.0, 0.25)),
            notes=("not all is known",),
        )
    )
    assert "hint  net.py:5: roll it (2.00 s, 50%)\nhint  wait (1.00 s, 25%)\n" in shown
    assert shown.endswith("not all is known\n")


def test_a_sweep_is_a_row_for_each_size_and_what_outgrows_the_program():
    double, more = (replace(TIME, dims={"N": size}, instructions=100) for size in (16, 32))
    shown = text(TIME, double, more, growth=GROWTH)
    assert re.search(r"^ 8 +50 +4\.00 s +500 ms +500 ms +3\.00 s\n16 +100 ", shown, re.MULTILINE)
    assert "pass cse grows faster: as N^2.0\n" in shown and "not faster: LLVM N^1.1\n" in shown
    jumps = Growth("fusion", "N", 6.0, 1.0, 36.0, False)
    assert shown.count("\n") + 1 == text(TIME, double, more, growth=(*GROWTH, jumps)).count("\n")
    assert "\nno power of N: fusion\n" in text(TIME, double, more, growth=(*GROWTH, jumps))
    assert "by line" not in shown and text(TIME, double, verbose=True).count("by line") == 2
    assert "add a third of N" in text(TIME, double, growth=GROWTH) and "a third" not in shown


def test_what_the_longest_stage_consists_of_comes_first():
    headings = ["compile, by phase", "by kernel", "by line", "trace, by function", "by pass"]
    assert sorted(headings, key=text(TIME).index) == headings
    slow_trace = replace(TIME, wall_seconds={"trace": 9.0, "lower": 0.5, "compile": 3.0})
    assert text(slow_trace).index("trace, by function") < text(slow_trace).index("by line")
    assert text(slow_trace).index("by line") < text(slow_trace).index("compile, by phase")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    shown = text(TIME, replace(TIME, dims={"N": 16}), width=width, growth=GROWTH) + text(TIME, width=width)
    assert max(map(len, shown.splitlines())) <= width


def test_without_kernels_and_lines_there_is_no_empty_table():
    bare = replace(TIME, kernels=(), by_line=(), passes=(), functions=(), primitives=())
    for verbose in (False, True):
        shown = text(bare, verbose=verbose)
        assert not re.search("^(by |trace, )", shown, re.MULTILINE)


def test_json_and_back_is_the_same_report():
    made = report(TIME, replace(TIME, dims={"N": 16}), growth=GROWTH)
    assert from_json(to_json(made)) == made
    assert '"pass": "fusion"' in to_json(made)
