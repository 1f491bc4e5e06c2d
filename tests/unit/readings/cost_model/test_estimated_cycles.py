"""The compiler's own estimates, in texts as libtpu writes them."""

from jitinspect.ir import hlo
from jitinspect.readings.cost_model.estimated_cycles import estimates
from jitinspect.readings.cost_model.instruction_costs import program_cost

TEXT = """
HloModule jit_f, is_scheduled=true

%inner (p: f32[8,8]) -> f32[8,8] {
  %p = f32[8,8]{1,0} parameter(0)
  ROOT %t = f32[8,8]{1,0} tanh(%p)
}

%body (s: (s32[], f32[8,8])) -> (s32[], f32[8,8]) {
  %s = (s32[], f32[8,8]{1,0}) parameter(0)
  %i = s32[] get-tuple-element(%s), index=0
  %one = s32[] constant(1)
  %next = s32[] add(%i, %one)
  %x = f32[8,8]{1,0} get-tuple-element(%s), index=1
  %again = f32[8,8]{1,0} fusion(%x), kind=kLoop, calls=%inner, backend_config={"estimated_cycles":"7"}
  ROOT %r = (s32[], f32[8,8]{1,0}) tuple(%next, %again)
}

%condition (c: (s32[], f32[8,8])) -> pred[] {
  %c = (s32[], f32[8,8]{1,0}) parameter(0)
  %j = s32[] get-tuple-element(%c), index=0
  %end = s32[] constant(5)
  ROOT %less = pred[] compare(%j, %end), direction=LT
}

ENTRY %main (a: f32[8,8]) -> f32[8,8] {
  %a = f32[8,8]{1,0} parameter(0)
  %once = f32[8,8]{1,0} fusion(%a), kind=kLoop, calls=%inner, backend_config={"estimated_cycles":"100","x":1}
  %copy = f32[8,8]{1,0} copy(%once)
  %zero = s32[] constant(0)
  %start = (s32[], f32[8,8]{1,0}) tuple(%zero, %copy)
  %while = (s32[], f32[8,8]{1,0}) while(%start), condition=%condition, body=%body
  ROOT %out = f32[8,8]{1,0} get-tuple-element(%while), index=1
}
"""


def cycles(text):
    found = estimates(program_cost(hlo.parse(text)).instructions)
    return {one.cost.operation.names[0]: one.cycles for one in found}


def test_each_run_counts_and_what_has_no_estimate_is_listed():
    found = cycles(TEXT)
    assert found["once"] == 100 and found["again"] == 35
    assert found["copy"] is None and "a" not in found and "t" not in found


def test_without_any_estimate_there_is_nothing():
    assert cycles(TEXT.replace("estimated_cycles", "other")) == {}
