"""The functions that drawn programs call. Each returns its result, and the number of the trace it is from."""

import collections
import contextlib
import dataclasses
import functools
import gc
import threading

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P


class Traces:
    """How often the body of a function ran, all functions together."""

    made = 0

    def __call__(self):
        self.made += 1
        return self.made


traces = Traces()


# What calls are made on


def note(args, kwargs):
    """Where the arguments of a step are made; a process that listens puts its own in place of it."""


def at(device, array):
    return jax.device_put(array, jax.devices()[device])


def over(size, axis, array):
    """Sharded over the first `size` devices."""
    return jax.device_put(array, NamedSharding(Mesh(np.array(jax.devices()[:size]), ("d",)), P(axis)))


def weak(array):
    """A weakly typed array that is no Python scalar."""
    return jax.lax.broadcast(jnp.asarray(array.dtype.type(0).item()), array.shape)


@contextlib.contextmanager
def setting(**values):
    made = {
        "jax_enable_x64": jax.enable_x64,
        "jax_default_matmul_precision": jax.default_matmul_precision,
        "jax_numpy_rank_promotion": jax.numpy_rank_promotion,
        "jax_debug_nans": jax.debug_nans,
        "jax_default_device": lambda index: jax.default_device(jax.devices()[index]),
        "mesh": lambda size: Mesh(np.array(jax.devices()[:size]), ("d",)),
    }
    with contextlib.ExitStack() as stack:
        for name, value in values.items():
            stack.enter_context(made[name](value))
        yield


def in_thread(call):
    """What `call()` returns, or raises, in another thread."""
    told = []

    def run():
        try:
            told.append((call(), None))
        except Exception as error:
            told.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    result, error = told[0]
    if error is not None:
        raise error
    return result


Point = collections.namedtuple("Point", "x y")
NAN = float("nan")


@dataclasses.dataclass(frozen=True)
class Config:
    width: int
    name: str = "a"


class Opaque:
    """Static by identity."""


OPAQUE = Opaque()


# What is called


def light(result, *used):
    """The first of what a body used, where it would return `result`, which is dropped: JAX traces both alike,
    but XLA compiles no kernel, which takes longer than all else. In some functions it does.
    """
    return jax.lax.optimization_barrier(used)[0]


@jax.jit
def add(x, y):
    return light(x + y, x, y), traces()


@functools.partial(jax.jit, static_argnames="n")
def scale(x, n=2):
    return light(x + len(repr(n)), x), traces()


@functools.partial(jax.jit, static_argnums=(-1,))
def last(x, n):
    return light(x + len(repr(n)), x), traces()


@functools.partial(jax.jit, static_argnames=("flag",))
def formed(x, y=1.0, *, flag=False):
    return light(x * y if flag else x + y, x, y), traces()


@jax.jit
def grow(tree):
    return jax.tree.map(lambda leaf: light(leaf + 1, leaf), tree), traces()


@jax.jit
def variadic(*xs, **options):
    return jax.tree.map(lambda leaf: light(leaf + 1, leaf), (xs, options)), traces()


@functools.partial(jax.jit, donate_argnums=0)
def donating(x, y):
    return x + y, traces()


@jax.jit
def ignoring(x, y):
    return light(x + 1, x), traces()


@jax.jit
def forwarding(x):
    return x, traces()


@jax.jit
def summing(x):
    return jnp.where(x > 0, jnp.sum(x), jnp.mean(x)), traces()


@jax.jit
def multiplying(x):
    return jnp.tensordot(x, x, 1), traces()


@jax.jit
def inner(x):
    return x + 1, traces()


@jax.jit
def outer(x):
    return inner(inner(x)[0])[0] * 2, traces()


@jax.jit
def calling_back(x):
    jax.debug.callback(lambda value: None, x)
    return light(x + 1, x), traces()


@jax.jit
def refusing(x):
    traces()
    if x.shape == (4,):
        raise ValueError("not four")
    return light(x + 1, x), traces()


@jax.jit
def ahead(x):
    with jax.ensure_compile_time_eval():
        size = jnp.arange(3) + 1
    return x + size[0], traces()


@jax.jit
def constant(x):
    return x + CONSTANT[0], traces()


CONSTANT = np.arange(3)


@jax.jit
def keyed(key):
    return jax.random.key_data(key), traces()


@jax.jit
def nothing():
    return jnp.zeros(2), traces()


def base(x, y):
    return light(x + y, x, y), traces()


first = jax.jit(base)
second = jax.jit(base)
third = jax.jit(base, donate_argnums=0)
fourth = jax.jit(base, compiler_options={"xla_embed_ir_in_executable": True})
fifth = jax.jit(base, keep_unused=True)
sixth = jax.jit(base, inline=True)
partially = jax.jit(functools.partial(base, y=2))


def plain(x):
    return light(x - 1, x), traces()


plainly = jax.jit(plain)


class Model:
    def __call__(self, x):
        return light(x + 1, x), traces()

    def step(self, x):
        return light(x + 2, x), traces()

    @functools.partial(jax.jit, static_argnums=0)
    def held(self, x):
        return light(x + 3, x), traces()


model = Model()
instance = jax.jit(model)
bound = jax.jit(model.step)


def fresh():
    """A new function each time, from one place."""
    return jax.jit(lambda x: (light(x + 1, x), traces()))


def remake():
    def remade(x):
        return light(x + 1, x), traces()

    return jax.jit(remade)


remade = remake()


def gradient(fun, x):
    """Of a call of `fun`, and the trace it comes from is not told."""
    jax.grad(lambda value: jnp.sum(fun(value)[0]))(x)


def mapped(fun, x):
    jax.vmap(lambda value: fun(value)[0])(x)


def again(x, y):
    """A jit that lives for one call."""
    return jax.jit(base)(x, y)


def collect():
    gc.collect()
