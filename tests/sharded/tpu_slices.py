"""Programs compiled for slices of TPUs, and what XLA makes of them there.

Other than on CPU devices, an operand of a matrix product is made bf16 before it is moved; what is summed in a
loop is summed after it; a sum that is scattered is a reduce-scatter of whole tiles, or, of small arrays, one
all-reduce of all of them; gathers along two axes are one. libtpu 0.0.42.1 and 0.0.50.1 do alike.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace

import jax

from tests.sharded import by_hand, layouts, models, training
from tests.sharded.cases import CASES
from tests.sharded.expectations import (
    BF16,
    F32,
    Case,
    Move,
    all_gather,
    all_reduce,
    all_to_all,
    permute,
    reduce_scatter,
)

TILE, LANES = 8, 128
"""Rows and columns of a tile of memory."""


def accumulated(data):
    return [all_reduce("data", training.BOTH)]


def fsdp(data):
    """The gradient of w2 is scattered in whole tiles of rows; what is then on the device before moves on."""
    size = training.D * training.F * BF16
    gathers = [all_gather("data", size // data, data, mark=w) for w in ("w1", "w2")]
    rows = training.F // data
    padded, row = math.ceil(rows / TILE) * TILE, training.D * F32
    return [
        *gathers,
        all_reduce("data", training.D * training.F * F32, mark="w1"),
        reduce_scatter("data", padded * data * row, data, mark="w2"),
        permute("data", (padded - rows) * (data - 1) * row, mark="w2"),
    ]


def zero3(data):
    part = training.D * training.D * BF16 // data
    gathers = [all_gather("data", part, data, asked_by="user")] * training.L
    return [
        *gathers,
        all_reduce("data", training.L * training.SQUARE, asked_by="user", mark="reduce-scatter"),
    ]


def sequence_parallel_mlp(data, model):
    count = models.B * models.S * models.D // data
    gather = all_gather("model", count * BF16 // model, model)
    return [gather, reduce_scatter("model", count * F32, model, mark="all-reduce")]


def ulysses(seq):
    count = models.B * models.S * models.H * models.K // seq
    sizes = {"q": BF16, "k": BF16, "v": BF16, "mixed": F32}
    return [all_to_all("seq", count * size, asked_by="user", mark=mark) for mark, size in sizes.items()]


def ring_attention(seq):
    part = models.B * models.S * models.H * models.K * BF16 // seq
    return [permute("seq", part, runs=seq, asked_by="user", mark=mark) for mark in ("keys", "values")]


def pipeline(stage):
    return [permute("stage", models.B * models.D * BF16, runs=models.M + stage - 1, asked_by="user")]


def experts_by_hand(expert):
    sizes = {"dispatch": models.D * BF16, "combine": models.F * F32}
    count = models.E * models.C
    return [all_to_all("expert", count * size, asked_by="user", mark=mark) for mark, size in sizes.items()]


def gathered(data, model):
    tile = layouts.R * layouts.C * F32 // (data * model)
    return [Move("all-gather", ("data", "model"), tile, tile * data * model)]


def three_axes(data, seq, model):
    part = by_hand.R * by_hand.C * BF16 // (model * data)
    _, *others = by_hand.moves_of_three_axes(data, seq, model)
    return [all_gather("data", part, data, asked_by="user"), *others]


def ragged(data):
    size = by_hand.R // data * LANES * F32
    return [Move("ragged-all-to-all", ("data",), size, size, asked_by="user")]


def on(target, mesh, function, moves=None):
    """The case of a function, for another target; what it moves is that of CPU devices if it is not given."""
    case = next(case for case in CASES if case.function is function)
    return replace(case, target=target, mesh=mesh, moves=moves or case.moves)


DATA_MODEL = {"data": 4, "model": 2}
ALL_SLICES = [
    on("v5e:2x4", {"data": 8}, training.data_parallel),
    on("v5e:4x4", {"data": 16}, training.accumulated, accumulated),
    on("v5e:2x2", {"data": 4}, training.fsdp, fsdp),
    on("v5p:2x2x1", {"data": 4}, training.fsdp_layers),
    on("v6e:2x4", {"data": 8}, training.zero3, zero3),
    on("v5e:4x4", {"data": 4, "model": 4}, models.tensor_parallel_mlp),
    on("v5e:2x4", DATA_MODEL, models.sequence_parallel_mlp, sequence_parallel_mlp),
    on("v5e:2x2", {"seq": 4}, models.ulysses, ulysses),
    on("v4:2x2x2", {"seq": 8}, models.ring_attention, ring_attention),
    on("v5p:2x2x1", {"stage": 4}, models.pipeline, pipeline),
    on("v5e:2x4", {"expert": 8}, models.experts_by_hand, experts_by_hand),
    on("v5e:4x4", {"data": 8, "model": 2}, layouts.gathered, gathered),
    on("v4:2x2x2", {"data": 2, "seq": 2, "model": 2}, by_hand.three_axes, three_axes),
    on("v5p:2x2x2", DATA_MODEL, by_hand.in_nested_scans),
    Case(by_hand.ragged, {"data": 4}, by_hand.rows_and_sizes, ragged, target="v5e:2x2"),
]
IS_PINNED = jax.__version__.startswith("0.10.")
SLICES = ALL_SLICES if IS_PINNED or os.environ.get("JITINSPECT_ALL_TARGETS") else ALL_SLICES[::3]
"""All of them on one JAX version; on the others a third, for they take most of a minute of two processors."""
