"""Loops whose trip counts XLA did not note."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir import hlo
from jitinspect.ir.trip_counts import TripCounts

MODULE = """HloModule m

%body (t: (s32[], s32[], f32[8])) -> (s32[], s32[], f32[8]) {{
  %t = (s32[], s32[], f32[8]) parameter(0)
  %i = s32[] get-tuple-element(%t), index=0
  %n = s32[] get-tuple-element(%t), index=1
  %x = f32[8] get-tuple-element(%t), index=2
  %one = s32[] constant({step})
  %c = s32[] copy(%i)
  %next = s32[] {add}
  ROOT %r = (s32[], s32[], f32[8]) tuple(%next, {bound}, %x)
}}

%cond (u: (s32[], s32[], f32[8])) -> pred[] {{
  %u = (s32[], s32[], f32[8]) parameter(0)
  %limit = s32[] constant({limit})
  ROOT %lt = pred[] compare({compared}), direction={direction}
}}

ENTRY %main (q: f32[8]) -> f32[8] {{
  %q = f32[8] parameter(0)
  %z = s32[] constant({begin})
  %m = s32[] constant({limit})
  %zc = s32[] copy(%z)
  %s = (s32[], s32[], f32[8]) tuple(%zc, %m, %q)
  %w = (s32[], s32[], f32[8]) while(%s), condition=%cond, body=%body
  ROOT %e = f32[8] get-tuple-element(%w), index=2
}}
"""
ORDINARY = {"add": "add(%c, %one)", "compared": "%u#0, %limit", "bound": "%n", "direction": "LT"}


def counted(text):
    program = hlo.parse(text)
    trips = TripCounts(program)
    return [trips[one] for one in program.operations() if one.opcode == "while"]


def module(begin=0, limit=9, step=1, **parts):
    return MODULE.format(begin=begin, limit=limit, step=step, **{**ORDINARY, **parts})


COMPARE = {"LT": operator.lt, "LE": operator.le, "GT": operator.gt, "GE": operator.ge, "NE": operator.ne}


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-5, 5), st.sampled_from([*COMPARE]))
def test_a_counted_loop_runs_as_often_as_when_it_is_carried_out(begin, limit, step, direction):
    value, times = begin, 0
    while COMPARE[direction](value, limit) and times <= 200:
        value, times = value + step, times + 1
    [found] = counted(module(begin, limit, step, direction=direction))
    assert found in (None, times)
    if step and times <= 200 and (direction == "NE" or (direction in ("LT", "LE")) == (step > 0)):
        assert found == times


@pytest.mark.parametrize(
    "parts",
    [
        {"compared": "%u#0, %u#1"},  # a limit that no iteration changes
        {"compared": "%limit, %u#0", "direction": "GT"},
        {"add": "add(%t#0, %one)"},
        {"add": "add(%one, %c)"},
    ],
)
def test_the_same_loop_written_in_another_way(parts):
    assert counted(module(**parts)) == [9]


@pytest.mark.parametrize(
    "parts",
    [
        {"compared": "%u#0, %u#1", "bound": "%next"},  # a limit that moves
        {"add": "multiply(%c, %one)"},
        {"add": "add(%c, %c)"},
        {"direction": "EQ"},
        {"step": 0},
        {"step": -1},
    ],
)
def test_what_is_not_counted_is_unknown(parts):
    assert counted(module(**parts)) == [None]


def test_a_number_that_xla_noted_holds():
    noted = 'body=%body, backend_config={"known_trip_count":{"n":"7"}}'
    assert counted(module().replace("body=%body", noted)) == [7]


def test_a_loop_in_a_loop_with_limits_of_the_outer_one():
    """The inner loop's limit is an element of the outer loop's state; its counter begins anew."""
    inner = """%inner (a: (s32[], s32[])) -> (s32[], s32[]) {
  %a = (s32[], s32[]) parameter(0)
  %ac = s32[] constant(1)
  %an = s32[] add(%a#0, %ac)
  ROOT %ar = (s32[], s32[]) tuple(%an, %a#1)
}

%until (b: (s32[], s32[])) -> pred[] {
  %b = (s32[], s32[]) parameter(0)
  ROOT %bl = pred[] compare(%b#0, %b#1), direction=LT
}

"""
    body = """  %iz = s32[] constant(2)
  %is = (s32[], s32[]) tuple(%iz, %n)
  %iw = (s32[], s32[]) while(%is), condition=%until, body=%inner
  %next ="""
    text = module(step=3).replace("  %next =", body).replace("%body (", inner + "%body (", 1)
    assert counted(text) == [7, 3]
