"""The gradient of a transformer block in bfloat16, to be compiled for a TPU or GPU.

The types of its parameters come from `make_params`; the batch is left open: `--shape 'bf16[B,512,1024]'`.
"""

import jax
import jax.numpy as jnp

WIDTH, HEADS = 1024, 8


def make_params():
    """The first argument of `step`, as types: nothing is allocated."""

    def weights(*shape):
        return jax.ShapeDtypeStruct(shape, jnp.bfloat16)

    return (
        {
            "qkv": weights(WIDTH, 3 * WIDTH),
            "out": weights(WIDTH, WIDTH),
            "up": weights(WIDTH, 4 * WIDTH),
            "down": weights(4 * WIDTH, WIDTH),
        },
    )


def norm(x):
    x = x.astype(jnp.float32)
    x = x - x.mean(-1, keepdims=True)
    return (x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5)).astype(jnp.bfloat16)


def attention(params, x):
    """Over `x` [batch, length, width]."""
    batch, length, width = x.shape
    split = jnp.split(x @ params["qkv"], 3, axis=-1)
    q, k, v = (part.reshape(batch, length, HEADS, -1) for part in split)
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * (width // HEADS) ** -0.5
    weights = jax.nn.softmax(scores.astype(jnp.float32)).astype(x.dtype)
    return jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(x.shape) @ params["out"]


def block(params, x):
    x = x + attention(params, norm(x))
    return x + jax.nn.gelu(norm(x) @ params["up"]) @ params["down"]


def loss_fn(params, x):
    return jnp.mean(block(params, x).astype(jnp.float32) ** 2)


step = jax.jit(jax.grad(loss_fn))
