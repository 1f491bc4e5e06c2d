"""Sharded programs on eight CPU devices: what `sharding` says, beside where JAX really puts the arrays.

Run as a program, prints a JSON line for each: its name, and how the rows differ from the arrays of a real
run. Words are names of programs to leave out.
"""

import json
import sys
from contextlib import nullcontext
from math import prod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

import jitinspect
from jitinspect.ir.hlo_sharding import layout, spec_text
from jitinspect.jaxapi.executables import dumps
from jitinspect.readings.sharded_module import ShardedModule

DATA = Mesh(np.array(jax.devices()).reshape(4, 2), ("data", "model"))
CUBE = Mesh(np.array(jax.devices()).reshape(2, 2, 2), ("a", "b", "c"))
EXPLICIT = jax.make_mesh((4, 2), ("data", "model"), axis_types=(AxisType.Explicit,) * 2)
PROGRAMS = {}


def program(make):
    """A function that gives a jitted function and its arguments."""
    PROGRAMS[make.__name__] = make
    return make


def on(mesh, spec, *shape, dtype="float32"):
    size = prod(shape)
    values = (np.arange(size) % 7).reshape(shape).astype(dtype)
    return jax.device_put(values, NamedSharding(mesh, spec))


@program
def two_layers():
    def step(params, x):
        def loss(params):
            return jnp.mean((jnp.tanh(x @ params["w1"]) @ params["w2"] + params["b"]) ** 2)

        value, grads = jax.value_and_grad(loss)(params)
        return jax.tree.map(lambda p, g: p - g, params, grads), value

    params = {
        "w1": on(DATA, P(None, "model"), 16, 32),
        "w2": on(DATA, P("model"), 32, 8),
        "b": on(DATA, P(), 8),
    }
    return jax.jit(step), (params, on(DATA, P("data"), 24, 16))


@program
def in_and_out_shardings():
    jitted = jax.jit(
        lambda x, y: (x + y, x.T),
        in_shardings=(NamedSharding(DATA, P("data", "model")), NamedSharding(DATA, P(None, "model"))),
        out_shardings=(NamedSharding(DATA, P(("model", "data"))), NamedSharding(DATA, P())),
    )
    return jitted, (np.ones((16, 16), "float32"), np.ones((16, 16), "float32"))


@program
def constrained():
    def function(x, w):
        return jax.lax.with_sharding_constraint(jnp.sin(x) @ w, NamedSharding(DATA, P("data", None)))

    return jax.jit(function), (np.ones((16, 8), "float32"), np.ones((8, 8), "float32"))


@program
def mapped():
    def inner(x):
        return jax.lax.psum(jnp.sin(x), "a")

    function = jax.shard_map(inner, mesh=CUBE, in_specs=P("a", "b"), out_specs=P(None, "b"))
    return jax.jit(function), (on(CUBE, P("a", "b"), 8, 8),)


@program
def partly_mapped():
    def inner(x):
        return jnp.sin(x) @ x.T

    function = jax.shard_map(inner, mesh=CUBE, in_specs=P("a"), out_specs=P("a"), axis_names={"a"})
    return jax.jit(function), (on(CUBE, P("a", "b"), 8, 8),)


@program
def explicit():
    def function(x, y):
        return jax.sharding.reshard(x * 2, P(None, "model")), jnp.einsum(
            "ij,jk->ik", x, y, out_sharding=P("data")
        )

    return jax.jit(function), (on(EXPLICIT, P("data", "model"), 16, 8), on(EXPLICIT, P("model"), 8, 8))


@program
def explicit_sum():
    """Each device has a term of the first result."""

    def function(x, y):
        terms = jnp.einsum("ij,jk->ik", x, y, out_sharding=P(None, None, unreduced={"model"}))
        return terms, jax.sharding.reshard(terms, P("data"))

    return jax.jit(function), (on(EXPLICIT, P(None, "model"), 16, 8), on(EXPLICIT, P("model"), 8, 8))


@program
def two_meshes():
    def function(x, y):
        return x @ y, jax.lax.with_sharding_constraint(y, NamedSharding(CUBE, P(("c", "a"), "b")))

    return jax.jit(function), (on(DATA, P("data"), 16, 8), on(CUBE, P(None, ("a", "c")), 8, 8))


@program
def split_axis():
    """A reshape divides one axis over two dimensions."""
    return jax.jit(lambda x: x.reshape(2, 8, 16) * 2), (on(DATA, P("data", "model"), 16, 16),)


@program
def unused_and_small():
    return jax.jit(lambda x, y: (x[0, 0], x.astype("bfloat16"))), (
        on(DATA, P("model"), 8, 8),
        on(DATA, P("data"), 8, 8),
    )


