"""Groups of devices, by the axes of the user's mesh."""

from itertools import product
from math import prod

from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir.device_groups import groups
from jitinspect.ir.mesh_axes import axes_of_groups, axes_of_pairs, size_of_axes, tiles
from jitinspect.model.communication import MeshShape

MESH = MeshShape(("data", "model"), (4, 2))


@st.composite
def meshes_and_axes(draw):
    sizes = draw(st.lists(st.integers(2, 4), min_size=1, max_size=4))
    names = tuple("abcd"[: len(sizes)])
    axes = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    return MeshShape(names, tuple(sizes)), tuple(name for name in names if name in axes)


def grouped(mesh, axes):
    """By coordinates: devices that differ along these axes alone are in one group."""
    found = {}
    for device, place in enumerate(product(*map(range, mesh.sizes))):
        key = tuple(at for at, name in zip(place, mesh.names, strict=True) if name not in axes)
        found.setdefault(key, []).append(device)
    return tuple(map(tuple, found.values()))


@given(meshes_and_axes())
def test_the_axes_are_found_again(example):
    mesh, axes = example
    assert axes_of_groups(grouped(mesh, axes), [mesh]) == axes
    assert size_of_axes(axes, [mesh]) == len(grouped(mesh, axes)[0])


@given(meshes_and_axes())
def test_the_order_of_devices_in_a_group_does_not_matter(example):
    mesh, axes = example
    turned = tuple(group[::-1] for group in grouped(mesh, axes)[::-1])
    assert axes_of_groups(turned, [mesh]) == axes


def test_a_part_of_an_axis_is_written_as_shardy_does():
    assert axes_of_groups(((0, 2), (1, 3), (4, 6), (5, 7)), [MESH]) == ("data:(2)2",)
    assert axes_of_groups(((0, 4), (1, 5), (2, 6), (3, 7)), [MESH]) == ("data:(1)2",)


def test_of_two_meshes_the_one_that_has_whole_axes_and_fewer():
    other = MeshShape(("a", "b", "c"), (2, 2, 2))
    along_data = groups("replica_groups=[2,4]<=[4,2]T(1,0)", 8)
    assert axes_of_groups(along_data, [other, MESH]) == ("data",)
    assert axes_of_groups(((0, 2), (1, 3), (4, 6), (5, 7)), [MESH, other]) == ("b",)


def test_groups_along_no_axes():
    assert axes_of_groups(((0, 3), (1, 2), (4, 7), (5, 6)), [MESH]) == ()
    assert axes_of_groups(((0,), (1,), (2,), (3,), (4,), (5,), (6,), (7,)), [MESH]) == ()
    assert axes_of_groups(((0, 1), (2, 3)), [MESH]) == (), "of other devices"
    assert axes_of_groups(((0, 1),), []) == ()


@given(meshes_and_axes(), st.data())
def test_a_shift_along_an_axis(example, data):
    mesh, axes = example
    axis = mesh.names.index(axes[0])
    places = list(product(*map(range, mesh.sizes)))

    def shifted(place):
        at = (place[axis] + 1) % mesh.sizes[axis]
        return places.index((*place[:axis], at, *place[axis + 1 :]))

    pairs = tuple((device, shifted(place)) for device, place in enumerate(places))
    kept = data.draw(st.integers(1, prod(mesh.sizes)))
    assert axes_of_pairs(pairs[:kept], [mesh]) == (axes[0],)


def test_tiles_of_an_array_by_device():
    mesh = MeshShape(("d", "m"), (2, 4))
    assert tiles((("d",), ()), [mesh]) == ((0,),) * 4 + ((1,),) * 4
    assert tiles((("m",),), [mesh]) == ((0,), (1,), (2,), (3,)) * 2
    assert tiles((("m:(2)2",),), [mesh]) == ((0,), (1,)) * 4
    assert tiles(((), ()), [mesh, mesh]) == ((),) * 8


def test_tiles_are_not_guessed_where_two_meshes_have_the_axes():
    assert tiles((("d",),), [MeshShape(("d", "m"), (2, 4)), MeshShape(("d",), (8,))]) == ()
    assert tiles((("x",),), [MeshShape(("d",), (8,))]) == ()
