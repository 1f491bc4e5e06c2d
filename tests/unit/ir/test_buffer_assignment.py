"""The two texts of a dump, as libtpu and the CUDA plugin of two JAX versions wrote them."""

import re

import pytest

from jitinspect.ir.buffer_assignment import DEVICE_MEMORY, Allocation, Live, Value, parse
from tests.support import dumps

ASSIGNMENT = """BufferAssignment:
allocation 0: size 512, thread-local:
 value: <2 reduce_sum.5 @0> (size=512,offset=0): f32[]{:T(128)}
allocation 1: size 3211264, parameter 0, shape |f32[784,1000]| at ShapeIndex {}, maybe-live-out:
 value: <62 p__w1__.1 @0> (size=3211264,offset=0): f32[784,1000]{1,0:T(8,128)}
 value: <79 copy-start.2{0} @0> (size=3211264,offset=0): f32[784,1000]{1,0:T(8,128)}
allocation 2: size 16, page 0, parameter 3, shape |(f32[2], s32[])| at ShapeIndex {0,1}:
 value: <4 t{0,1} @0> (size=16,offset=0): f32[2]{0}
allocation 3: size 512, output shape is |(f32[], f32[784,1000])|, maybe-live-out:
 value: <85 tuple{} @0> (size=512,offset=0): (f32[]{:T(128)}, f32[784,1000]{1,0:T(8,128)})
allocation 4: size 512, page 0, constant:
 value: <75 constant.4 @0> (size=512,offset=0): f32[]{:T(128)}
allocation 5: size 12, color 2, page 0, preallocated-temp:
 value: <57 while.5{1} (phi) @2> (size=4,offset=8): u32[]{:S(2)}
allocation 6: size 0, color 1, preallocated-temp:
"""
LIVE = """HloLiveRange (max 4):
  InstructionSequence:
    0:p__w1__.1
    1:while.5
    2:copy-start.2
    3:tuple
  BufferLiveRange:
    p__w1__.1{}:0-4
    while.5{1}:1-2
    copy-start.2{0}:2-4
  Live ranges at 2 (peak):
    p__w1__.1{}: 3211264 bytes (cumulative: 3211264 bytes)
  Stack trace breakdown for peak usage: 3 211 264 bytes
    main.2 (100.0%, total: 3 211 264 bytes, current: 0 bytes, remaining: 3 211 264 bytes)
"""


def test_kinds_spaces_and_parameters():
    found = parse(ASSIGNMENT, LIVE)
    facts = [
        (one.kind, one.space, one.parameter, one.shape_index, one.is_output) for one in found.allocations
    ]
    assert facts == [
        ("thread-local", 0, None, (), False),
        ("argument", 0, 0, (), True),
        ("argument", 0, 3, (0, 1), False),
        ("output", 0, None, (), True),
        ("constant", 0, None, (), False),
        ("temp", 2, None, (), False),
        ("temp", 1, None, (), False),
    ]
    assert [one.bytes for one in found.in_space(DEVICE_MEMORY)] == [512, 3211264, 16, 512, 512]


def test_values_with_their_live_ranges():
    found = parse(ASSIGNMENT, LIVE)
    assert found.schedule == ("p__w1__.1", "while.5", "copy-start.2", "tuple")
    assert found.allocations[1].values == (
        Value("p__w1__.1", (), 3211264, 0, "f32[784,1000]{1,0:T(8,128)}", Live(0, 4)),
        Value("copy-start.2", (0,), 3211264, 0, "f32[784,1000]{1,0:T(8,128)}", Live(2, 4)),
    )
    assert found.allocations[5].values == (Value("while.5", (1,), 4, 8, "u32[]{:S(2)}", Live(1, 2)),)
    assert found.allocations[2].values[0].live is None, "the text does not tell"


def test_without_live_ranges_there_is_no_schedule():
    found = parse(ASSIGNMENT)
    assert found.schedule == () and all(value.live is None for value in found.allocations[1].values)


@pytest.mark.parametrize("text", ["", "BufferAssignment:\n", "HloModule jit_f\n", LIVE])
def test_what_is_no_assignment_is_refused(text):
    with pytest.raises(ValueError, match="not a buffer assignment"):
        parse(text)


@pytest.mark.parametrize("name", dumps.names())
def test_nothing_of_a_recorded_dump_is_lost(name):
    texts = dumps.recorded(name).texts
    found = parse(texts.buffer_assignment, texts.live_ranges)
    assert len(found.allocations) == len(re.findall("^allocation", texts.buffer_assignment, re.MULTILINE))
    values = [value for one in found.allocations for value in one.values]
    assert len(values) == texts.buffer_assignment.count("\n value: ")
    longest = int(re.search(r"\(max (\d+)\)", texts.live_ranges)[1])
    assert len(found.schedule) == longest
    assert all(_has_room(one) for one in found.allocations)
    assert all(value.live for one in found.allocations if one.kind != "thread-local" for value in one.values)


def _has_room(one: Allocation) -> bool:
    return all(value.offset + value.bytes <= one.bytes for value in one.values)


@pytest.mark.parametrize("version", dumps.VERSIONS)
def test_a_donated_argument_is_an_output_too(version):
    texts = dumps.recorded(f"step-v5e-{version}").texts
    donated = [one for one in parse(texts.buffer_assignment).allocations if one.parameter is not None]
    assert {one.parameter: one.is_output for one in donated} == {0: True, 1: True, 2: False, 3: False}
