"""Stacks that begin alike share a box."""

from hypothesis import given

from jitinspect.model.flames import Stack
from jitinspect.render.flames.tree import boxes, tree
from tests.support.flames import stacks

SOME = [Stack(("a", "b"), 1.0), Stack(("c",), 5.0), Stack(("a",), 0.5), Stack(("a", "d"), 2.0)]


def test_the_widest_come_first_and_outer_ones_before_inner_ones():
    told = [(box.depth, box.frame, box.seconds, box.own) for box in boxes(tree(SOME, "all"))]
    assert told == [
        (0, "all", 8.5, 0.0), (1, "c", 5.0, 5.0), (1, "a", 3.5, 0.5), (2, "d", 2.0, 2.0), (2, "b", 1.0, 1.0),
    ]  # fmt: skip


@given(stacks)
def test_no_time_is_lost(given_stacks):
    around = tree(given_stacks)
    assert around.seconds == sum(stack.seconds for stack in given_stacks)
    for box in boxes(around):
        assert box.seconds == box.own + sum(one.seconds for one in box.inner.values())


def test_a_stack_may_be_deeper_than_python_recurses():
    assert len(list(boxes(tree([Stack(tuple(map(str, range(5000))), 1.0)])))) == 5001
