"""Programs that are slow to compile for one reason each, which is named first; and some that are not."""

import functools
import inspect
import time
from contextlib import nullcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jitinspect.model import Target
from jitinspect.process.paths import relative
from jitinspect.readings import compile_time
from jitinspect.stages.inspection import Subject
from jitinspect.stages.pipeline import Pipeline
from tests.support.measured import one_of_three_runs


def f32(*shape):
    return jax.ShapeDtypeStruct(shape, "float32")


def read(function, *args):
    subject = Subject(
        Pipeline(lambda: jax.jit(function).trace(*args)), None, (args, {}), "", {}, None, nullcontext
    )
    return compile_time.read(Target("", "", "", __file__, 1), iter([subject])).compile_time


def first(function, *args):
    """The first piece of advice, and how many lines below the function's first it points."""
    found = read(function, *args)
    whole = sum(found.wall_seconds.values())
    seconds = [one.seconds for one in found.advice]
    assert seconds == sorted(seconds, reverse=True)
    assert all(one.share == pytest.approx(one.seconds / whole) and one.share <= 1 for one in found.advice)
    file, _, number = found.advice[0].line.rpartition(":")
    assert file == relative(__file__)
    return found.advice[0].text, int(number) - inspect.unwrap(function).__code__.co_firstlineno


def inverted(x):
    """All in one kernel, which LLVM is slow to compile. It is no loop that could be a scan."""
    return functools.reduce(lambda y, _: jax.lax.erf_inv(y) * x, range(60), x)


@one_of_three_runs
def test_one_slow_kernel():
    text, where = first(inverted, f32(1000))
    assert where == 2 and "fusion" in text and "longer than all others" in text


def layers(weights, x):
    for w in weights:
        x = jnp.tanh(x @ w)
        x = x - x.mean()
    return x.sum()


@one_of_three_runs
def test_96_unrolled_layers():
    text, where = first(jax.grad(layers), [f32(16, 16)] * 96, f32(4, 16))
    assert where == 1 and "96 times" in text and "jax.lax.scan" in text


TABLE = np.arange(40_000 * 1024, dtype="float32").reshape(40_000, 1024)


def multiplied(x):
    return jnp.sin(x @ TABLE).sum()


@one_of_three_runs
def test_a_large_constant():
    text, where = first(multiplied, f32(4, 40_000))
    assert where == 1 and "f32[40000,1024]" in text and "pass it as an argument" in text


ORDER = np.random.default_rng(0).normal(size=4_000).astype("float32")


def sorting(x):
    y = x * jnp.cumsum(jnp.ones(10))[3]
    order = jnp.sort(jnp.asarray(ORDER))
    return y + order[:3]


@one_of_three_runs
def test_slow_constant_folding():
    text, where = first(sorting, f32(3))
    assert where == 2 and "folds constants" in text and "sort of 4,000 elements" in text


def slow_helper(x):
    time.sleep(0.03)
    return x + 1


def calling(x):
    for _ in range(40):
        x = slow_helper(x)
    return x


@one_of_three_runs
def test_a_slow_trace():
    text, where = first(calling, f32(3))
    assert where == slow_helper.__code__.co_firstlineno + 1 - calling.__code__.co_firstlineno
    assert "outside of JAX" in text


def mlp():
    from samples.mlp import loss_fn

    return jax.grad(loss_fn), (f32(128, 784), f32(784, 256))


def block():
    def attention(q, k, v):
        return jax.nn.softmax(q @ k.T / 8) @ v

    return attention, (f32(64, 32),) * 3


def flax():
    from flax import linen as nn

    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            for size in (64, 64, 64, 64):
                x = nn.LayerNorm()(nn.gelu(nn.Dense(size)(x)))
            return x.mean()

    model = Model()
    return jax.grad(model.apply), (jax.eval_shape(model.init, jax.random.key(0), f32(8, 32)), f32(8, 32))


def equinox():
    import equinox as eqx

    model = eqx.nn.MLP(8, 8, 64, 3, key=jax.random.key(0))
    params, static = eqx.partition(model, eqx.is_array)
    return jax.grad(lambda params, x: jax.vmap(eqx.combine(params, static))(x).mean()), (params, f32(16, 8))


@pytest.mark.parametrize("program", [mlp, block, flax, equinox])
@one_of_three_runs
def test_nothing_where_nothing_is_wrong(program):
    function, args = program()
    assert read(function, *args).advice == ()
