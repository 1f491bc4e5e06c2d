"""Which order of results needs no copies, in modules written by hand."""

import pytest

from jitinspect.ir import hlo
from jitinspect.readings.result_order import Donation, better, moved_elements

MOMENTUM = """
  %p = f32[8] parameter(0)
  %m = f32[8] parameter(1)
  %m2 = f32[8] negate(%m)
  %p2 = f32[8] subtract(%p, %m2)
"""
CROSS = """
  %a = f32[8] parameter(0)
  %b = f32[8] parameter(1)
  %b2 = f32[8] negate(%b)
  %a2 = f32[8] copy(%a)
"""
AROUND = CROSS.replace("copy", "negate")


def donation(body, parameters, outputs):
    names = ", ".join(f"%{name}" for name in outputs.split())
    root = f"  ROOT %r = (f32[8]) tuple({names})\n"
    entry = hlo.parse(f"HloModule m\n\nENTRY %main () -> f32[8] {{\n{body.strip(chr(10))}\n{root}}}\n").entry
    return Donation(entry, parameters.split(), outputs.split())


@pytest.mark.parametrize(
    ("body", "parameters", "outputs", "refused"),
    [
        (MOMENTUM, "p m", "m2 p2", 32),  # p is read after m2 is made
        (MOMENTUM, "p m", "p2 m2", 0),
        (MOMENTUM, "m", "m2 p2", 0),
        (MOMENTUM, "p", "m2 p2", 32),
        (CROSS, "a b", "b2 a2", 32),  # a is returned
        (CROSS, "a", "b2 a2", 32),
        (CROSS, "a b", "a2 b2", 0),
        (CROSS, "b", "b2 a2", 0),
        (AROUND, "a b", "b2 a2", 32),  # each would have to come after the other
        (AROUND, "a b", "a2 b2", 0),
    ],
)
def test_what_is_read_later_cannot_be_overwritten(body, parameters, outputs, refused):
    made = donation(body, parameters, outputs)
    assert made.refused((0, 1)) == refused
    assert better(made, ["result[0]", "result[1]"]) == ((1, 0) if refused else None)


def test_only_results_of_the_same_type_are_paired():
    made = donation(MOMENTUM.replace("%m2 = f32[8]", "%m2 = f32[4]"), "p m", "m2 p2")
    assert made.refused((0, 1)) == 0


def test_what_is_no_tuple_or_a_long_list_is_not_reordered():
    made = donation(MOMENTUM, "p m", "m2 p2")
    assert better(made, ["result['m']", "result['p']"]) is None
    nested = ["result['step'][0]", "result['step'][1]"]
    assert better(made, nested) == (1, 0) and moved_elements((1, 0), nested) == tuple(reversed(nested))


def test_trees_move_as_a_whole():
    names = ["result[0]['m']", "result[0]['v']", "result[1][0]", "result[1][1]", "result[2]"]
    assert moved_elements((2, 3, 0, 1, 4), names) == ("result[1]", "result[0]", "result[2]")
    assert moved_elements((0, 1, 3, 2, 4), names) == ("result[1][1]", "result[1][0]")
