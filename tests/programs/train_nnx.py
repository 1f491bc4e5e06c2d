"""Trains a small flax.nnx model with batch norm and dropout; the last batch is smaller than the others."""

import numpy as np
import optax
from flax import nnx


class Model(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.Linear(8, 16, rngs=rngs)
        self.norm = nnx.BatchNorm(16, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.out = nnx.Linear(16, 3, rngs=rngs)

    def __call__(self, x):
        return self.out(self.dropout(nnx.relu(self.norm(self.hidden(x)))))


def loss_fn(model, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()


@nnx.jit
def train_step(model, optimizer, x, y):
    loss, grads = nnx.value_and_grad(loss_fn)(model, x, y)
    optimizer.update(model, grads)
    return loss


@nnx.jit
def evaluate(model, x, y):
    return loss_fn(model, x, y)


rng = np.random.default_rng(0)
xs = rng.normal(size=(81, 8)).astype(np.float32)
ys = rng.integers(0, 3, 81).astype(np.int32)

model = Model(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adamw(1e-2), wrt=nnx.Param)
for epoch in range(2):
    model.train()
    for i in range(0, 81, 32):
        loss = train_step(model, optimizer, xs[i : i + 32], ys[i : i + 32])
    print("train", epoch, f"{loss:.6g}")
    model.eval()
    print("evaluate", epoch, f"{evaluate(model, xs, ys):.6g}")
model.train()  # evaluating with dropout on is a bug of many a program
print("evaluate in training mode", f"{evaluate(model, xs, ys):.6g}")
