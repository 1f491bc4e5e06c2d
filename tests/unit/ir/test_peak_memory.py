"""Sums and the fullest moment, beside what `memory_analysis()` said after the full compile."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir.buffer_assignment import Allocation, BufferAssignment, Live, Value, parse
from jitinspect.ir.peak_memory import held, peak, sums
from tests.support import dumps

ALL = dumps.names()
COMPILED = [name for name in ALL if dumps.recorded(name).memory]
REFUSED = [name for name in ALL if "temporaries" in (dumps.recorded(name).refused or "")]


def assignment_of(name):
    texts = dumps.recorded(name).texts
    return parse(texts.buffer_assignment, texts.live_ranges)


@pytest.mark.parametrize("name", COMPILED)
def test_arguments_outputs_and_aliases_are_those_of_memory_analysis(name):
    memory, found = dumps.recorded(name).memory, sums(assignment_of(name))
    for kind in ("argument", "output", "alias"):
        assert found[kind] == memory[f"{kind}_size_in_bytes"]


@pytest.mark.parametrize("name", [name for name in COMPILED if "h100" in name])
def test_temporaries_are_those_of_memory_analysis_on_cuda(name):
    assert sums(assignment_of(name))["temp"] == dumps.recorded(name).memory["temp_size_in_bytes"]


@pytest.mark.parametrize("name", [name for name in COMPILED if "scalars" not in name])
def test_the_peak_is_that_of_memory_analysis(name):
    expected = dumps.recorded(name).memory["peak_memory_in_bytes"]
    assert peak(assignment_of(name)).bytes == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", REFUSED)
def test_the_total_is_what_the_compiler_refuses_the_program_for(name):
    needed = re.search(r"temporaries \(([\d.]+)G\)", dumps.recorded(name).refused)[1]
    assert f"{sums(assignment_of(name))['total'] / 2**30:.2f}" == needed


def test_both_versions_refused_one_early_and_one_late():
    assert len(REFUSED) == len(dumps.VERSIONS)
    late = [name for name in ALL if dumps.recorded(name).refused and name not in REFUSED]
    assert len(late) == len(dumps.VERSIONS)


@pytest.mark.parametrize("name", ALL)
def test_what_is_held_at_the_peak_adds_up_to_it(name):
    assignment = assignment_of(name)
    found = peak(assignment)
    rows = list(held(assignment, found.step))
    assert sum(row.bytes for row in rows) == found.bytes <= sums(assignment)["total"]
    assert all(row.allocation.kind != "temp" or row.is_alive for row in rows)


def temp(values, size=100, space=0):
    return Allocation(9, size, "temp", space, tuple(values))


def made(allocations, steps=10):
    return BufferAssignment(tuple(allocations), tuple(f"i{n}" for n in range(steps)))


def test_a_loop_s_state_counts_once():
    """The value that enters a loop, those of its body, and its result lie in the same place."""
    state = [Value("init", (), 40, 0, "f32[10]", Live(0, 3)), Value("body", (), 40, 0, "f32[10]", Live(3, 6))]
    other = Value("x", (), 60, 40, "f32[15]", Live(3, 3))
    assert peak(made([temp([*state, other])])).bytes == 100
    assert peak(made([temp([*state, other])])).step == 3


def test_vmem_is_apart():
    hbm, vmem = Value("a", (), 8, 0, "f32[2]", Live(1, 2)), Value("b", (), 80, 0, "f32[20]", Live(5, 6))
    assignment = made([temp([hbm], 8), temp([vmem], 80, space=1)])
    assert (peak(assignment).bytes, peak(assignment).step) == (8, 1)
    assert (peak(assignment, space=1).bytes, peak(assignment, space=1).step) == (80, 5)
    assert sums(assignment)["total"] == 8 and sums(assignment, space=1)["total"] == 80


def test_an_output_is_held_before_it_is_written():
    output = Allocation(0, 64, "output", 0, (Value("y", (), 64, 0, "f32[16]", Live(8, 9)),), is_output=True)
    busy = temp([Value("t", (), 10, 0, "u8[10]", Live(2, 3))])
    (row, _) = held(made([output, busy]), peak(made([output, busy])).step)
    assert (row.bytes, row.is_alive) == (64, False)


def test_without_temporaries_the_moment_is_that_of_most_values():
    argument = Allocation(0, 8, "argument", 0, (Value("x", (), 8, 0, "f32[2]", Live(0, 4)),), parameter=0)
    output = Allocation(1, 8, "output", 0, (Value("y", (), 8, 0, "f32[2]", Live(3, 9)),), is_output=True)
    found = peak(made([argument, output]))
    assert (found.step, found.bytes) == (3, 16)


def test_without_live_ranges_only_what_stays_is_known():
    argument = Allocation(0, 8, "argument", 0, (Value("x", (), 8, 0, "f32[2]"),), parameter=0)
    assert peak(BufferAssignment((argument,), ())).bytes == 8


lives = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda ends: Live(min(ends), max(ends)))


@given(st.lists(st.tuples(lives, st.integers(1, 50)), min_size=1, max_size=12))
def test_the_peak_is_the_most_over_all_steps(drawn):
    """Side by side, so that places differ."""
    offsets = itertools.accumulate((size for _, size in drawn), initial=0)
    values = [
        Value(f"v{at}", (), size, offset, "u8", live)
        for at, ((live, size), offset) in enumerate(zip(drawn, offsets, strict=False))
    ]
    assignment = made([temp(values, 1000)])
    by_hand = [sum(size for (first, last), size in drawn if first <= at <= last) for at in range(10)]
    found = peak(assignment)
    assert found.bytes == max(by_hand) and found.step == by_hand.index(max(by_hand))
    assert sum(row.bytes for row in held(assignment, found.step)) == found.bytes
