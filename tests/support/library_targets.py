"""Models and losses of third-party libraries as targets, with what makes their arguments as types."""

import diffrax
import equinox
import jax
import jax.numpy as jnp
import optax
from flax import linen, nnx

from samples import transformer

S = jax.ShapeDtypeStruct


def transformer_arguments():
    """Of `samples.transformer:train_step`, with two layers only."""
    return transformer.make_args(layers=2, batch=2, length=17)


class Block(linen.Module):
    @linen.compact
    def __call__(self, x):
        x = linen.LayerNorm()(x + linen.SelfAttention(num_heads=2)(x))
        return x + linen.Dense(16)(linen.gelu(linen.Dense(64)(x)))


def linen_step(params, moments, x):
    grads = jax.grad(lambda params: jnp.mean(Block().apply(params, x) ** 2))(params)
    updates, moments = optax.adamw(1e-3).update(grads, moments, params)
    return optax.apply_updates(params, updates), moments


def linen_arguments():
    x = S((4, 8, 16), "float32")
    params = jax.eval_shape(Block().init, jax.random.key(0), x)
    return params, jax.eval_shape(optax.adamw(1e-3).init, params), x


def linen_cnn(x):
    """Of images [batch, height, width, 3], with parameters that are made from a fixed key."""
    model = linen.Sequential([linen.Conv(8, (3, 3)), linen.relu, lambda x: linen.max_pool(x, (2, 2), (2, 2))])
    return model.apply(model.init(jax.random.key(0), x), x)


def nnx_mlp(x):
    """With parameters that the function closes over."""
    return NNX(x)


NNX = nnx.Sequential(nnx.Linear(16, 32, rngs=nnx.Rngs(0)), nnx.relu, nnx.Linear(32, 4, rngs=nnx.Rngs(1)))


def equinox_attention(x):
    attention = equinox.nn.MultiheadAttention(2, 16, key=jax.random.key(0))
    return jax.vmap(lambda x: attention(x, x, x))(x)


def equinox_gru(x):
    """The last state of a recurrent cell, over `x` [length, 8]."""
    cell = equinox.nn.GRUCell(8, 16, key=jax.random.key(0))
    return jax.lax.scan(lambda state, x: (cell(x, state), None), jnp.zeros(16), x)[0]


def diffrax_solve(y):
    term, solver = diffrax.ODETerm(lambda t, y, args: -y), diffrax.Tsit5()
    return diffrax.diffeqsolve(term, solver, t0=0, t1=1, dt0=0.1, y0=y).ys


def optax_ctc(logits, labels):
    return optax.ctc_loss(logits, jnp.zeros(logits.shape[:2]), labels, jnp.zeros(labels.shape)).sum()
