"""What follows of a module without its donations, in modules written by hand."""

import pytest

from jitinspect.ir import hlo
from jitinspect.readings.without_donation import peak_without_donation

FUSED = """
%fused (p: f32[8]) -> f32[8] {
  %p = f32[8] parameter(0)
  ROOT %n = f32[8] negate(%p)
}
"""
STEP = """
  %a = f32[8] parameter(0)
  %b = f32[8] parameter(1)
  %c = f32[8] fusion(%a), kind=kLoop, calls=%fused
  %d = f32[8] fusion(%b), kind=kLoop, calls=%fused
"""
SUMS = {"argument": 64, "output": 80, "temp": 0, "alias": 64}


def peak(body, outputs, sums=SUMS, fused=FUSED):
    names = ", ".join(f"%{name}" for name in outputs.split())
    root = f"  ROOT %r = (f32[8]) tuple({names})\n"
    program = hlo.parse(
        f"HloModule m\n{fused}\nENTRY %main () -> f32[8] {{\n{body.strip(chr(10))}\n{root}}}\n"
    )
    made = {one.names[0]: one for one in program.entry.operations}
    return peak_without_donation(program, [made[name] for name in outputs.split()], sums)


def test_all_arguments_and_results_lie_beside_each_other():
    assert peak(STEP, "c d") == 64 + 80


@pytest.mark.parametrize(
    ("body", "outputs"),
    [
        (STEP, "c c"),
        (STEP, "c"),  # %d is none
        (STEP, "c d a"),
        (STEP.replace("fusion(%b), kind=kLoop, calls=%fused", "copy(%b)"), "c d"),
        (STEP.replace("fusion(%b), kind=kLoop, calls=%fused", "while(%b), condition=%x, body=%y"), "c d"),
        (STEP.replace("fusion(%b)", "fusion(%b), output_to_operand_aliasing={{}: (0, {})}"), "c d"),
    ],
)
def test_with_a_copy_a_loop_a_temporary_or_a_result_that_is_something_else_nothing_follows(body, outputs):
    assert peak(body, outputs) is None


def test_with_temporaries_or_without_sums_nothing_follows():
    assert peak(STEP, "c d", SUMS | {"temp": 4}) is None
    assert peak(STEP, "c d", {}) is None and peak(STEP, "c d", {"temp": 0, "argument": 64}) is None


def test_an_update_in_place_may_need_a_copy():
    updates = FUSED.replace("negate(%p)", "dynamic-update-slice(%p, %u, %i)")
    assert peak(STEP, "c d", fused=updates) is None
