"""Between which shardings a collective moves a value, as far as it can be known."""

import pytest

from jitinspect.ir.collectives import collectives, part
from jitinspect.model.communication import MeshShape
from jitinspect.readings.communication.moved_values import MovedValue
from jitinspect.readings.communication.reshardings import resharding

MESH = MeshShape(("data", "model"), (4, 2))
CUBE = MeshShape(("a", "b", "c"), (2, 2, 2))
W, DOT = MovedValue(argument="w"), MovedValue(primitive="dot_general")


def of(opcode, result, attributes="", mesh=MESH, axes=("data",), value=DOT, arguments=None, shapes=None):
    text = (
        "HloModule m, num_partitions=8\n\nENTRY %main (p: f32[8]) -> f32[8] {\n"
        f"  ROOT %one = {result} {opcode}(%p), replica_groups=[2,4]<=[4,2]T(1,0){attributes}\n}}\n"
    )
    (one,) = collectives(part(text))
    return resharding(one, axes, value, arguments or {}, shapes or {}, mesh)


def test_an_argument_has_all_its_dimensions():
    gathered = of(
        "all-gather", "f32[64,8]{1,0}", ", dimensions={0}", value=W, arguments={"w": (("data",), ("model",))}
    )
    assert gathered == ("P('data', 'model')", "P(None, 'model')")


def test_one_that_may_be_turned_has_none_of_them():
    turned = W._replace(is_turned=True)
    arguments = {"w": (("data",), ("model",))}
    gathered = of("all-gather", "f32[64,8]{1,0}", ", dimensions={1}", value=turned, arguments=arguments)
    assert gathered == ("P(?, 'data')", "P(?, ?)")


def test_a_dimension_over_two_axes_keeps_the_other():
    gathered = of(
        "all-gather",
        "f32[64,8]{1,0}",
        ", dimensions={0}",
        axes=("model",),
        value=W,
        arguments={"w": (("data", "model"),)},
    )
    assert gathered == ("P(('data', 'model'), None)", "P('data', None)")


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ({(64, 16)}, ("P(None, 'model', unreduced={'data'})", "P(None, 'model')")),
        ({(64, 8)}, ("P(unreduced={'data'})", "P()")),
        ({(64, 16), (64, 8)}, ("P(?, ?, unreduced={'data'})", "P(?, ?)")),
        ({(64, 24)}, ("P(?, ?, unreduced={'data'})", "P(?, ?)")),
        ({(5, 5)}, ("P(?, ?, unreduced={'data'})", "P(?, ?)")),
    ],
)
def test_a_value_by_the_shapes_that_its_primitive_makes(shapes, expected):
    assert of("all-reduce", "f32[64,8]{1,0}", shapes={"dot_general": frozenset(shapes)}) == expected


def test_two_axes_of_one_size_cannot_be_told_apart():
    shapes = {"dot_general": frozenset({(64, 16)})}
    assert of("all-reduce", "f32[64,8]{1,0}", mesh=CUBE, axes=("a",), shapes=shapes) == (
        "P(?, ?, unreduced={'a'})",
        "P(?, ?)",
    )


def test_where_all_axes_take_part_nothing_else_is_sharded():
    assert of("all-reduce", "f32[64,8]{1,0}", axes=("data", "model")) == (
        "P(unreduced={'data', 'model'})",
        "P()",
    )


def test_a_reduce_scatter():
    scattered = of(
        "reduce-scatter",
        "f32[16,8]{1,0}",
        ", dimensions={0}",
        shapes={"dot_general": frozenset({(64, 16)})},
    )
    assert scattered == ("P(None, 'model', unreduced={'data'})", "P('data', 'model')")


def test_an_exchange_and_an_unknown_mesh_tell_nothing():
    assert of("all-to-all", "f32[64,8]{1,0}", ", dimensions={0}") == (None, None)
    assert of("all-reduce", "f32[64,8]{1,0}", mesh=None) == (None, None)
