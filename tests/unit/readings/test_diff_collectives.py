"""Which collectives come and go between two programs: as a multiset, and from the texts alone."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir import hlo
from jitinspect.model.communication import Collective
from jitinspect.model.differences import ChangedCollective, Quantity
from jitinspect.readings.diff.collectives_changed import (
    come_and_gone,
    moved,
    rows_of_program,
    rows_of_report,
)
from jitinspect.readings.diff.stage_texts import difference

REDUCE = ChangedCollective("all-reduce", ("data",), 4, 4096, 4096, 6144, 1, ("net.py:5",))
GATHER = ChangedCollective("all-gather", ("model",), 2, 1024, 2048, 1024, 7, ("net.py:6",))
TEXT = """HloModule jit_f, is_scheduled=true, num_partitions=8

%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %sum = f32[] add(%a, %b)
}

%body (c: (s32[], f32[8,16])) -> (s32[], f32[8,16]) {
  %c = (s32[], f32[8,16]) parameter(0)
  %i = s32[] get-tuple-element(%c), index=0
  %x = f32[8,16] get-tuple-element(%c), index=1
  %sum.1 = f32[8,16] all-reduce(%x), channel_id=1, replica_groups={{0,1,2,3},{4,5,6,7}}, to_apply=%add
  ROOT %next = (s32[], f32[8,16]) tuple(%i, %sum.1)
}

%condition (d: (s32[], f32[8,16])) -> pred[] {
  %d = (s32[], f32[8,16]) parameter(0)
  ROOT %more = pred[] constant(true)
}

ENTRY %main (p: (s32[], f32[8,16])) -> (s32[], f32[8,16]) {
  %p = (s32[], f32[8,16]) parameter(0)
  ROOT %loop = (s32[], f32[8,16]) while(%p), condition=%condition, body=%body, TRIPS
}
""".replace("TRIPS", 'backend_config={"known_trip_count":{"n":"5"}}')


def test_what_both_sides_have_has_neither_come_nor_gone():
    assert come_and_gone([REDUCE, GATHER], [GATHER, REDUCE]) == ()


def test_the_line_alone_is_no_difference_but_equal_lines_are_paired_first():
    elsewhere = replace(REDUCE, lines=("net.py:9",))
    assert come_and_gone([REDUCE], [elsewhere]) == ()
    [left] = come_and_gone([elsewhere, REDUCE], [REDUCE])
    assert (left.lines, left.side) == (("net.py:9",), "before")


def test_other_axes_sizes_and_runs_are():
    for other in (
        replace(REDUCE, axes=("model",)),
        replace(REDUCE, wire_bytes=7),
        replace(REDUCE, runs=2),
        replace(REDUCE, kind="reduce-scatter"),
    ):
        assert [(one.side, one.count) for one in come_and_gone([REDUCE], [other])] == [
            ("before", 1),
            ("after", 1),
        ]


def test_alike_ones_are_counted_and_the_line_that_moves_most_comes_first():
    found = come_and_gone([REDUCE], [GATHER] * 3)
    assert [(one.kind, one.count, one.side) for one in found] == [
        ("all-gather", 3, "after"),
        ("all-reduce", 1, "before"),
    ]


rows = st.lists(
    st.builds(
        ChangedCollective,
        st.sampled_from(["all-reduce", "all-gather"]),
        st.sampled_from([(), ("data",)]),
        st.just(4),
        st.integers(0, 2),
        st.just(8),
        st.just(6),
        st.integers(1, 2),
        st.sampled_from([(), ("a.py:1",), ("a.py:2",)]),
    ),
    max_size=8,
)


@given(rows, rows)
def test_what_came_less_what_has_gone_is_the_difference_whatever_the_lines(before, after):
    found = come_and_gone(before, after)
    came, gone = ([one for one in found if one.side == side] for side in ("after", "before"))
    assert moved(came) - moved(gone) == moved(after) - moved(before)
    counts = [Counter(replace(one, lines=()) for one in side) for side in (before, after)]
    changed = Counter()
    for one in came:
        changed[replace(one, lines=(), count=1, side="before")] += one.count
    assert changed == counts[1] - counts[0]
    assert come_and_gone(after, before) == () or found


def test_a_text_tells_all_but_axes_and_lines():
    [one] = rows_of_program(hlo.parse(TEXT))
    assert one == ChangedCollective("all-reduce", (), 4, 512, 512, 768, 5)


def test_a_report_tells_them_too():
    known = ("all-reduce", "sum.1", "net.py", 5, ("data",), 4, 512, 512, 768)
    row = Collective(*known, runs=None, asked_by="user", counted_runs=5, lines=("net.py:5",))
    assert rows_of_report([row]) == [
        ChangedCollective("all-reduce", ("data",), 4, 512, 512, 768, 5, ("net.py:5",))
    ]


def test_the_summary_of_two_texts_has_them():
    without = TEXT.replace("all-reduce(%x), channel_id=1,", "negate(%x),")
    found = difference("hlo", TEXT, without).summary
    assert found.collectives == Quantity(1, 0) and found.wire_bytes == Quantity(5 * 768, 0)
    assert [(one.kind, one.side) for one in found.collectives_changed] == [("all-reduce", "before")]
    assert difference("hlo", without, without).summary.collectives is None


def test_in_equal_programs_none_come_or_go_whatever_their_axes_are_called():
    other = replace(REDUCE, axes=("batch",))
    assert difference("hlo", TEXT, TEXT, collectives=([REDUCE], [other])).summary.collectives_changed == ()


def test_what_is_known_beside_the_texts_is_taken_instead():
    found = difference("hlo", TEXT, TEXT.replace("f32[8,16]", "f32[8,32]"), collectives=([REDUCE], [GATHER]))
    assert found.summary.wire_bytes == Quantity(6144, 7 * 1024)
    assert {one.lines for one in found.summary.collectives_changed} == {("net.py:5",), ("net.py:6",)}
