"""A small multilayer perceptron, the functions that one would look at first."""

from functools import partial

import jax
import jax.numpy as jnp


def normalize(x):
    """Rows of `x` to mean 0 and variance 1."""
    centred = x - jnp.mean(x, axis=1, keepdims=True)
    return centred / jnp.sqrt(jnp.var(x, axis=1, keepdims=True) + 1e-6)


def layer(x, w, b):
    return jax.nn.gelu(x @ w + b)


@jax.jit
def loss_fn(x, w):
    """Mean squared activation of one layer: of `x` [batch, in] and `w` [in, out], a scalar."""
    return jnp.mean(jnp.tanh(x @ w) ** 2)


@partial(jax.jit, static_argnames="training")
def predict(x, w, training=False):
    """Class probabilities [batch, classes]; in training every second feature is dropped."""
    if training:
        x = jnp.where(jnp.arange(x.shape[1]) % 2 == 0, x * 2, 0)
    return jax.nn.softmax(x @ w)


def forward(params, x):
    """`params` = {'w1', 'b1', 'w2', 'b2'}; the logits [batch, classes] for `x` [batch, features]."""
    hidden = layer(x, params["w1"], params["b1"])
    return hidden @ params["w2"] + params["b2"]


@partial(jax.jit, donate_argnames="params")
def sgd_step(params, x, y, learning_rate=0.1):
    """One step of gradient descent on the squared error; the old parameters are donated."""

    def loss(params):
        return jnp.mean((forward(params, x) - y) ** 2)

    grads = jax.grad(loss)(params)
    return jax.tree.map(lambda p, g: p - learning_rate * g, params, grads)


def make_args():
    """Arguments for `sgd_step`, as `--args-from samples.mlp:make_args` takes them."""
    params = {
        "w1": jnp.zeros((784, 256)),
        "b1": jnp.zeros(256),
        "w2": jnp.zeros((256, 10)),
        "b2": jnp.zeros(10),
    }
    return params, jnp.zeros((128, 784)), jnp.zeros((128, 10))


def forward_args():
    """Arguments for `forward`."""
    params, x, _ = make_args()
    return params, x


def activate(x, kind):
    """`jax.nn`'s activation of that name; `kind` is static."""
    return getattr(jax.nn, kind)(x)


def dropout(key, x, rate=0.5):
    """Each element of `x` is zero with probability `rate`, the others are scaled up."""
    kept = jax.random.bernoulli(key, 1 - rate, x.shape)
    return jnp.where(kept, x / (1 - rate), 0)
