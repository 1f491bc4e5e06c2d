"""The texts for every kind of device, of samples and of functions of other packages, against JAX's own.

Minutes of compilation: only with `JITINSPECT_ALL_TARGETS=1`. `test_texts.py` does the same for two devices.
"""

import os

import pytest

from jitinspect.devices.quiet import quiet_environment
from tests.e2e.devices.test_texts import comparable, entry_fusions

pytestmark = pytest.mark.skipif(
    not os.environ.get("JITINSPECT_ALL_TARGETS"), reason="takes long: JITINSPECT_ALL_TARGETS=1"
)
TARGETS = ("v2", "v3", "v4", "v5e", "v5p", "v6e", "tpu7x", "v5e:2x2", "h100", "a100", "b200")
FUNCTIONS = """
import equinox, jax, optax
import jax.numpy as jnp
from flax import linen
from samples import mlp

def types(made):
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), made)

f32 = lambda *shape: jax.ShapeDtypeStruct(shape, "float32")
parameters = {"w": f32(64, 32), "b": f32(32)}
adam = optax.adamw(1e-3)
dense = linen.Sequential([linen.Dense(64), linen.relu, linen.LayerNorm(), linen.Dense(8)])
model = equinox.filter_eval_shape(equinox.nn.GRUCell, 16, 32, key=jax.random.key(0))

def update(gradients, state, parameters):
    return adam.update(gradients, state, parameters)

def apply(variables, x):
    return dense.apply(variables, x)

def step(cell, x, h):
    return cell(x, h)

def loss_of_targets(logits, labels):
    return jax.grad(lambda x: optax.softmax_cross_entropy_with_integer_labels(x, labels).mean())(logits)

loss = jax.jit(jax.grad(mlp.loss_fn))
sgd_step = mlp.sgd_step
MAKERS = {
    "loss": lambda: (f32(128, 784), f32(784, 256)),
    "sgd_step": lambda: types(mlp.make_args()),
    "update": lambda: (parameters, jax.eval_shape(adam.init, parameters), parameters),
    "apply": lambda: (jax.eval_shape(dense.init, jax.random.key(0), f32(8, 16)), f32(8, 16)),
    "step": lambda: (model, f32(16), f32(32)),
    "loss_of_targets": lambda: (f32(64, 100), jax.ShapeDtypeStruct((64,), "int32")),
}
globals().update({f"args_of_{name}": make for name, make in MAKERS.items()})
"""
NAMES = ("loss", "sgd_step", "update", "apply", "step", "loss_of_targets")
BARE = """
import sys, jax
from jax.experimental import topologies
from jax.extend.source_info_util import register_exclusion
from jax.sharding import NamedSharding, PartitionSpec, SingleDeviceSharding
from jitinspect.devices.names import parse_device
register_exclusion("<string>")
import functions
name, folder = {target!r}, {folder!r}
target = parse_device(name)
found = topologies.get_topology_desc(target.topology, platform=target.platform, **target.topology_options)
if ":" in name:
    sharding = NamedSharding(topologies.make_mesh(found, (4,), ("data",)), PartitionSpec())
else:
    sharding = SingleDeviceSharding(found.devices[0])
for name, make in functions.MAKERS.items():
    placed = jax.tree.map(lambda one: jax.ShapeDtypeStruct(one.shape, one.dtype, sharding=sharding), make())
    function = getattr(functions, name)
    jitted = function if hasattr(function, "lower") else jax.jit(function)
    with open(folder + "/" + name, "w") as file:
        file.write(jitted.lower(*placed).compile().as_text())
"""


@pytest.mark.parametrize("target", TARGETS)
def test_texts_are_those_of_jax(shell, needs, tmp_path, target):
    needs(target)
    shell.write("functions.py", FUNCTIONS)
    folder = tmp_path / "theirs"
    folder.mkdir()
    program = BARE.format(target=target, folder=str(folder))
    finished = shell.run([shell.interpreter, "-c", program], **quiet_environment({}, str(folder)))
    assert finished.returncode == 0, finished.stderr
    mesh = ("--mesh", "data=4") if ":" in target else ()
    for name in NAMES:
        call = (
            f"functions:{name}",
            "--args-from",
            f"functions:args_of_{name}",
            *mesh,
            "--target",
            target,
            "-q",
        )
        full = shell("hlo", *call, "--full", "--raw")
        assert full.returncode == 0, (name, full.stderr)
        theirs = (folder / name).read_text()
        assert comparable(full.stdout, target) == comparable(theirs, target), name
        assert entry_fusions(shell("hlo", *call).stdout) == entry_fusions(theirs), name
