"""Trains a flax.linen classifier, anew for each learning rate; exits with 3."""

import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class Classifier(nn.Module):
    width: int

    @nn.compact
    def __call__(self, x, training):
        x = nn.relu(nn.Dense(self.width)(x))
        x = nn.Dropout(0.5, deterministic=not training)(x)
        return nn.Dense(2)(x)


def create_state(key, learning_rate):
    model = Classifier(16)
    params = model.init(key, jnp.ones((1, 8)), training=False)["params"]
    return TrainState.create(apply_fn=model.apply, params=params, tx=optax.sgd(learning_rate, 0.9))


@jax.jit
def train_step(state, x, y, key):
    def loss_fn(params):
        rngs = {"dropout": jax.random.fold_in(key, state.step)}
        logits = state.apply_fn({"params": params}, x, training=True, rngs=rngs)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


@functools.partial(jax.jit, static_argnames="training")
def predict(state, x, training=False):
    return state.apply_fn({"params": state.params}, x, training=training)


rng = np.random.default_rng(0)
xs = rng.normal(size=(81, 8)).astype(np.float32)
ys = (xs.sum(1) > 0).astype(np.int32)

for learning_rate in (0.1, 0.01):
    key = jax.random.key(0)
    state = create_state(key, learning_rate)
    for i in range(0, 81, 32):
        state, loss = train_step(state, xs[i : i + 32], ys[i : i + 32], key)
    print(learning_rate, f"{loss:.6g}", f"{predict(state, xs).sum():.6g}")
print("done", file=sys.stderr)
sys.exit(3)
