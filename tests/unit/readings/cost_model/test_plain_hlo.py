"""HLO of several backends in one form."""

import pytest

from jitinspect.ir import hlo
from jitinspect.readings.cost_model.plain_hlo import inlined, operand_types, plain


def block(*lines):
    body = "\n".join(f"  {line}" for line in lines)
    [found] = hlo.parse(f"HloModule m\n\nENTRY %main () -> f32[] {{\n{body}\n}}\n").blocks
    return found


@pytest.mark.parametrize(
    ("type_", "opcode", "result"),
    [
        ("(f32[8]{0:S(1)}, f32[8]{0}, u32[]{:S(2)})", "copy-start", "f32[8]{0:S(1)}"),
        ("(f32[8], f32[32])", "all-gather-start", "f32[32]"),
        ("((f32[8], f32[4]), (f32[32], f32[16]))", "all-gather-start", "(f32[32], f32[16])"),
        ("((f32[8]), f32[2])", "reduce-scatter-start", "f32[2]"),
        ("(f32[8], f32[8], u32[], u32[])", "collective-permute-start", "f32[8]"),
        ("f32[8]", "all-reduce-start", "f32[8]"),
        ("(f32[8], f32[4])", "all-reduce-start", "(f32[8], f32[4])"),
        ("((f32[9,8], s32[]), f32[1,8], u32[])", "fusion-start", "f32[1,8]"),
    ],
)
def test_the_start_of_an_operation_is_the_operation(type_, opcode, result):
    [_, one] = block("%p = f32[8] parameter(0)", f"ROOT %s = {type_} {opcode}(%p)").operations
    assert (plain(one).opcode, plain(one).type) == (opcode.removesuffix("-start"), result)


def test_what_starts_a_computation_and_what_only_waits_stay_as_they_are():
    for one in block(
        "%p = f32[8] parameter(0)",
        "%s = ((f32[8]), f32[4], s32[]) async-start(%p), calls=%c",
        "ROOT %d = f32[4] async-done(%s)",
    ).operations:
        assert plain(one) is one


def test_elements_of_tuples_have_types():
    found = block(
        "%t = (f32[8], (s32[], /*index=1*/f32[2,3]{1,0:T(8,128)S(1)}), f32[4]) parameter(0)",
        "ROOT %a = f32[8] add(%t#0, %t#2)",
    )
    assert found.operations[1].operands == ("t", "t")  # of which lines and links know
    assert plain(found.operations[1]).operands == ("t#0", "t#2")
    types = operand_types(found.operations)
    assert (types["t#0"], types["t#2"]) == ("f32[8]", "f32[4]")


NESTED = """HloModule m

%inner (p: f32[9,8], i: s32[]) -> f32[1,8] {
  %p = f32[9,8] parameter(0)
  %i = s32[] parameter(1)
  ROOT %d = f32[1,8] dynamic-slice(%p, %i, %i), dynamic_slice_sizes={1,8}
}

%outer (p: f32[9,8], i: s32[]) -> f32[1,8] {
  %i = s32[] parameter(1)
  %p = f32[9,8] parameter(0)
  %f = f32[1,8] fusion(%p, %i), kind=kLoop, calls=%inner
  ROOT %n = f32[1,8] negate(%f)
}

ENTRY %main (p: f32[9,8], i: s32[]) -> f32[1,8] {
  %p = f32[9,8] parameter(0)
  %i = s32[] parameter(1)
  ROOT %f = f32[1,8] fusion(%p, %i), kind=kLoop, calls=%outer
}
"""


def test_a_fusion_in_a_fusion_is_what_is_in_it():
    program = hlo.parse(NESTED)
    blocks = program.named()
    found = {one.names[0]: one for one in inlined(blocks["outer"], blocks, program.root)}
    assert [one.opcode for one in found.values()] == [
        "parameter", "parameter", "bitcast", "bitcast", "dynamic-slice", "bitcast", "negate",
    ]  # fmt: skip
    assert found["f/p"].operands == ("p",) and found["f"].operands == ("f/d",)
    assert found["f/d"].operands == ("f/p", "f/i", "f/i")


def test_a_computation_without_these_is_left_as_it_is():
    program = hlo.parse(NESTED)
    inner = program.named()["inner"]
    assert inlined(inner, program.named(), program.root) is inner.operations