@program
def keys():
    keys = jax.device_put(jax.random.split(jax.random.key(0), 8), NamedSharding(DATA, P("data")))
    return jax.jit(lambda keys: (keys, jax.vmap(jax.random.normal)(keys))), (keys,)


@program
def flax_model():
    class Model(nnx.Module):
        def __init__(self, rngs):
            init = nnx.with_partitioning(nnx.initializers.lecun_normal(), (None, "model"))
            self.first = nnx.Linear(8, 16, rngs=rngs, kernel_init=init)
            self.second = nnx.Linear(16, 8, rngs=rngs)

        def __call__(self, x):
            return self.second(nnx.relu(self.first(x)))

    with jax.set_mesh(DATA):
        model = Model(nnx.Rngs(0))
    graph, state = nnx.split(model)
    specs = nnx.get_partition_spec(state)
    placed = jax.tree.map(
        lambda leaf, spec: jax.device_put(leaf, NamedSharding(DATA, spec)),
        nnx.to_pure_dict(state),
        nnx.to_pure_dict(specs),
    )
    nnx.replace_by_pure_dict(state, placed)
    return jax.jit(lambda state, x: nnx.merge(graph, state)(x)), (state, on(DATA, P("data"), 16, 8))


@program
def equinox_model():
    model = eqx.nn.MLP(8, 8, 16, 2, key=jax.random.key(0))
    model = eqx.filter_shard(model, NamedSharding(DATA, P()))
    arrays, static = eqx.partition(model, eqx.is_array)

    def function(arrays, x):
        model = eqx.combine(arrays, static)
        x = eqx.filter_shard(x, NamedSharding(DATA, P("data")))
        return jax.vmap(model)(x)

    return jax.jit(function), (arrays, np.ones((16, 8), "float32"))


def differences(name):
    """Where the rows of a program differ from the arrays of a real run."""
    with jax.set_mesh(EXPLICIT) if name.startswith("explicit") else nullcontext():
        jitted, args = PROGRAMS[name]()
        report = jitinspect.read("sharding", jitted, *args).report
        compiled = jitted.lower(*args).compile()
        _, text = dumps.sharded(jitted.lower(*args))
        results, leaves = jax.tree.leaves(jitted(*args)), jax.tree.leaves(args)
    arguments = [row for row in report.sharding if row.kind == "argument"]
    outputs = [row for row in report.sharding if row.kind == "result"]
    taken = compiled.in_tree.flatten_up_to(compiled.input_shardings)
    for row, leaf, sharding in zip(arguments, leaves, taken, strict=True):
        committed = isinstance(leaf, jax.Array) and leaf.committed
        yield from difference(row, report, leaf, leaf.sharding if committed else sharding)
    for row, result in zip(outputs, results, strict=True):
        yield from difference(row, report, result, result.sharding)
        shard = result.addressable_shards[0].data
        if row.device_shape != shard.shape or row.replicated != result.is_fully_replicated:
            yield f"{row.path} is {row}, a shard is {shard.shape}"
    yield from differences_of_dump(text, report, outputs, results)


def difference(row, report, array, sharding):
    if row.mesh is None:
        yield f"{row.path} is on no mesh"
        return
    told = placed(row.spec, report.meshes[row.mesh], sharding)
    shape = told.shard_shape(array.shape)
    if not told.is_equivalent_to(sharding, len(array.shape)):
        yield f"{row.path} is {row.spec}, JAX says {sharding}"
    if (row.device_shape, row.device_bytes) != (shape, prod(shape) * array.dtype.itemsize):
        yield f"{row.path} has {row.device_shape}, {row.device_bytes} bytes, JAX says {shape}"


def differences_of_dump(text, report, outputs, results):
    """What XLA's dump says of the results, as it is read for devices that are not here."""
    for row, result, found in zip(outputs, results, ShardedModule(text, None).results(), strict=True):
        mesh = report.meshes[row.mesh]
        known = layout(found, mesh, len(result.shape))
        told = known and placed(spec_text(known.axes, known.unreduced), mesh, result.sharding)
        if not told or not told.is_equivalent_to(result.sharding, len(result.shape)):
            yield f"{row.path} is {found} in the dump"


def placed(spec, shape, like):
    """The sharding of a row, over the mesh of the same axes that is of the kind of `like`."""
    mesh = next(mesh for mesh in (DATA, CUBE) if tuple(mesh.axis_names) == shape.names)
    if getattr(like, "mesh", None) == EXPLICIT:
        mesh = EXPLICIT
    return NamedSharding(mesh, eval(spec, {"P": P}))


if __name__ == "__main__":
    for name in PROGRAMS.keys() - set(sys.argv[1:]):
        print(json.dumps([name, list(differences(name))]))
