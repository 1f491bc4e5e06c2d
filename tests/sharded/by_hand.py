"""Collectives that the program calls itself, over one axis, two, or three, and in each kind of loop."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import PartitionSpec as P

from tests.sharded.expectations import (
    F32,
    Case,
    Move,
    all_gather,
    all_reduce,
    all_to_all,
    array,
    mesh_of,
    permute,
    reduce_scatter,
)

R, C = 48, 40
"""Rows and columns."""
L, T = 3, 7
"""Iterations of an outer loop, and of an inner one."""
TILES = P("data", "model")

all_gather_ = partial(all_gather, asked_by="user")
all_reduce_ = partial(all_reduce, asked_by="user")
all_to_all_ = partial(all_to_all, asked_by="user")


def over_two_axes(x):
    def local(x):
        return lax.psum(x, ("data", "model"))  # moves: all-reduce

    return jax.shard_map(local, mesh=mesh_of(x), in_specs=TILES, out_specs=P())(x)


def moves_of_over_two_axes(data, model):
    tile = R * C * F32 // (data * model)
    return [Move("all-reduce", ("data", "model"), tile, tile, asked_by="user")]


def in_half_precision(x):
    def local(x):
        return lax.psum(x, "data")  # moves: all-reduce

    return jax.shard_map(local, mesh=mesh_of(x), in_specs=P("data"), out_specs=P())(x)


def moves_of_in_half_precision(data):
    """XLA for the CPU makes bf16 into f32 before it sums: twice what the program says."""
    return [all_reduce_("data", R * C * F32 // data)]


def gathered_and_scattered(x):
    def local(x):
        whole = lax.all_gather(x, "model")  # moves: all-gather
        return lax.psum_scatter(whole, "data", scatter_dimension=1, tiled=True)  # moves: reduce-scatter

    spread = jax.shard_map(
        local, mesh=mesh_of(x), in_specs=TILES, out_specs=P("model", "data"), check_vma=False
    )
    return spread(x)


def moves_of_gathered_and_scattered(data, model):
    tile = R * C * F32 // (data * model)
    return [all_gather_("model", tile, model), reduce_scatter("data", tile * model, data, asked_by="user")]


def three_axes(w, x):
    def local(w, x):
        whole = lax.all_gather(w, "data", tiled=True)  # moves: all-gather
        partial = lax.psum(x @ whole, "model")  # moves: all-reduce
        return lax.all_to_all(partial, "seq", 1, 0, tiled=True)  # moves: all-to-all

    specs = (P(("model", "data")), P(("data", "seq"), "model"))
    return jax.shard_map(local, mesh=mesh_of(x), in_specs=specs, out_specs=P("data", "seq"))(w, x)


def moves_of_three_axes(data, seq, model):
    product = C // (data * seq) * C * F32
    gather = all_gather_("data", R * C * F32 // (model * data), data)
    return [gather, all_reduce_("model", product), all_to_all_("seq", product)]


def in_nested_scans(x):
    def local(x):
        def inner(total, _):
            return lax.pmean(total, "data") + x, None  # moves: inner

        def outer(total, _):
            total, _ = lax.scan(inner, total, None, length=T)
            return lax.pmean(total * total, "model") * x, None  # moves: outer

        return lax.scan(outer, x, None, length=L)[0]

    return jax.shard_map(local, mesh=mesh_of(x), in_specs=TILES, out_specs=TILES, check_vma=False)(x)


def moves_of_in_nested_scans(data, model):
    tile = R * C * F32 // (data * model)
    inner = all_reduce_("data", tile, runs=L * T, mark="inner")
    return [inner, all_reduce_("model", tile, runs=L, mark="outer")]


def in_a_fori_loop(x):
    n = mesh_of(x).shape["data"]
    ring = [(i, (i + 1) % n) for i in range(n)]

    def local(x):
        def step(_, x):
            return lax.ppermute(jnp.sin(x), "data", ring)  # moves: collective-permute

        return lax.fori_loop(0, T, step, x)

    return jax.shard_map(local, mesh=mesh_of(x), in_specs=P("data"), out_specs=P("data"))(x)


def moves_of_in_a_fori_loop(data):
    return [permute("data", R * C * F32 // data, runs=T, asked_by="user")]


def in_a_while_loop(x):
    def local(x):
        def goes_on(x):
            return lax.pmax(jnp.max(x), "data") < 100  # moves: all-reduce

        def step(x):
            return x * 2 + lax.all_to_all(x, "data", 1, 1, tiled=True)  # moves: all-to-all

        return lax.while_loop(goes_on, step, x)

    return jax.shard_map(local, mesh=mesh_of(x), in_specs=P("data"), out_specs=P("data"), check_vma=False)(x)


def moves_of_in_a_while_loop(data):
    return [all_reduce_("data", F32, runs=None), all_to_all_("data", R * C * F32 // data, runs=None)]


def in_a_branch(x, is_rare):
    def local(x, is_rare):
        def rare(x):
            return lax.all_gather(x, "data").sum(0)  # moves: all-gather

        return lax.cond(is_rare, rare, jnp.sin, x)

    specs = (P("data"), P())
    spread = jax.shard_map(local, mesh=mesh_of(x), in_specs=specs, out_specs=P("data"), check_vma=False)
    return spread(x, is_rare)


def moves_of_in_a_branch(data):
    return [all_gather_("data", R * C * F32 // data, data, in_branch=True)]


def ragged(x, sizes):
    def local(x, sizes):
        n, rows = sizes.shape[0], x.shape[0]
        starts = jnp.arange(n, dtype=jnp.int32) * (rows // n)
        here = jnp.full((n,), lax.axis_index("data") * (rows // n), jnp.int32)
        send = partial(lax.ragged_all_to_all, axis_name="data")
        return send(x, jnp.zeros_like(x), starts, sizes, here, sizes)  # moves: ragged-all-to-all

    specs = (P("data"), P())
    spread = jax.shard_map(local, mesh=mesh_of(x), in_specs=specs, out_specs=P("data"), check_vma=False)
    return spread(x, sizes)


def rows(mesh):
    return [array(mesh, (R, C), "data")]


def rows_and_sizes(mesh):
    return *rows(mesh), array(mesh, (mesh.size,), dtype="int32")


def rows_and_a_flag(mesh):
    return *rows(mesh), array(mesh, (), dtype="bool")


def halves(mesh):
    return [array(mesh, (R, C), "data", dtype="bfloat16")]


def tiles(mesh):
    return [array(mesh, (R, C), "data", "model")]


def over_three(mesh):
    return array(mesh, (R, C), ("model", "data")), array(mesh, (C, R), ("data", "seq"), "model")


D8, DATA_MODEL = {"data": 8}, {"data": 4, "model": 2}
CASES = [
    Case(over_two_axes, DATA_MODEL, tiles, moves_of_over_two_axes),
    Case(in_half_precision, D8, halves, moves_of_in_half_precision),
    Case(gathered_and_scattered, DATA_MODEL, tiles, moves_of_gathered_and_scattered),
    Case(three_axes, {"data": 2, "seq": 2, "model": 2}, over_three, moves_of_three_axes),
    Case(in_nested_scans, DATA_MODEL, tiles, moves_of_in_nested_scans),
    Case(in_a_fori_loop, D8, rows, moves_of_in_a_fori_loop),
    Case(in_a_while_loop, D8, rows, moves_of_in_a_while_loop),
    Case(in_a_branch, D8, rows_and_a_flag, moves_of_in_a_branch),
]
"""`ragged` has none: XLA for the CPU has no such collective."""
