"""A perceptron's training step over a mesh of the axes `data` and `model`: give it `--mesh data=4,model=2`.

The batch is divided over `data`, the hidden layer over `model`; what is left is replicated.
"""

import jax
import jax.numpy as jnp


def forward(params, x):
    """Of `x` [batch, features] the outputs [batch, classes]; `params` = {'w1', 'b1', 'w2', 'b2'}."""
    hidden = jax.nn.relu(x @ params["w1"] + params["b1"])
    return hidden @ params["w2"] + params["b2"]


@jax.jit
def train_step(params, x, y):
    """One step of gradient descent on the squared error: the new parameters, and the loss."""

    def loss_fn(params):
        return jnp.mean((forward(params, x) - y) ** 2)

    loss, grads = jax.value_and_grad(loss_fn)(params)
    return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), loss


def make_args():
    """Arguments for `train_step` as types, over the first eight devices."""
    mesh = jax.make_mesh((4, 2), ("data", "model"), axis_types=(jax.sharding.AxisType.Auto,) * 2)

    def array(shape, *axes):
        sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))
        return jax.ShapeDtypeStruct(shape, jnp.float32, sharding=sharding)

    params = {
        "w1": array((1024, 4096), None, "model"),
        "b1": array((4096,), "model"),
        "w2": array((4096, 256), "model"),
        "b2": array((256,)),
    }
    return params, array((512, 1024), "data"), array((512, 256), "data")
