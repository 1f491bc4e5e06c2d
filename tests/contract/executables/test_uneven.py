"""What `executables.uneven` leans on: how JAX says that a mesh does not split an array evenly."""

import json
import os
import subprocess
import sys

import jax
import pytest

from tests.support.compiling import CHEAPEST

PROGRAM = """
import json
import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from jitinspect.jaxapi.executables.uneven import uneven

line = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))
plane = jax.make_mesh((2, 4), ("a", "b"), axis_types=(AxisType.Auto,) * 2)
explicit = jax.make_mesh((2, 4), ("a", "b"), axis_types=(AxisType.Explicit,) * 2)
x, wide = (jax.ShapeDtypeStruct(shape, "float32") for shape in ((63, 8), (8, 63)))

def mapped(t):
    return jax.shard_map(lambda p, y: y, mesh=plane, in_specs=(P(), P(("a", "b"))), out_specs=P())(t, t)

def over(mesh, *spec):
    return NamedSharding(mesh, P(*spec))

def placed(mesh, *spec):
    return jax.ShapeDtypeStruct((64, 8), "float32", sharding=over(mesh, *spec))

both = over(plane, None, ("a", "b"))
two = placed(line, "data"), placed(plane, "b", "a")
calls = {
    "argument": lambda: jax.jit(lambda x: x, in_shardings=over(line, "data")).trace(x),
    "leaf": lambda: jax.jit(lambda m: m, in_shardings=both).trace({"w": wide}),
    "result": lambda: jax.jit(lambda x: {"y": x}, out_shardings=over(line, "data")).lower(x),
    "shard_map": lambda: jax.jit(mapped).trace(x),
    "explicit": lambda: jax.jit(lambda x: jax.sharding.reshard(x, over(explicit, "b"))).trace(x),
    "two meshes": lambda: jax.jit(lambda x, y: x + y).lower(*two).compile(),
    "another error": lambda: jax.jit(lambda x: x @ x).trace(x),
}
told = {}
for name, call in calls.items():
    try:
        call()
    except Exception as error:
        told[name] = uneven(str(error))
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told():
    environment = os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count=8 {CHEAPEST}"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # JAX 0.11.2 and 0.12.0.1 print where they raise


@pytest.mark.parametrize(
    ("call", "name", "rest"),
    [
        ("argument", "argument x", "(63,8): dimension 0, of size 63, is not split evenly by data=8"),
        ("leaf", "argument m['w']", "(8,63): dimension 1, of size 63, is not split evenly by a,b=8"),
        ("result", "result['y']", "(63,8): dimension 0, of size 63, is not split evenly by data=8"),
    ],
)
def test_an_argument_or_result_is_named_where_jax_names_it(told, call, name, rest):
    message, hint = told[call]
    names = {name} if jax.__version_info__ >= (0, 11) else {name, "an array"}
    assert message in {f"{one} of shape {rest}" for one in names}
    assert hint == "a multiple of 8: 64"


def test_an_argument_of_a_shard_map_is_named(told):
    message, _ = told["shard_map"]
    rest = "of shape (63,8): dimension 0, of size 63, is not split evenly by a,b=8"
    assert message == f"shard_map's argument y {rest}"


def test_values_in_a_program_with_explicit_axes_have_no_name(told):
    rest = "of shape (63,8): dimension 0, of size 63, is not split evenly by b=4"
    assert told["explicit"] == [f"an array {rest}", "a multiple of 4: 64"]


@pytest.mark.skipif(jax.__version_info__ < (0, 9), reason="JAX leaves the result without the mesh's axes")
def test_a_result_that_is_between_two_meshes(told):
    message, hint = told["two meshes"]
    assert message.endswith("for a result, over 1 × 2 × 4 devices, cannot be written on the mesh data=8")
    assert "out_shardings=" in hint


def test_another_error_is_left_as_it_is(told):
    assert told["another error"] is None
