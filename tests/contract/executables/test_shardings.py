"""What `executables.shardings` leans on: the spec of a `NamedSharding`, and the HLO text of any other."""

import jax
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

from jitinspect.ir.hlo_sharding import Layout
from jitinspect.jaxapi.executables.shardings import placed
from jitinspect.model.communication import MeshShape

AXES = ("data", "model")


@pytest.fixture(scope="module")
def mesh():
    return Mesh(np.array(jax.devices()[:1]).reshape(1, 1), AXES)


@pytest.mark.parametrize(
    ("spec", "axes"),
    [
        (P("data"), (("data",), ())),
        (P(None, "model"), ((), ("model",))),
        (P(("model", "data")), (("model", "data"), ())),
        (P(), ((), ())),
    ],
)
def test_a_named_sharding_has_the_axes_of_each_dimension(mesh, spec, axes):
    found = placed(NamedSharding(mesh, spec), 2)
    assert (found.mesh, found.layout) == (MeshShape(AXES, (1, 1), (0,)), Layout(axes))


def test_terms_of_a_sum_are_named():
    mesh = jax.make_mesh((1, 1), AXES, axis_types=(AxisType.Explicit,) * 2)
    found = placed(NamedSharding(mesh, P(None, unreduced={"model"})), 1)
    assert found.layout == Layout(((),), unreduced=("model",))


def test_any_other_has_a_text_as_in_hlo():
    found = placed(SingleDeviceSharding(jax.devices()[0]), 2)
    assert (found.devices, found.mesh, found.text) == (1, None, "{replicated}")


def test_jax_word_for_no_sharding_is_none():
    traced = jax.jit(lambda x: x).trace(jax.ShapeDtypeStruct((2,), "float32"))
    [unspecified] = traced._params["in_shardings"]
    assert placed(unspecified, 1) is None and placed(None, 1) is None
