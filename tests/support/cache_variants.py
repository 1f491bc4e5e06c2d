"""A program that writes entries of variants of one call to a cache folder, and prints as JSON how each
differs from that call; and how entries differ from their own calls, which nothing should.

With `one` it only writes the entry of the call.
"""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from jitinspect.files.cache.contents import contents_of_call, contents_of_entry
from jitinspect.files.cache.differences import differences
from jitinspect.jaxapi.keys.computation import serialized_hlo
from jitinspect.jaxapi.keys.disk_key import key_parts

FOLDER = sys.argv[1]


def arrays(*shapes, dtype=jnp.float32, sharding=None):
    return [jax.ShapeDtypeStruct(shape, dtype, sharding=sharding) for shape in shapes]


def step(x, w, factor=2.0):
    return jax.nn.relu(x @ w * factor).mean(), x + 1


def sine(x, w):
    return jax.nn.relu(jnp.sin(x @ w) * 2.0).mean(), x + 1


def fewer_results(x, w):
    return step(x, w)[0]


def fewer_arguments(x):
    return jax.nn.relu(x @ x * 2.0).mean(), x + 1


def named_step(function):
    function.__name__ = "step"
    return function


def on_mesh(size):
    mesh = jax.make_mesh((size,), ("data",), devices=jax.devices()[:size])
    return arrays((8, 4), sharding=NamedSharding(mesh, P("data"))) + arrays(
        (4, 4), sharding=NamedSharding(mesh, P())
    )


USUAL = arrays((8, 4), (4, 4))
ON_CPU = jax.sharding.SingleDeviceSharding
VARIANTS = {
    "shape": (step, arrays((6, 4), (4, 4)), {}),
    "dtype": (step, arrays((8, 4), (4, 4), dtype=jnp.bfloat16), {}),
    "constant": (named_step(lambda x, w: step(x, w, 3.0)), USUAL, {}),
    "operation": (named_step(sine), USUAL, {}),
    "results": (named_step(fewer_results), USUAL, {}),
    "arguments": (named_step(fewer_arguments), arrays((4, 4)), {}),
    "donation": (step, USUAL, {"donate_argnums": 0}),
    "mesh of 4": (step, lambda: on_mesh(4), {}),
    "compiler option": (step, USUAL, {"compiler_options": {"xla_cpu_enable_fast_math": True}}),
    "other device": (step, lambda: arrays((8, 4), (4, 4), sharding=ON_CPU(jax.devices()[1])), {}),
    "committed": (step, lambda: arrays((8, 4), (4, 4), sharding=ON_CPU(jax.devices()[0])), {}),
}
CLOSURE = np.arange(16.0, dtype=np.float32).reshape(4, 4)
SAME = {
    "folded": (lambda x: (x * 3) * 2 + (1 + 4) * x / 4 - 2, arrays((4,))),
    "mean": (lambda x: jnp.var(x) / 7 - x.mean(), arrays((4, 3))),
    "gradient": (jax.grad(lambda x: jnp.mean(jax.nn.gelu(x @ x) ** 2) * 0.5), arrays((4, 4))),
    "closure": (lambda x: x @ (jnp.asarray(CLOSURE).T * 2) + CLOSURE, arrays((4, 4))),
    "loop": (lambda x: jax.lax.scan(lambda c, y: (c * 0.9 + y / 3, jnp.sin(c)), 0.0, x), arrays((9,))),
    "branch": (lambda x: jax.lax.cond(x.sum() > 2, lambda: x * 3, lambda: x - 4), arrays((3,))),
    "bfloat16": (lambda x: (x * 0.1 + 2).astype(jnp.float32).sum() / 5, arrays((9,), dtype=jnp.bfloat16)),
    "integers": (lambda x: (x * 3 + 7) // 2 % 5 - 1, arrays((9,), dtype=jnp.int32)),
    "dead": (lambda x: (jnp.cos(x), x + 1)[1], arrays((3,))),
    "callee": (lambda x: jax.nn.relu(jax.nn.relu(x - 1) * 2 - 1), arrays((3,))),
    "random": (
        lambda x: jax.random.normal(jax.random.wrap_key_data(x), (4,)) * 0.3,
        arrays((2,), dtype=jnp.uint32),
    ),
    "softmax": (lambda x: jax.nn.softmax(x / jnp.sqrt(64.0)), arrays((4, 4))),
    "sorted": (lambda x: jnp.sort(x * 2 - 1)[:2], arrays((9,))),
}


def compared(function, arguments, options, to=None):
    """Writes the entry of a call, and compares it with the contents of another call, or with its own."""
    arguments = arguments() if callable(arguments) else arguments
    lowered = jax.jit(function, **options).lower(*arguments)
    parts = key_parts(lowered)
    own = contents_of_call(parts, serialized_hlo(lowered))
    lowered.compile()
    return own, told(f"{FOLDER}/{parts.key.key}-cache", own if to is None else to)


def told(entry, call):
    found = differences(contents_of_entry(entry), call)
    return [[one.component, one.what, one.entry, one.call, one.certain] for one in found]


def all_compared(entries):
    """`entries` are those of the same call that other processes have written."""
    call, same = compared(step, USUAL, {})
    yield "same: step", same
    for number, entry in enumerate(entries):
        yield f"other process {number}", told(entry, call)
    for name, (function, arguments, options) in VARIANTS.items():
        yield name, compared(function, arguments, options, call)[1]
    with jax.default_matmul_precision("highest"):
        yield "precision", compared(step, USUAL, {}, call)[1]
    sharded, same = compared(step, lambda: on_mesh(2), {})
    yield "same: sharded", same
    yield "mesh of 2, not 4", compared(step, lambda: on_mesh(4), {}, sharded)[1]
    for name, (function, arguments) in SAME.items():
        yield f"same: {name}", compared(function, arguments, {})[1]


jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_compilation_cache_dir", FOLDER)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
if sys.argv[2:] == ["one"]:
    compared(step, USUAL, {})
else:
    print(json.dumps(dict(all_compared(sys.argv[2:]))))
