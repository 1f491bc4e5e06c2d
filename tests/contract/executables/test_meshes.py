"""What `executables.meshes` leans on: where a jaxpr holds meshes, and which of them one jit may have."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jitinspect.jaxapi.executables.meshes import meshes
from jitinspect.model.communication import MeshShape
from tests.support.compiling import CHEAPEST

S = jax.ShapeDtypeStruct
X = S((8, 8), "float32")
DATA = MeshShape(("data", "model"), (1, 1), (0,))
CUBE = MeshShape(("a", "b", "c"), (1, 1, 1), (0,))


@pytest.fixture(scope="module")
def data():
    return Mesh(np.array(jax.devices()[:1]).reshape(1, 1), DATA.names)


@pytest.fixture(scope="module")
def cube():
    return Mesh(np.array(jax.devices()[:1]).reshape(1, 1, 1), CUBE.names)


def found(function, *args, **options):
    return meshes(jax.jit(function, **options).trace(*args), (args, {}))


def test_of_types_and_arrays(data, cube):
    typed = S((8, 8), "float32", sharding=NamedSharding(data, P("data")))
    assert found(lambda x, y: x + y, typed, X) == (DATA,)
    array = jax.device_put(np.zeros((8, 8), "float32"), NamedSharding(cube, P("a")))
    assert found(lambda x: x, array) == (CUBE,)
    assert found(lambda x: x + array, X) == (CUBE,)
    assert found(lambda x: x, X) == ()


def test_of_equations_at_any_depth(data, cube):
    def constrained(x):
        return lax.with_sharding_constraint(x, NamedSharding(data, P("data")))

    def mapped(x):
        return jax.shard_map(lambda x: lax.psum(x, "a"), mesh=cube, in_specs=P("a"), out_specs=P())(x)

    inner = jax.jit(jnp.sin, in_shardings=NamedSharding(data, P()), out_shardings=NamedSharding(cube, P()))
    assert found(constrained, X) == (DATA,)
    assert found(mapped, X) == (CUBE,)
    assert found(lambda x: inner(x) * 2, X) == (DATA, CUBE)
    assert found(lambda x: lax.scan(lambda c, _: (constrained(c), None), x, None, 3)[0], X) == (DATA,)
    assert found(lambda x: lax.cond(x[0, 0] > 0, constrained, mapped, x), X) in ((DATA, CUBE), (CUBE, DATA))
    assert found(jax.grad(lambda x: constrained(x).sum()), X) == (DATA,)
    assert found(jnp.sin, X, out_shardings=NamedSharding(cube, P("a"))) == (CUBE,)
    assert found(jax.checkpoint(constrained), X) == (DATA,)


def test_of_the_context(data):
    """`set_mesh` gives an abstract mesh, whose devices the jit's own parameters list."""
    with jax.set_mesh(data):
        assert found(lambda x: lax.with_sharding_constraint(x, P("data")), X) == (DATA,)


def test_of_explicit_axes():
    mesh = jax.make_mesh((1, 1), ("data", "model"), axis_types=(AxisType.Explicit,) * 2)
    x = S((8, 8), "float32", sharding=NamedSharding(mesh, P("data", "model")))
    with jax.set_mesh(mesh):
        assert found(lambda x: jax.sharding.reshard(x, P(None, "model")), x) == (DATA,)
        assert found(lambda: jnp.zeros((8, 8), out_sharding=P("data"))) == (DATA,)
        assert found(lambda x: jnp.einsum("ij,kj->ik", x, x, out_sharding=P("data")), x) == (DATA,)


def test_an_abstract_mesh_has_the_devices_of_another(data, cube):
    abstract = cube.abstract_mesh
    typed = S((8, 8), "float32", sharding=NamedSharding(abstract, P("a")))
    assert found(lambda x: x, typed) == (MeshShape(CUBE.names, CUBE.sizes),)
    other = S((8, 8), "float32", sharding=NamedSharding(data, P("data")))
    assert found(lambda x, y: (x, y), typed, other) == (CUBE, DATA)


TURNED = """
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
devices = np.array(jax.devices())
placed = [
    jax.ShapeDtypeStruct((8, 8), "float32", sharding=NamedSharding(Mesh(order, ("x", "y")), P("x")))
    for order in (devices.reshape(2, 2), devices[::-1].reshape(2, 2))
]
try:
    jax.jit(lambda x, y: x @ y).lower(*placed)
except ValueError as error:
    print(error)
"""


def test_meshes_of_one_jit_list_their_devices_in_one_order():
    environment = os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count=4 {CHEAPEST}"}
    done = subprocess.run([sys.executable, "-c", TURNED], capture_output=True, text=True, env=environment)
    assert "incompatible devices" in done.stdout, done.stderr


def test_what_many_equations_share_is_walked_once(data):
    """Thirty jits, each of which calls the one before it twice: a billion paths."""

    def constrained(x):
        return lax.with_sharding_constraint(x, NamedSharding(data, P("data")))

    def twice(inner):
        return jax.jit(lambda x: inner(inner(x)))

    function = jax.jit(constrained)
    for _ in range(30):
        function = twice(function)
    assert found(function, X) == (DATA,)
