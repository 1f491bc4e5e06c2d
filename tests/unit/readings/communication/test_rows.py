"""A collective as a row, from texts that say little."""

import pytest

from jitinspect.errors import UnavailableError
from jitinspect.ir import hlo
from jitinspect.ir.source_files import SourceFiles
from jitinspect.model.communication import MeshShape
from jitinspect.readings.communication.rows import Communication
from jitinspect.readings.diff.collectives_changed import rows_of_program
from tests.unit.readings.communication.module_text import made, module_text

MESH = MeshShape(("data", "model"), (4, 2))
SUM = "%sum = f32[16,8] all-reduce(%x), channel_id=1, replica_groups="
ALL = "[1,8]<=[8]"


def communication(text, meshes=(MESH,)):
    return Communication(text, None, meshes, {}, lambda: (), lambda: (), {}, SourceFiles())


def only(*rows, head=", num_partitions=8", meshes=(MESH,)):
    (row,) = communication(module_text(*rows, head=head), meshes).rows()
    return row


def test_without_metadata_it_is_the_partitioners_and_of_no_line():
    row = only(SUM + ALL)
    assert (row.asked_by, row.primitive, row.lines, row.file, row.line) == ("partitioner", "", (), None, None)
    assert (row.value, row.axes, row.group, row.wire_bytes) == ("x", ("data", "model"), 8, 896)
    assert communication(module_text(SUM + ALL)).asking() == {}


@pytest.mark.parametrize(
    ("head", "groups", "group"),
    [
        (", replica_count=8", "{{0,1,2,3,4,5,6,7}}", 8),
        (", replica_count=8", "{}", 8),
        (", replica_count=2, num_partitions=4", "{}", 8),
        ("", "{}", 1),
        ("", "{{0}}", 1),
    ],
)
def test_replicas_are_devices_and_a_module_that_says_nothing_of_them_has_one(head, groups, group):
    row = only(SUM + groups, head=head)
    assert (row.group, row.wire_bytes) == (group, 2 * 512 * (group - 1) // group)


def test_without_a_mesh_there_are_groups_and_no_axes():
    row = only(SUM + "[2,4]<=[8]", meshes=())
    assert (row.axes, row.groups, row.group, row.before, row.after) == ((), 2, 4, None, None)


@pytest.mark.parametrize("read", [only, lambda text: rows_of_program(hlo.parse(module_text(text)))])
def test_groups_that_cannot_be_read_are_not_counted_as_none(read):
    with pytest.raises(UnavailableError, match=r"^sum: .* not known: replica_groups=V9\(0 1\)$"):
        read(SUM + "V9(0 1), to_apply=%add")


def test_what_is_empty_moves_nothing():
    gather = "%none = f32[0,8] all-gather(%x), channel_id=1, replica_groups=[1,8]<=[8], dimensions={0}"
    assert (only(gather).bytes_in, only(gather).wire_bytes) == (0, 0)
    permute = "%still = f32[16,8] collective-permute(%x), channel_id=1, source_target_pairs={}"
    assert (only(permute).axes, only(permute).wire_bytes) == ((), 0)


def test_the_parts_of_several_lines_are_all_of_it():
    text = module_text(
        "%a = f32[4] reduce(%x)" + made(3, "reduce_sum"),
        "%b = f32[3] reduce(%x)" + made(4, "reduce_max"),
        "%both = (f32[4], f32[3]) all-reduce(%a, %b), channel_id=1, replica_groups=[1,8]<=[8]",
    )
    (row,) = communication(text).rows()
    assert row.wire_bytes == sum(row.line_bytes) == 49 and row.line_bytes == (28, 21)
    assert [(line.line, part) for line, part in communication(text).asking()["both"]] == [
        (3, 28 / 49),
        (4, 21 / 49),
    ]


LOOPS = """HloModule jit_f, num_partitions=8

%more (s.1: f32[16,8]) -> pred[] {
  %s.1 = f32[16,8] parameter(0)
  ROOT %go = pred[] custom-call(%s.1)
}

%inner (s.2: f32[16,8]) -> f32[16,8] {
  %s.2 = f32[16,8] parameter(0)
  ROOT %sum = f32[16,8] all-reduce(%s.2), channel_id=1, replica_groups=[1,8]<=[8]
}

%outer (s.3: f32[16,8]) -> f32[16,8] {
  %s.3 = f32[16,8] parameter(0)
  ROOT %while.1 = f32[16,8] while(%s.3), condition=%more, body=%inner
}

ENTRY %main (x: f32[16,8]) -> f32[16,8] {
  %x = f32[16,8] parameter(0), metadata={op_name="x"}
  ROOT %while.2 = f32[16,8] while(%x), condition=%more, body=%outer, backend_config={"known_trip_count":{"n":"7"}}
}
"""  # noqa: E501 (as XLA prints it)


def test_of_a_loop_that_data_end_one_iteration_counts_in_each_of_the_loop_around():
    (row,) = communication(LOOPS).rows()
    assert (row.runs, row.counted_runs, row.moved_bytes) == (None, 7, 7 * 896)
