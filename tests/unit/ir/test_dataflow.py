"""Where a value comes from and goes to, across fusions, loops and tuples, in a part of a module."""

from jitinspect.ir.collectives import collectives, part
from jitinspect.ir.dataflow import Dataflow, Place

TEXT = """HloModule jit_f, is_scheduled=true, entry_computation_layout={()->()}, num_partitions=4

%copied (p: f32[4,8]) -> f32[4,8] {
  %p = f32[4,8]{1,0} parameter(0)
  ROOT %copy = f32[4,8]{0,1} copy(%p)
}

%multiplied (q: f32[16,8], r: f32[16,8]) -> f32[16,8] {
  %q = f32[16,8]{1,0} parameter(0)
  %r = f32[16,8]{1,0} parameter(1)
  ROOT %multiply = f32[16,8]{1,0} multiply(%q, %r)
}

%body (state: (s32[], f32[4,8])) -> (s32[], f32[4,8]) {
  %state = (s32[], f32[4,8]{1,0}) parameter(0)
  %n = s32[] get-tuple-element(%state), index=0
  %x = f32[4,8]{1,0} get-tuple-element(%state), index=1
  %in-loop = f32[16,8]{1,0} all-gather(%x), channel_id=2, replica_groups=[1,4]<=[4], dimensions={0}
  %slice = f32[4,8]{1,0} slice(%in-loop), slice={[0:4], [0:8]}
  ROOT %next = (s32[], f32[4,8]{1,0}) tuple(%n, %slice)
}

%condition (state.1: (s32[], f32[4,8])) -> pred[] {
  %state.1 = (s32[], f32[4,8]{1,0}) parameter(0)
  ROOT %go = pred[] constant(false)
}

ENTRY %main (x: f32[4,8], y: f32[16,8]) -> f32[16,8] {
  %x.1 = f32[4,8]{1,0} parameter(0), metadata={op_name="x"}
  %y.1 = f32[16,8]{1,0} parameter(1), metadata={op_name="y"}
  %zero = s32[] constant(0)
  %first = (s32[], f32[4,8]{1,0}) tuple(%zero, %x.1)
  %loop = (s32[], f32[4,8]{1,0}) while(%first), condition=%condition, body=%body, backend_config={"known_trip_count":{"n":"3"}}
  %turned = f32[4,8]{0,1} fusion(%x.1), kind=kLoop, calls=%copied
  %gathered = f32[16,8]{0,1} all-gather(%turned), channel_id=1, replica_groups=[1,4]<=[4], dimensions={0}
  %plain = f32[16,8]{1,0} copy(%gathered)
  ROOT %product = f32[16,8]{1,0} fusion(%plain, %y.1), kind=kLoop, calls=%multiplied
}
"""  # noqa: E501 (as XLA prints it)


def flow_of(name):
    program = part(TEXT)
    one = next(one for one in collectives(program) if one.operation.names[0] == name)
    return Dataflow(program), Place(one.block, one.operation)


def names(places):
    return [place.operation.names[0] for place in places]


def test_backwards_through_a_fusion_to_an_argument():
    flow, place = flow_of("gathered")
    assert names(flow.sources(place, 0)) == ["turned", "copy", "p", "x.1"]


def test_backwards_out_of_a_loop():
    flow, place = flow_of("in-loop")
    assert names(flow.sources(place, 0)) == ["x", "state", "first", "x.1"]


def test_forwards_into_what_a_fusion_does_with_it():
    flow, place = flow_of("gathered")
    assert names(flow.uses(place)) == ["plain", "product", "multiply"]


def test_what_uses_it_ends_the_way():
    flow, place = flow_of("in-loop")
    assert names(flow.uses(place)) == ["slice"]


def test_forwards_into_what_has_tuples_in_a_tuple():
    nested = "  %both = (s32[], (f32[4,8]{1,0}, s32[]), f32[16,8]{0,1}) tuple(%zero, %pair, %gathered)"
    text = TEXT.replace("  %plain = ", f"{nested}\n  %plain = ")
    program = part(text)
    one = next(one for one in collectives(program) if one.operation.names[0] == "gathered")
    assert names(Dataflow(program).uses(Place(one.block, one.operation)))[0] == "both"


def test_an_operand_that_is_not_there():
    flow, place = flow_of("gathered")
    assert names(flow.sources(place, 5)) == []


def test_the_schedule_between_two_instructions():
    flow, place = flow_of("gathered")
    first, last = flow.made(place.block, "zero"), flow.made(place.block, "gathered")
    assert [one.names[0] for one in flow.between(place.block, first, last)] == ["first", "loop", "turned"]
