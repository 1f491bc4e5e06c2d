"""Training steps whose batch, or whose parameters too, are spread over devices."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jax.lax import with_sharding_constraint as constrain
from jax.sharding import PartitionSpec as P

from tests.sharded.expectations import (
    F32,
    Case,
    all_gather,
    all_reduce,
    array,
    mesh_of,
    over,
    reduce_scatter,
)

B, D, F, L, M = 240, 24, 56, 3, 5
"""Batch, width, hidden width, layers, microbatches."""
BOTH = 2 * D * F * F32
"""Bytes of both weights."""
SQUARE = D * D * F32
"""Bytes of the weights of a layer as wide as its input."""


def data_parallel(params, x):
    def loss(params):
        h = jnp.tanh(x @ params["w1"])  # moves: all-reduce
        return jnp.mean((h @ params["w2"]) ** 2)  # moves: all-reduce

    return jax.value_and_grad(loss)(params)


def moves_of_data_parallel(data):
    """XLA merges the sums of the loss and of both gradients."""
    return [all_reduce("data", BOTH + F32)]


def accumulated(params, batches):
    def loss(params, x):
        h = jnp.tanh(x @ params["w1"])  # moves: all-reduce
        return jnp.mean((h @ params["w2"]) ** 2)  # moves: all-reduce

    def step(total, x):
        return jax.tree.map(jnp.add, total, jax.grad(loss)(params, x)), None

    return lax.scan(step, jax.tree.map(jnp.zeros_like, params), batches)[0]


def moves_of_accumulated(data):
    """Once for each microbatch, though once after the loop would do."""
    return [all_reduce("data", BOTH, runs=M)]


def accumulated_by_hand(params, batches):
    def loss(params, x):
        h = jnp.tanh(x @ params["w1"])
        return jnp.mean((h @ params["w2"]) ** 2)

    def local(params, batches):
        params = jax.tree.map(lambda w: lax.pcast(w, "data", to="varying"), params)

        def step(total, x):
            return jax.tree.map(jnp.add, total, jax.grad(loss)(params, x)), None

        total, _ = lax.scan(step, jax.tree.map(jnp.zeros_like, params), batches)
        return lax.pmean(total, "data")  # moves: all-reduce

    specs = (P(), P(None, "data"))
    return jax.shard_map(local, mesh=mesh_of(batches), in_specs=specs, out_specs=P())(params, batches)


def moves_of_accumulated_by_hand(data):
    return [all_reduce("data", BOTH, asked_by="user")]


def fsdp(params, x):
    def loss(params):
        h = jnp.tanh(x @ params["w1"])  # moves: w1, all-reduce
        return jnp.mean((h @ params["w2"]) ** 2)  # moves: w2, all-reduce

    grads = jax.grad(loss)(params)
    return {name: constrain(grads[name], over(x, "data")) for name in grads}


def moves_of_fsdp(data):
    """XLA for the CPU sums whole gradients, of which each device then takes its part."""
    gathers = [all_gather("data", D * F * F32 // data, data, mark=w) for w in ("w1", "w2")]
    return [*gathers, all_reduce("data", BOTH)]


def fsdp_layers(ws, x):
    def layer(h, w):
        return jnp.tanh(h @ constrain(w, over(x))), None  # moves: all-gather, all-reduce

    def loss(ws):
        return jnp.mean(lax.scan(layer, x, ws)[0] ** 2)

    return constrain(jax.grad(loss)(ws), over(x, None, "data"))


def moves_of_fsdp_layers(data):
    """The gathered weights are kept for the way back."""
    return [all_gather("data", SQUARE // data, data, runs=L), all_reduce("data", SQUARE, runs=L)]


def zero3(ws, x):
    def local(ws, x):
        def loss(ws):
            h = x
            for w in ws:
                whole = lax.all_gather(w, "data", tiled=True)  # moves: all-gather, reduce-scatter
                h = jnp.tanh(h @ whole)
            return jnp.mean(h**2)

        return jax.grad(loss)(ws)

    specs = (P("data"), P("data"))
    return jax.shard_map(local, mesh=mesh_of(x), in_specs=specs, out_specs=P("data"))(ws, x)


def moves_of_zero3(data):
    gathers = [all_gather("data", SQUARE // data, data, asked_by="user")] * L
    return [*gathers, *[reduce_scatter("data", SQUARE, data, asked_by="user")] * L]


def sync_batch_norm(x):
    def local(x):
        mean = lax.pmean(jnp.mean(x, 0), "data")  # moves: mean
        variance = lax.pmean(jnp.mean((x - mean) ** 2, 0), "data")  # moves: variance
        return (x - mean) * lax.rsqrt(variance + 1e-5)

    return jax.shard_map(local, mesh=mesh_of(x), in_specs=P("data"), out_specs=P("data"))(x)


def moves_of_sync_batch_norm(data):
    return [all_reduce("data", D * F32, asked_by="user", mark=mark) for mark in ("mean", "variance")]


def batch(mesh):
    return array(mesh, (B, D), "data")


def batches(mesh):
    return array(mesh, (M, B, D), None, "data")


def weights(mesh, *spec):
    return {"w1": array(mesh, (D, F), *spec), "w2": array(mesh, (F, D), *spec)}


def replicated(mesh):
    return weights(mesh), batch(mesh)


def replicated_over_microbatches(mesh):
    return weights(mesh), batches(mesh)


def sharded(mesh):
    return weights(mesh, "data"), batch(mesh)


def stacked(mesh):
    return array(mesh, (L, D, D), None, "data"), batch(mesh)


def listed(mesh):
    return [array(mesh, (D, D), "data")] * L, batch(mesh)


D8 = {"data": 8}
CASES = [
    Case(data_parallel, D8, replicated, moves_of_data_parallel),
    Case(accumulated, D8, replicated_over_microbatches, moves_of_accumulated),
    Case(accumulated_by_hand, D8, replicated_over_microbatches, moves_of_accumulated_by_hand),
    Case(fsdp, D8, sharded, moves_of_fsdp),
    Case(fsdp_layers, D8, stacked, moves_of_fsdp_layers),
    Case(zero3, D8, listed, moves_of_zero3),
    Case(sync_batch_norm, D8, lambda mesh: [batch(mesh)], moves_of_sync_batch_norm),
]
