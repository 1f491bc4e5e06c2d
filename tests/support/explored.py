"""Calls whose exploration is looked at: of the samples, and of functions of three libraries."""

import functools

import equinox
import jax
import jax.numpy as jnp
import optax
from flax import linen

from samples import mlp, transformer

X = jnp.ones((8, 16))


class Net(linen.Module):
    @linen.compact
    def __call__(self, x):
        x = linen.relu(linen.Dense(32)(x))
        return linen.Dense(4)(linen.LayerNorm()(x))


def of_flax(params, x):
    return jax.grad(lambda params: jnp.mean(Net().apply(params, x) ** 2))(params)


def of_optax(params, gradients, state):
    updates, state = optax.adam(1e-3).update(gradients, state, params)
    return optax.apply_updates(params, updates), state


@functools.cache
def equinox_net():
    return equinox.partition(equinox.nn.MLP(16, 4, 32, 2, key=jax.random.key(0)), equinox.is_array)


def of_equinox(arrays, x):
    return jax.vmap(equinox.combine(arrays, equinox_net()[1]))(x)


def calls():
    params, moments = {"w": X}, optax.adam(1e-3).init({"w": X})
    return {
        "loss_fn": (mlp.loss_fn, (X, X.T)),
        "normalize": (mlp.normalize, (X,)),
        "sgd_step": (mlp.sgd_step, mlp.make_args()),
        "transformer": (transformer.train_step, transformer.make_args(layers=2, batch=2, length=17)),
        "flax": (of_flax, (Net().init(jax.random.key(0), X), X)),
        "optax": (of_optax, (params, params, moments)),
        "equinox": (of_equinox, (equinox_net()[0], X)),
    }


NAMES = ("loss_fn", "normalize", "sgd_step", "transformer", "flax", "optax", "equinox")
