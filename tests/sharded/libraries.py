"""Other ways to ask for shardings: explicit axes, `jit`, custom partitioning, flax, equinox, GSPMD."""

from __future__ import annotations

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from jax.experimental.custom_partitioning import custom_partitioning
from jax.lax import with_sharding_constraint as constrain
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from tests.sharded.expectations import F32, Case, all_gather, all_reduce, array, over

B, D, F = 24, 40, 56
"""Batch, width, hidden width."""


def explicit_axes(w1, w2, x):
    h = jax.nn.relu(x @ w1)
    out = jnp.einsum("bf,fd->bd", h, w2, out_sharding=over(x, "data"))  # moves: all-reduce
    return jax.reshard(out, over(x))  # moves: all-gather


def moves_of_explicit_axes(data, model):
    part = B * D * F32 // data
    return [all_reduce("model", part), all_gather("data", part, data)]


def with_shardings_of_jit(w, x):
    return jnp.sin(x @ w)  # moves: all-reduce


def moves_of_with_shardings_of_jit(data, model):
    return [all_reduce("model", B * F * F32 // data)]


def jitted_with_shardings(mesh):
    w, x, out = (NamedSharding(mesh, spec) for spec in (P("model"), P("data", "model"), P("data")))
    return jax.jit(with_shardings_of_jit, in_shardings=(w, x), out_shardings=out)


@custom_partitioning
def normalized(x):
    return x * lax.rsqrt(jnp.mean(x * x, -1, keepdims=True))


def _partition(mesh, arguments, result):
    laid = arguments[0].sharding

    def local(x):
        total = lax.psum(jnp.sum(x * x, -1, keepdims=True), laid.spec[-1])
        return x * lax.rsqrt(total / D)

    return mesh, local, laid, (laid,)


normalized.def_partition(
    partition=_partition,
    infer_sharding_from_operands=lambda mesh, arguments, result: arguments[0].sharding,
    sharding_rule="... d -> ... d",
)


def custom_partitioned(x):
    return normalized(x)  # moves: all-reduce


def moves_of_custom_partitioned(data, model):
    """XLA gives all that the function of the partition makes the line of the call."""
    return [all_reduce("model", B * F32 // data, asked_by="user")]


class Perceptron(nn.Module):
    @nn.compact
    def __call__(self, x):
        init = nn.initializers.lecun_normal()
        up = nn.Dense(F, use_bias=False, kernel_init=nn.with_partitioning(init, (None, "model")))
        down = nn.Dense(D, use_bias=False, kernel_init=nn.with_partitioning(init, ("model", None)))
        return down(nn.relu(up(x)))  # moves: sum in flax_linen


def flax_linen(variables, x):
    return Perceptron().apply(variables, x)


def moves_of_flax_linen(data, model):
    return [all_reduce("model", B * D * F32 // data, mark="sum in flax_linen")]


def parameters_of_linen(mesh):
    x = array(mesh, (B, D), "data")
    boxed = jax.eval_shape(Perceptron().init, jax.random.key(0), x)
    return sharded_alike(mesh, nn.unbox(boxed), nn.get_partition_spec(boxed)), x


class Stack(nnx.Module):
    def __init__(self):
        init, rngs = nnx.initializers.lecun_normal(), nnx.Rngs(0)
        by_columns = nnx.with_partitioning(init, (None, "model"))
        by_rows = nnx.with_partitioning(init, ("model", None))
        self.up = nnx.Linear(D, F, use_bias=False, rngs=rngs, kernel_init=by_columns)
        self.down = nnx.Linear(F, D, use_bias=False, rngs=rngs, kernel_init=by_rows)

    def __call__(self, x):
        return self.down(nnx.relu(self.up(x)))  # moves: sum in flax_nnx


def split_stack():
    with nnx.use_eager_sharding(False):
        return nnx.split(nnx.eval_shape(Stack))


def flax_nnx(state, x):
    graph, _ = split_stack()
    return nnx.merge(graph, state)(x)


def moves_of_flax_nnx(data, model):
    return [all_reduce("model", B * D * F32 // data, mark="sum in flax_nnx")]


def parameters_of_nnx(mesh):
    _, state = split_stack()
    return sharded_alike(mesh, state, nnx.get_partition_spec(state)), array(mesh, (B, D), "data")


class Block(eqx.Module):
    up: eqx.nn.Linear
    down: eqx.nn.Linear

    def __call__(self, x):
        return self.down(jax.nn.relu(self.up(x)))


def equinox_model(block, x):
    whole = eqx.filter_shard(block, over(x))  # moves: all-gather
    return jax.vmap(whole)(x)


def moves_of_equinox_model(data):
    return [all_gather("data", D * F * F32 // data, data)] * 2


def parameters_of_equinox(mesh):
    up, down = jax.random.split(jax.random.key(0))
    block = eqx.filter_eval_shape(
        lambda: Block(eqx.nn.Linear(D, F, False, key=up), eqx.nn.Linear(F, D, False, key=down))
    )
    whole = jax.tree.map(lambda leaf: array(mesh, leaf.shape, "data"), block)
    return whole, array(mesh, (B, D), "data")


def sharded_alike(mesh, leaves, specs):
    return jax.tree.map(lambda leaf, spec: array(mesh, leaf.shape, *spec), leaves, specs)


def by_gspmd(w1, w2, x):
    return constrain(jax.nn.relu(x @ w1) @ w2, over(x))  # moves: all-reduce, all-gather


def moves_of_by_gspmd(data, model):
    """It gathers between the layers, where rows are shorter, and then sums all."""
    return [all_gather("data", B * F * F32 // (data * model), data), all_reduce("model", B * D * F32)]


def megatron(mesh):
    return array(mesh, (D, F), None, "model"), array(mesh, (F, D), "model"), array(mesh, (B, D), "data")


def not_laid(mesh):
    return jax.ShapeDtypeStruct((D, F), "float32"), jax.ShapeDtypeStruct((B, D), "float32")


def tiles(mesh):
    return [array(mesh, (B, D), "data", "model")]


D8, DATA_MODEL = {"data": 8}, {"data": 4, "model": 2}
CASES = [
    Case(explicit_axes, DATA_MODEL, megatron, moves_of_explicit_axes, explicit=True),
    Case(
        with_shardings_of_jit,
        DATA_MODEL,
        not_laid,
        moves_of_with_shardings_of_jit,
        jitted=jitted_with_shardings,
    ),
    Case(custom_partitioned, DATA_MODEL, tiles, moves_of_custom_partitioned),
    Case(flax_linen, DATA_MODEL, parameters_of_linen, moves_of_flax_linen),
    Case(flax_nnx, DATA_MODEL, parameters_of_nnx, moves_of_flax_nnx),
    Case(equinox_model, D8, parameters_of_equinox, moves_of_equinox_model),
    Case(by_gspmd, DATA_MODEL, megatron, moves_of_by_gspmd, is_shardy=False),
]
