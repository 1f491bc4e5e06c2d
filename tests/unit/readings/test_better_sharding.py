"""The axes that an array could still be sharded over."""

import pytest

from jitinspect.model.communication import MeshShape
from jitinspect.readings.better_sharding import better, free_axes

DATA = MeshShape(("data", "model"), (4, 2))
ODD = MeshShape(("a", "b", "c"), (3, 2, 1))


def test_free_axes_are_those_that_nothing_uses_and_that_divide():
    assert free_axes(((), ("model",)), (), DATA) == ("data",)
    assert free_axes(((), ()), ("model",), DATA) == ("data",)
    assert free_axes((("data:(1)2",), ()), (), DATA) == ("model",)
    assert free_axes(((),), (), ODD) == ("a", "b")


@pytest.mark.parametrize(
    ("axes", "shape", "free", "mesh", "expected"),
    [
        (((), ("model",)), (64, 128), ("data",), DATA, ((("data",), ("model",)), 4)),
        (((), ()), (64, 128), ("data", "model"), DATA, ((("data", "model"), ()), 8)),
        (((), ()), (4, 6), ("data", "model"), DATA, ((("data",), ("model",)), 8)),
        (((), ()), (3, 6), ("data", "model"), DATA, (((), ("model",)), 2)),
        ((("model",),), (8,), ("data",), DATA, ((("model", "data"),), 4)),
        (((), ()), (5, 7), ("data", "model"), DATA, None),
        (((),), (12,), ("a", "b"), ODD, ((("a", "b"),), 6)),
        (((),), (4,), ("a", "b"), ODD, ((("b",),), 2)),
        ((), (), ("data",), DATA, None),
        (((), ()), (8, 8), (), DATA, None),
    ],
)
def test_the_smallest_parts_that_divide_evenly(axes, shape, free, mesh, expected):
    found = better(axes, shape, free, mesh)
    assert (found and (found.axes, found.parts)) == expected
