"""The functions whose dumps are recorded, each with its call; lines of this file appear in the dumps."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp


@partial(jax.jit, donate_argnums=0)
def step(params: Any, x: Any, y: Any) -> Any:
    """Donated parameters, temporaries that do not fit into VMEM."""

    def loss(params: Any) -> Any:
        hidden = jnp.tanh(x @ params["w1"])
        return jnp.mean((hidden @ params["w2"] - y) ** 2)

    value, grads = jax.value_and_grad(loss)(params)
    return value, jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)


@jax.jit
def layers(ws: Any, x: Any) -> Any:
    """Activations that live until the backward pass, and are computed again when they would not fit."""

    def loss(ws: Any) -> Any:
        hidden = x
        for w in ws:
            hidden = jnp.tanh(hidden @ w)
        return jnp.sum(hidden)

    return jax.grad(loss)(ws)


@jax.jit
def loop(x: Any, n: Any) -> Any:
    """A loop with a large state."""
    return jax.lax.while_loop(
        lambda state: state[1] < n,
        lambda state: (jnp.tanh(state[0] @ state[0]), state[1] + 1),
        (x, 0),
    )


@jax.jit
def scalars(a: Any, b: Any) -> Any:
    """Nothing worth mentioning."""
    return a * b + 1.0


f32 = jnp.float32
Shape = tuple[tuple[int, ...], Any]
CALLS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "step": (
        step,
        ({"w1": ((8192, 8192), f32), "w2": ((8192, 512), f32)}, ((65536, 8192), f32), ((65536, 512), f32)),
    ),
    "layers": (layers, ([((16384, 16384), f32)] * 3, ((20480, 16384), f32))),
    "layers-refused": (layers, ([((16384, 16384), f32)] * 3, ((65536, 16384), f32))),
    "loop": (loop, (((8192, 8192), f32), ((), jnp.int32))),
    "late": (scalars, (((2064115, 8, 128), f32), ((), f32))),
    "scalars": (scalars, (((), f32), ((), f32))),
}
"""Name of the record → function, and the shape and dtype of each leaf of its arguments. `late` passes XLA's
early check on a v5e by less than its machine code needs, and is refused in the end.
"""
