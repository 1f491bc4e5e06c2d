"""Operations over a sharded dimension, and arrays that are laid anew: what the partitioner inserts."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jax.lax import with_sharding_constraint as constrain
from jax.sharding import PartitionSpec as P

from tests.sharded.expectations import (
    C64,
    F32,
    Case,
    Move,
    all_gather,
    all_to_all,
    array,
    mesh_of,
    over,
    permute,
)

R, C, W = 48, 40, 3
"""Rows, columns, and the width of a filter."""


def transposed(x):
    return constrain(x.T, over(x, "data"))  # moves: all-to-all


def moves_of_transposed(data):
    return [all_to_all("data", R * C * F32 // data)]


def gathered(x):
    return constrain(x * 2, over(x)) + 1  # moves: all-gather


def moves_of_gathered(data, model):
    tile = R * C * F32 // (data * model)
    return [all_gather("model", tile, model), all_gather("data", tile * model, data)]


def laid_along_the_other_axes(x):
    return constrain(x * 2, over(x, "model", "data"))  # moves: all-to-all, collective-permute


def moves_of_laid_along_the_other_axes(data, model):
    """The larger axis is cut into a part that is as large as the smaller one, and the rest."""
    tile = R * C * F32 // (data * model)
    exchange = all_to_all(f"data:({data // model}){model}", tile)
    return [exchange, Move("collective-permute", ("data", "model"), tile, tile)]


def filtered(x, taps):
    convolve = partial(lax.conv_general_dilated, dimension_numbers=("NWC", "WIO", "NWC"))
    return convolve(x, taps, (1,), "SAME")  # moves: collective-permute


def moves_of_filtered(data):
    """A row of each image from either side."""
    return [permute("data", W * C * F32)] * 2


def difference(x):
    return x - jnp.roll(x, 1, axis=0)  # moves: collective-permute


def moves_of_difference(data):
    return [permute("data", C * F32)]


def halo_by_hand(x):
    mesh = mesh_of(x)
    n = mesh.shape["data"]

    def local(x):
        before = lax.ppermute(x[-1:], "data", [(i, (i + 1) % n) for i in range(n)])  # moves: before
        after = lax.ppermute(x[:1], "data", [(i, (i - 1) % n) for i in range(n)])  # moves: after
        wide = jnp.concatenate([before, x, after])
        return (wide[:-2] + wide[1:-1] + wide[2:]) / 3

    return jax.shard_map(local, mesh=mesh, in_specs=P("data"), out_specs=P("data"))(x)


def moves_of_halo_by_hand(data):
    return [permute("data", C * F32, asked_by="user", mark=mark) for mark in ("before", "after")]


def fourier_transformed(x):
    return jnp.fft.fft(x, axis=1)  # moves: all-gather


def moves_of_fourier_transformed(data):
    """It is made complex first."""
    return [all_gather("data", R * C * C64 // data, data)]


def sorted_rows(x):
    return jnp.sort(x, axis=0)  # moves: all-to-all


def moves_of_sorted_rows(data):
    """So that each device has whole columns, and back."""
    return [all_to_all("data", R * C * F32 // data)] * 2


def largest(x):
    return jnp.argmax(x, axis=0)  # moves: all-gather


def moves_of_largest(data):
    """Each device finds its own; then values and indices, of four bytes both, are gathered."""
    return [all_gather("data", C * F32, data)] * 2


def summed_up(x):
    return jnp.cumsum(x, axis=0)  # moves: all-gather


def moves_of_summed_up(data):
    return [all_gather("data", R * C * F32 // data, data)]


def rows(mesh):
    return [array(mesh, (R, C), "data")]


def columns(mesh):
    return [array(mesh, (R, C), None, "data")]


def tiles(mesh):
    return [array(mesh, (R, C), "data", "model")]


def images(mesh):
    return array(mesh, (W, R, C), None, "data"), array(mesh, (W, C, C))


D8, DATA_MODEL = {"data": 8}, {"data": 4, "model": 2}
CASES = [
    Case(transposed, D8, rows, moves_of_transposed),
    Case(gathered, DATA_MODEL, tiles, moves_of_gathered),
    Case(laid_along_the_other_axes, DATA_MODEL, tiles, moves_of_laid_along_the_other_axes),
    Case(filtered, D8, images, moves_of_filtered),
    Case(difference, D8, rows, moves_of_difference),
    Case(halo_by_hand, D8, rows, moves_of_halo_by_hand),
    Case(fourier_transformed, D8, columns, moves_of_fourier_transformed),
    Case(sorted_rows, D8, rows, moves_of_sorted_rows),
    Case(largest, D8, rows, moves_of_largest),
    Case(summed_up, D8, rows, moves_of_summed_up),
]
