"""Who asked for a collective, by its metadata."""

import pytest

from jitinspect.readings.communication.asked import asked

GENERATED = 'frontend_attributes={is_spmd_generated="true"}, '


@pytest.mark.parametrize(
    ("name", "by", "primitive"),
    [
        ("jit(f)/shard_map/psum_invariant", "user", "psum_invariant"),
        ("jit(f)/while/body/shard_map/ppermute", "user", "ppermute"),
        ("jit(f)/transpose(jvp())/reduce_scatter", "user", "reduce_scatter"),
        ("jit(f)/jvp()/dot_general", "partitioner", "dot_general"),
        ("jit(f)/(jvp()/reduce_sum:transpose(jvp())/dot_general)", "partitioner", "reduce_sum"),
        ("params[\\'psum\\']", "partitioner", ""),
        ("(w[0]:w[1])", "partitioner", ""),
    ],
)
def test_by_the_last_part_of_its_name(name, by, primitive):
    line = f'  %one = f32[8] all-reduce(%p), metadata={{op_name="{name}" stack_frame_id=1}}'
    assert asked(line) == (by, primitive)


def test_what_the_partitioner_marks_is_its_own():
    line = f'  %one = f32[8] all-reduce(%p), {GENERATED}metadata={{op_name="jit(f)/shard_map/psum"}}'
    assert asked(line).by == "partitioner"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("psum.3", ("user", "psum")),
        ("all_gather", ("user", "all_gather")),
        ("all-reduce.1", ("partitioner", "custom_partitioning")),
    ],
)
def test_in_a_custom_partition_the_instruction_is_named_after_its_primitive(name, expected):
    line = f'  ROOT %{name} = f32[8] all-reduce(%p), metadata={{op_name="jit(f)/custom_partitioning"}}'
    assert asked(line) == expected


def test_without_metadata():
    assert asked("  %one = f32[8] all-reduce(%p), channel_id=1") == ("partitioner", "")
