"""Functions of many kinds with arguments for them: what their texts have in them is read in tests."""

import functools

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen

from samples import mlp, transformer

S = jax.ShapeDtypeStruct
F = S((8, 8), "float32")
V = S((16,), "float32")
TABLE = np.arange(2000.0, dtype="float32")


def layers(x, ws):
    for w in ws:
        x = jnp.tanh(x @ w)
        x = x / jnp.linalg.norm(x)
    return x


def loops(x):
    def body(carry, _):
        return jnp.sin(carry) * 2, carry.sum()

    x, sums = jax.lax.scan(body, x, None, length=7)
    x = jax.lax.fori_loop(0, 5, lambda i, c: c @ c + i, x)
    _, x = jax.lax.while_loop(lambda c: c[0] < 9, lambda c: (c[0] + 2, c[1] * c[1]), (1, x))
    return x, sums


def loops_summed(x):
    return jax.lax.scan(lambda c, _: (jnp.sin(c) @ c, None), x, None, length=7)[0].sum()


def branches(x, n):
    y = jax.lax.cond(x.sum() > 0, lambda: x * 2, lambda: jnp.cos(x) - 1)
    return jax.lax.switch(n, [jnp.sin, jnp.cos, lambda x: x @ x], y)


def indexing(x, i):
    rows = jnp.sort(x, axis=0)[i]
    return x.at[i, 2].add(3.0).at[0].set(rows), jnp.argsort(x[0]), jax.lax.top_k(x, 3), jnp.cumsum(x)


def random(key, x):
    key, other = jax.random.split(key)
    return jax.random.categorical(key, x), jax.random.normal(other, x.shape) @ x


@jax.custom_vjp
def clipped(x):
    return jnp.clip(x, -1, 1)


clipped.defvjp(lambda x: (clipped(x), x), lambda x, g: (g * (jnp.abs(x) < 1),))


def customs(x):
    jax.debug.print("in [a {x} (", x=x[0, 0])
    with jax.named_scope("a scope = { lambda"):
        y = jax.checkpoint(lambda x: jnp.sin(jnp.exp(x)))(clipped(x))
    return jax.pure_callback(lambda y: np.asarray(y), F, y) + TABLE[:8] + TABLE.sum()


def linear_algebra(x):
    return jnp.linalg.cholesky(x @ x.T + jnp.eye(8)), jnp.linalg.solve(x, x[0]), jnp.linalg.svd(x)


def signals(x, kernel):
    y = jax.lax.conv_general_dilated(x[None, None], kernel[None, None], (2, 2), "SAME")
    return y, jnp.fft.rfft(x), jax.nn.softmax(y), jax.image.resize(x, (4, 4), "linear")


def dtypes(x):
    small = x.astype(jnp.bfloat16) @ x.astype(jnp.bfloat16).T
    return small, x.astype(jnp.float8_e4m3fn), x.astype(jnp.int8), x > 0, x.astype(complex) * 1j


def empty():
    return ()


def identity(x):
    return x


class Dense(linen.Module):
    @linen.compact
    def __call__(self, x):
        return linen.LayerNorm()(linen.Dense(8)(linen.relu(linen.Dense(16)(x))))


def flax_step(params, x):
    def loss(params):
        return jnp.mean(Dense().apply(params, x) ** 2)

    optimizer = optax.adam(1e-3)
    updates, _ = optimizer.update(jax.grad(loss)(params), optimizer.init(params))
    return optax.apply_updates(params, updates)


def equinox_step(x):
    model = equinox.nn.MLP(8, 8, 16, 2, key=jax.random.key(0))
    return jax.vmap(model)(x)


def flax_params():
    return jax.eval_shape(Dense().init, jax.random.key(0), jnp.zeros((4, 8)))


def key():
    return jax.eval_shape(lambda: jax.random.key(0))


CASES = {
    "normalize": lambda: (mlp.normalize, F),
    "loss_fn": lambda: (mlp.loss_fn, F, F),
    "predict": lambda: (functools.partial(mlp.predict, training=True), F, F),
    "sgd_step": lambda: (mlp.sgd_step, *jax.eval_shape(mlp.make_args)),
    "transformer": lambda: (
        jax.grad(transformer.loss_fn),
        jax.eval_shape(functools.partial(transformer.init, layers=2), key()),
        S((2, 9), "int32"),
    ),
    "layers": lambda: (layers, F, [F] * 6),
    "loops": lambda: (loops, F),
    "grad of loops": lambda: (jax.grad(loops_summed), F),
    "branches": lambda: (branches, F, S((), "int32")),
    "indexing": lambda: (indexing, F, S((), "int32")),
    "random": lambda: (random, key(), F),
    "customs": lambda: (customs, F),
    "linear algebra": lambda: (linear_algebra, F),
    "signals": lambda: (signals, F, S((3, 3), "float32")),
    "dtypes": lambda: (dtypes, F),
    "vmap": lambda: (jax.vmap(lambda x, y: jnp.dot(x, y)), F, F),
    "hessian": lambda: (jax.hessian(lambda x: jnp.sum(jnp.tanh(x) ** 3)), V),
    "no arguments": lambda: (empty,),
    "identity": lambda: (identity, V),
    "flax and optax": lambda: (flax_step, flax_params(), S((4, 8), "float32")),
    "equinox": lambda: (equinox_step, S((4, 8), "float32")),
    "lambda": lambda: (lambda x: jnp.where(x > 0, x, 0).sum(), V),
}  # fmt: skip
"""name → what makes the function and the types of its arguments."""

OF_USERS = tuple(name for name in CASES if name not in ("no arguments", "identity", "hessian"))
"""Those that have operations of lines of theirs; a third of a hessian is `jax.hessian`'s own."""
