"""XLA's shardings, in each of their forms, over the axes of a mesh. The texts are real ones."""

import pytest

from jitinspect.ir.hlo_sharding import Layout, attribute, elements, layout, spec_text
from jitinspect.model.communication import MeshShape

DATA = MeshShape(("data", "model"), (4, 2))
CUBE = MeshShape(("a", "b", "c"), (2, 2, 2))


@pytest.mark.parametrize(
    ("listed", "named", "mesh", "expected"),
    [
        ("{devices=[4,2]<=[8]}", "[{'data'}, {'model'}]", DATA, "P('data', 'model')"),
        ("{devices=[4,1,2]<=[8] last_tile_dim_replicate}", "[{'data'}, {}]", DATA, "P('data', None)"),
        (
            "{devices=[1,2,4]<=[4,2]T(1,0) last_tile_dim_replicate}",
            "[{}, {'model'}]",
            DATA,
            "P(None, 'model')",
        ),
        ("{devices=[2,4]<=[4,2]T(1,0)}", "[{'model'}, {'data'}]", DATA, "P('model', 'data')"),
        ("{devices=[8,1]<=[8]}", "[{'data', 'model'}, {?}]", DATA, "P(('data', 'model'), None)"),
        ("{devices=[8,1]<=[4,2]T(1,0)}", "[{'model', 'data'}, {}]", DATA, "P(('model', 'data'), None)"),
        ("{devices=[4,2]<=[2,2,2]T(0,2,1)}", "[{'a', 'c'}, {'b'}]", CUBE, "P(('a', 'c'), 'b')"),
        ("{devices=[2,1,4]<=[8] last_tile_dim_replicate}", "[{'a', ?}, {}]", CUBE, "P('a', None)"),
        (
            "{devices=[2,2,2]<=[8]}",
            "[{'data':(1)2}, {'data':(2)2}, {'model'}]",
            DATA,
            "P('data:(1)2', 'data:(2)2', 'model')",
        ),
        ("{devices=[4,2]0,1,2,3,4,5,6,7}", "[{'data'}, {'model'}]", DATA, "P('data', 'model')"),
    ],
)
def test_both_forms_are_the_same_spec(listed, named, mesh, expected):
    rank = named.count("{")
    sizes = ",".join(f"'{name}'={size}" for name, size in zip(mesh.names, mesh.sizes, strict=True))
    for text in (listed, f"{{mesh[{sizes}], {named}}}"):
        found = layout(text, mesh, rank)
        assert found is not None and spec_text(found.axes) == expected, text


@pytest.mark.parametrize("text", ["{replicated}", "{mesh[], replicated}"])
def test_what_is_replicated_has_an_empty_spec(text):
    assert spec_text(layout(text, DATA, 2).axes) == "P()"


@pytest.mark.parametrize("text", ["{manual}", "{mesh['data'=4,'model'=2], manual}"])
def test_inside_shard_map_all_axes_are_manual(text):
    assert layout(text, DATA, 1) == Layout(((),), manual=("data", "model"))


@pytest.mark.parametrize(
    "text",
    [
        "{devices=[1,2,2,2]<=[2,2,2]T(1,0,2) last_tile_dims={manual, replicated}}",
        "{mesh['a'=2,'b'=2,'c'=2], [{}, {'b'}], manual={'a'}}",
    ],
)
def test_some_axes_may_be_manual(text):
    assert layout(text, CUBE, 2) == Layout(((), ("b",)), manual=("a",))


@pytest.mark.parametrize(
    "text",
    [
        "{devices=[1,1,2,4]<=[4,2]T(1,0) last_tile_dims={unreduced, replicated}}",
        "{mesh['data'=4,'model'=2], [{}, {}], unreduced={'model'}}",
    ],
)
def test_terms_of_a_sum_are_unreduced(text):
    found = layout(text, DATA, 2)
    assert found == Layout(((), ()), unreduced=("model",))
    assert spec_text(found.axes, found.unreduced) == "P(unreduced={'model'})"


def test_one_form_can_be_read_over_another_mesh():
    assert layout("{mesh['data'=4,'model'=2], [{'data'}]}", CUBE, 1) == Layout((("a", "b"),))
    assert layout("{devices=[2,4]<=[8] last_tile_dim_replicate}", DATA, 1) == Layout((("data:(1)2",),))


def test_a_mesh_may_list_its_devices():
    assert layout("{mesh['x'=2,'y'=4], device_ids=([4,2]T(1,0)), [{'x'}, {'y'}]}", DATA, 2) == Layout(
        (("model",), ("data",))
    )


@pytest.mark.parametrize(
    "text",
    [
        "{devices=[4]<=[4]}",  # of four devices, not eight
        "{devices=[8]0,1,2,3,4,5,7,6}",
        "{devices=[2,4]0,1,2,4,3,5,6,7 last_tile_dim_replicate}",
        "{maximal device=0}",
        "{single_device[device_id=0]}",
        "{unknown}",
        "{}",
    ],
)
def test_what_lies_along_no_axes_has_none(text):
    assert layout(text, DATA, 1) is None


def test_dimensions_that_xla_adds_are_left_out_and_those_that_it_leaves_out_are_added():
    assert layout("{devices=[4,1,1,2]<=[8] last_tile_dim_replicate}", DATA, 2) == Layout((("data",), ()))
    assert layout("{mesh['data'=4,'model'=2], [{'data'}]}", DATA, 2) == Layout((("data",), ()))


def test_attributes_and_tuples():
    rest = ', index=1, sharding={{replicated}, /*index=5*/{devices=[4,2]<=[8]}}, metadata={op_name="x"}'
    assert attribute(rest) == "{{replicated}, /*index=5*/{devices=[4,2]<=[8]}}"
    assert elements(attribute(rest)) == ("{replicated}", "{devices=[4,2]<=[8]}")
    assert elements("{replicated}") == ("{replicated}",)
    named = "{{mesh['a'=2], [{'a'}, {}]}, {mesh[], replicated}}"
    assert elements(named) == ("{mesh['a'=2], [{'a'}, {}]}", "{mesh[], replicated}")
    assert attribute(", dimensions={0}") is None


def test_sizes_and_strides_of_axes_and_of_their_parts():
    found = [DATA.size_and_stride(axis) for axis in ("data", "data:(1)2", "data:(2)2", "model")]
    assert found == [(4, 2), (2, 4), (2, 2), (2, 1)]
    assert [DATA.part("data", 1, 2), DATA.part("data", 1, 4)] == ["data:(1)2", "data"]
