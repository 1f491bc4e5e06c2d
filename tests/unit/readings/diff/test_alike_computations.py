"""What a module amounts to is the same, whether its computations that are alike are told apart or not."""

from collections import Counter

import pytest

from jitinspect.readings.cost_model.instruction_costs import program_cost, program_work
from jitinspect.readings.diff.alike_computations import merged, opcodes
from jitinspect.readings.diff.block_rows import Comparison
from jitinspect.readings.diff.stage_texts import parsed

HEAD = "HloModule jit_f, is_scheduled=true\n\n"
FUSIONS = f"""{HEAD}%inner.1 (a: f32[8]) -> f32[8] {{
  %a = f32[8] parameter(0)
  ROOT %s.1 = f32[8] sine(%a)
}}

%inner.2 (b: f32[8]) -> f32[8] {{
  %b = f32[8] parameter(0)
  ROOT %s.2 = f32[8] sine(%b)
}}

%outer.1 (c: f32[8]) -> f32[8] {{
  %c = f32[8] parameter(0)
  ROOT %f.1 = f32[8] fusion(%c), kind=kLoop, calls=%inner.2
}}

%outer.2 (d: f32[8]) -> f32[8] {{
  %d = f32[8] parameter(0)
  ROOT %f.2 = f32[8] fusion(%d), kind=kLoop, calls=%inner.1
}}

%called (e: f32[8]) -> f32[8] {{
  %e = f32[8] parameter(0)
  ROOT %s.3 = f32[8] sine(%e)
}}

ENTRY %main (x: f32[8]) -> f32[8] {{
  %x = f32[8] parameter(0)
  %one = f32[8] fusion(%x), kind=kLoop, calls=%outer.1
  %two = f32[8] fusion(%one), kind=kLoop, calls=%outer.2
  ROOT %three = f32[8] call(%two), to_apply=%called
}}
"""
BODY = """%body.{0} (p.{0}: (s32[], f32[8])) -> (s32[], f32[8]) {{
  %p.{0} = (s32[], f32[8]) parameter(0)
  %i.{0} = s32[] get-tuple-element(%p.{0}), index=0
  %one.{0} = s32[] constant(1)
  %next.{0} = s32[] add(%i.{0}, %one.{0})
  %v.{0} = f32[8] get-tuple-element(%p.{0}), index=1
  %w.{0} = f32[8] add(%v.{0}, %v.{0})
  ROOT %t.{0} = (s32[], f32[8]) tuple(%next.{0}, %w.{0})
}}

%condition.{0} (q.{0}: (s32[], f32[8])) -> pred[] {{
  %q.{0} = (s32[], f32[8]) parameter(0)
  %j.{0} = s32[] get-tuple-element(%q.{0}), index=0
  %limit.{0} = s32[] constant(7)
  ROOT %less.{0} = pred[] compare(%j.{0}, %limit.{0}), direction=LT
}}

"""
LOOPS = (
    HEAD
    + BODY.format(1)
    + BODY.format(2)
    + """ENTRY %main (x: f32[8]) -> (s32[], f32[8]) {
  %x = f32[8] parameter(0)
  %zero = s32[] constant(0)
  %four = s32[] constant(4)
  %state.1 = (s32[], f32[8]) tuple(%zero, %x)
  %loop.1 = (s32[], f32[8]) while(%state.1), condition=%condition.1, body=%body.1
  %y = f32[8] get-tuple-element(%loop.1), index=1
  %state.2 = (s32[], f32[8]) tuple(%four, %y)
  ROOT %loop.2 = (s32[], f32[8]) while(%state.2), condition=%condition.2, body=%body.2
}
"""
)
BRANCH = """%branch.{0} (z.{0}: f32[8]) -> f32[8] {{
  %z.{0} = f32[8] parameter(0)
  ROOT %m.{0} = f32[8] multiply(%z.{0}, %z.{0})
}}

"""
BRANCHES = (
    HEAD
    + BRANCH.format(1)
    + BRANCH.format(2)
    + """ENTRY %main (x: f32[8], c: pred[]) -> f32[8] {
  %x = f32[8] parameter(0)
  %c = pred[] parameter(1)
  ROOT %r = f32[8] conditional(%c, %x, %x), true_computation=%branch.1, false_computation=%branch.2
}
"""
)


def side(text):
    program = parsed("hlo", text)
    return program, Comparison(program, program).before


@pytest.mark.parametrize("text", [FUSIONS, LOOPS, BRANCHES], ids=["fusions", "loops", "branches"])
def test_a_merged_module_costs_as_much_as_the_whole_one(text):
    program, read = side(text)
    whole, work = program_cost(program), program_work(merged(read))
    assert whole.flops + whole.transcendentals and whole.bytes
    assert (work.flops, work.transcendentals, work.bytes) == (whole.flops, whole.transcendentals, whole.bytes)


def test_the_work_of_a_program_is_that_of_its_instructions():
    work, whole = program_work(parsed("hlo", LOOPS)), program_cost(parsed("hlo", LOOPS))
    assert (work.flops, work.bytes) == (whole.flops, whole.bytes) and work.flops == 7 * 9 + 8 + 3 * 9 + 4


@pytest.mark.parametrize("text", [FUSIONS, LOOPS, BRANCHES], ids=["fusions", "loops", "branches"])
def test_opcodes_are_counted_in_all_computations(text):
    program, read = side(text)
    assert opcodes(read) == Counter(one.opcode for one in program.operations())


def test_fused_computations_that_are_alike_are_one_and_others_stay():
    names = {name: block.name for name, block in merged(side(FUSIONS)[1]).named().items()}
    assert names == {
        "inner.1": "inner.1", "inner.2": "inner.1", "outer.1": "outer.1", "outer.2": "outer.1",
        "called": "called", "main": "main",
    }  # fmt: skip
    assert len(merged(side(LOOPS)[1]).blocks) == 5
    assert len(merged(side(BRANCHES)[1]).blocks) == 3
