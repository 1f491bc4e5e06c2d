"""Which module LLVM compiled when, told by the times of files."""

import random

import pytest

from jitinspect.ir.trace import WrittenKernel
from jitinspect.readings.timings.kernel_times import Slot, compiled_modules

USUAL = 0.0003
"""Seconds from the file to the end."""


def kernel(name, written, begun=None):
    return WrittenKernel(name, written if begun is None else begun, written)


def matched(kernels, *threads):
    return {one.kernel.module: one.slot for one in compiled_modules(kernels, threads)}


def drawn(seed, threads=4, each=20, tick=0.0):
    """Compilations of random lengths, and their files, with the true slot of each."""
    draw = random.Random(seed)
    slots, truth = [], {}
    for thread in range(threads):
        at, own = draw.uniform(0, 0.01), []
        for number in range(each):
            own.append(Slot(at, at := at + draw.uniform(0.01, 0.2)))
            written = own[-1].end - USUAL * draw.uniform(0.9, 1.1)
            truth[kernel(f"{thread}.{number}", written - tick * draw.random())] = own[-1]
            at += 0.00001
        slots.append(own)
    return slots, truth


@pytest.mark.parametrize("seed", range(20))
def test_a_module_is_found_in_its_slot_or_its_rivals_are_told(seed):
    slots, truth = drawn(seed)
    found = compiled_modules([*truth], slots)
    assert len(found) == len(truth)
    wrong = [one for one in found if one.slot != truth[one.kernel]]
    assert all(one.rivals for one in wrong)
    assert sum(bool(one.rivals) for one in found) <= len(found) / 5


@pytest.mark.parametrize("seed", range(20))
def test_on_a_file_system_with_coarse_times_too(seed):
    slots, truth = drawn(seed, tick=0.004)
    found = compiled_modules([*truth], slots)
    assert len(found) == len(truth)
    assert all(one.rivals for one in found if one.slot != truth[one.kernel])


def test_the_first_file_tells_what_the_last_does_not():
    """Both were interrupted at the end, and ended in the other order."""
    long, short = Slot(0, 0.5), Slot(0.4, 0.51)
    kernels = [kernel("long", 0.48, begun=0.001), kernel("short", 0.47, begun=0.401)]
    found = compiled_modules(kernels, [[long], [short]])
    assert {one.kernel.module: one.slot for one in found} == {"long": long, "short": short}
    assert not any(one.rivals for one in found)
    without = compiled_modules([one._replace(begun=one.written) for one in kernels], [[long], [short]])
    assert {one.kernel.module: one.rivals for one in without} == {"long": ("short",), "short": ("long",)}


def test_one_that_was_interrupted_does_not_take_the_slot_of_another():
    usual = [(kernel(f"{n}", n + 1 - USUAL), Slot(n, n + 1)) for n in range(3)]
    late, other = Slot(3, 4.02), Slot(3.5, 4.01)
    kernels = [*(one for one, _ in usual), kernel("late", 4), kernel("other", 4.01 - USUAL)]
    found = matched(kernels, [*(slot for _, slot in usual), late], [other])
    assert (found["late"], found["other"]) == (late, other)


def test_what_only_asks_for_a_compilation_is_none():
    assert matched([kernel("a", 1)], [Slot(0, 1.01)], [Slot(0.9999, 1.0002)]) == {"a": Slot(0, 1.01)}


def test_a_module_without_a_slot_is_left_out():
    assert matched([kernel("a", 1), kernel("b", 3)], [Slot(0, 1.01)]) == {"a": Slot(0, 1.01)}
    assert matched([], [Slot(0, 1)]) == {} == matched([kernel("a", 1)])
