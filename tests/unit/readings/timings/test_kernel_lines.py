"""Kernels, by the names that XLA gives to their modules, and the lines of their instructions."""

import pytest

from jitinspect.ir import hlo
from jitinspect.ir.attribution import Line, attribute
from jitinspect.readings.timings.kernel_lines import Kernel, KernelLines

MODULE = """HloModule jit_f

FileNames
1 "/net.py"

FunctionNames
1 "f"

FileLocations
1 {file_name_id=1 function_name_id=1 line=5 end_line=5 column=1 end_column=9}
2 {file_name_id=1 function_name_id=1 line=6 end_line=6 column=1 end_column=9}

StackFrames
1 {file_location_id=1 parent_frame_id=1}
2 {file_location_id=2 parent_frame_id=2}

%fused (p: f32[8]) -> f32[8] {
  %p = f32[8] parameter(0)
  %sine.1 = f32[8] sine(%p), metadata={op_name="jit(f)/sin" stack_frame_id=1}
  ROOT %add.1 = f32[8] add(%sine.1, %sine.1), metadata={op_name="jit(f)/add" stack_frame_id=2}
}

%region_0.7 (a: f32[], b: f32[]) -> pred[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %less = pred[] compare(%a, %b), direction=LT
}

%call.4_computation (q: f32[8]) -> f32[8] {
  %q = f32[8] parameter(0)
  ROOT %copy.2 = f32[8] copy(%q), metadata={op_name="jit(f)/copy" stack_frame_id=2}
}

ENTRY %main (x: f32[8]) -> f32[8] {
  %x = f32[8] parameter(0)
  %add_sine_fusion.1 = f32[8] fusion(%x), kind=kLoop, calls=%fused
  %sort.3 = f32[8] sort(%add_sine_fusion.1), dimensions={0}, to_apply=%region_0.7, metadata={stack_frame_id=1}
  ROOT %call.4 = f32[8] call(%sort.3), to_apply=%call.4_computation
}
"""
FIVE, SIX = Line("/net.py", 5), Line("/net.py", 6)


@pytest.fixture(scope="module")
def lines():
    program = hlo.parse(MODULE)
    return KernelLines(program, attribute(program, is_users=lambda file: True))


@pytest.mark.parametrize(
    "module",
    ["add_sine_fusion.1_kernel_module", "__compute_module_add_sine_fusion.1", "add_sine_fusion.1",
     "add_sine_fusion.1_elemental_kernel_module"],
)  # fmt: skip
def test_a_module_is_named_after_its_instruction(lines, module):
    assert lines.kernel(module, ()) == Kernel("add_sine_fusion.1", (FIVE, SIX), 3)


def test_a_call_has_the_lines_of_what_it_calls(lines):
    assert lines.kernel("call.4_computation_kernel_module", ()) == Kernel("call.4", (SIX,), 2)


def test_what_is_left_is_known_by_its_functions(lines):
    assert lines.kernel("part_00", {"region_0.7", "memcpy"}) == Kernel("sort.3", (FIVE,), 3)
    several = lines.kernel("part_00", {"region_0.7", "_add_sine_fusion.1"})
    assert (several.name, several.lines) == ("part_00", (FIVE, SIX))


def test_a_module_that_is_of_no_instruction_keeps_its_name(lines):
    assert lines.kernel("tan_fusion_kernel_module", {"tan"}) == Kernel("tan_fusion", (), 0)
