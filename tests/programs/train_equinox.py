"""Trains an equinox model; the last batch is smaller, and then the rate of its dropout is changed."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax


class Net(eqx.Module):
    hidden: eqx.nn.Linear
    dropout: eqx.nn.Dropout
    out: eqx.nn.Linear

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.hidden = eqx.nn.Linear(8, 16, key=first)
        self.dropout = eqx.nn.Dropout(0.1)
        self.out = eqx.nn.Linear(16, 1, key=second)

    def __call__(self, x, key=None):
        return self.out(self.dropout(jax.nn.relu(self.hidden(x)), key=key))[0]


@eqx.filter_value_and_grad
def loss_fn(model, x, y, keys):
    return jnp.mean((jax.vmap(model)(x, keys) - y) ** 2)


optimizer = optax.adam(1e-2)


@eqx.filter_jit
def train_step(model, state, x, y, key):
    loss, grads = loss_fn(model, x, y, jax.random.split(key, len(x)))
    updates, state = optimizer.update(grads, state)
    return eqx.apply_updates(model, updates), state, loss


@eqx.filter_jit
def evaluate(model, x, y):
    return jnp.mean((jax.vmap(eqx.nn.inference_mode(model))(x) - y) ** 2)


rng = np.random.default_rng(0)
xs = rng.normal(size=(81, 8)).astype(np.float32)
ys = xs.sum(1)
key = jax.random.key(0)

model = Net(key)
state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))
for epoch in range(2):
    for i in range(0, 81, 32):
        key, now = jax.random.split(key)
        model, state, loss = train_step(model, state, xs[i : i + 32], ys[i : i + 32], now)
    print(epoch, f"{loss:.6g}", f"{evaluate(model, xs, ys):.6g}")
model = eqx.tree_at(lambda net: net.dropout.p, model, 0.5)
model, state, loss = train_step(model, state, xs[:32], ys[:32], key)
print("more dropout", f"{loss:.6g}")
