"""Kernels whose FLOPs and bytes are known by hand: an oracle that is not XLA's analysis.

f32 and s32 take 4 bytes an element, c64 takes 8. An index costs a comparison, an addition and a selection, by
which JAX lets negative ones count from the end. A loop also counts its iterations, for which a few FLOPs and
bytes an iteration are allowed.
"""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from jitinspect.readings.cost_model.instruction_costs import program_cost
from jitinspect.stages.parsing import program
from jitinspect.stages.pipeline import Pipeline


def F(*dims):
    return jax.ShapeDtypeStruct(dims, "float32")


def I(*dims):  # noqa: E743
    return jax.ShapeDtypeStruct(dims, "int32")


def C(*dims):
    return jax.ShapeDtypeStruct(dims, "complex64")


P = jax.ShapeDtypeStruct((), "bool")


@dataclass(frozen=True)
class Kernel:
    """`rounds` are those of its loop."""

    fn: Any
    args: tuple
    flops: int
    bytes: int
    transcendentals: int = 0
    donated: tuple = ()
    rounds: int = 0


FLOPS_A_ROUND, BYTES_A_ROUND = 8, 80
"""At most, to count iterations, and to make an index."""


def convolution(x, w):
    return lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def softmax(x):
    e = jnp.exp(x - lax.reduce_max(x, (1,))[:, None])
    return e / e.sum(1)[:, None]


def add_rows(x, at, rows):
    return x.at[at].add(rows)


def set_rows(x, at, rows):
    return x.at[at].set(rows)


def updated(x, rows):
    return lax.fori_loop(
        0, 20, lambda i, x: lax.dynamic_update_slice(x, lax.dynamic_slice(rows, (i, 0), (1, 16)), (i, 0)), x
    )


def histogram(x, at):
    return lax.scan(lambda c, i: (c.at[i].add(1.0), None), x, at)[0]


def scanned(x, ws):
    return lax.scan(lambda c, w: (jnp.tanh(c @ w), None), x, ws)[0]


def repeated(x):
    return lax.while_loop(lambda s: s[0] < 11, lambda s: (s[0] + 1, s[1] * 1.5), (0, x))[1]


KERNELS = {
    # two operations an element; three arrays are read, one is written
    "elementwise": Kernel(lambda a, b, c: a * b + c, (F(100, 70),) * 3, 2 * 7000, 4 * 4 * 7000),
    # an operation and a transcendental an element; one array is read, one is written
    "transcendental": Kernel(lambda x: 2 * jnp.exp(x), (F(100, 70),), 7000, 2 * 4 * 7000, 7000),
    # 24·56 sums of 40 products; three matrices
    "matmul": Kernel(jnp.dot, (F(24, 40), F(40, 56)), 2 * 24 * 56 * 40, 4 * (24 * 40 + 40 * 56 + 24 * 56)),
    # five times as much
    "batched matmul": Kernel(
        jnp.matmul, (F(5, 24, 40), F(5, 40, 56)),
        5 * 2 * 24 * 56 * 40, 5 * 4 * (24 * 40 + 40 * 56 + 24 * 56),
    ),
    # 2·6·6·5 sums of 3·3·3 products; images, kernel and result
    "convolution": Kernel(
        convolution, (F(2, 8, 8, 3), F(3, 3, 3, 5)),
        2 * (2 * 6 * 6 * 5) * 27, 4 * (2 * 8 * 8 * 3 + 27 * 5 + 2 * 6 * 6 * 5),
    ),
    # 30 - 1 additions a row; all is read, and the initial value; a row's sum is written
    "reduction": Kernel(lambda x: x.sum(1), (F(100, 30),), 100 * 29, 4 * (3000 + 1 + 100)),
    # maximum and sum of 32 - 1, subtraction, multiplication by the inverse sum; four passes, of which two
    # write as much as they read, with 100 maxima and sums written and read, and the first maximum
    "softmax": Kernel(
        softmax, (F(100, 32),),
        2 * 100 * 31 + 2 * 3200 + 100, 4 * (6 * 3200 + 4 * 100 + 1), 3200,
    ),
    # 8 rows are read and written, 8 indices are read
    "gather": Kernel(lambda x, at: x[at], (F(1000, 16), I(8)), 3 * 8, 4 * (2 * 8 * 16 + 8)),
    # 8·16 additions; indices are read, made and read; rows are read, and read and written in their places
    "scatter-add": Kernel(
        add_rows, (F(1000, 16), I(8), F(8, 16)), 8 * 16 + 3 * 8, 4 * (3 * 8 + 3 * 8 * 16), donated=(0,)
    ),
    # the same, but nothing is read in their places
    "scatter-set": Kernel(
        set_rows, (F(1000, 16), I(8), F(8, 16)), 3 * 8, 4 * (3 * 8 + 2 * 8 * 16), donated=(0,)
    ),
    # the whole is copied first, as it is not donated
    "scatter-add with a copy": Kernel(
        add_rows, (F(1000, 16), I(8), F(8, 16)), 8 * 16 + 3 * 8, 4 * (2 * 16000 + 3 * 8 + 3 * 8 * 16)
    ),
    # 30 rounds of five additions: ones are written and read, and so are the elements; the indices of a round
    # are read, made and read
    "scatter in a loop": Kernel(
        histogram, (F(100000), I(30, 5)), 30 * (5 + 3 * 5), 30 * 4 * (4 * 5 + 3 * 5), donated=(0,), rounds=30
    ),
    # sums are set to zero; rows and their indices are read, a sum is read and written; 400 additions
    "segment_sum": Kernel(
        lambda x, at: jax.ops.segment_sum(x, at, num_segments=10), (F(100, 4), I(100)),
        400, 4 * (1 + 40 + 100 + 400 + 40 + 40),
    ),
    # four rows are read and written, an index is read
    "dynamic_slice": Kernel(
        lambda x, at: lax.dynamic_slice(x, (at, 0), (4, 16)), (F(1000, 16), I()), 3, 4 * (2 * 64 + 1)
    ),
    # 20 rounds in which a row is read and written
    "dynamic_update_slice in a loop": Kernel(
        updated, (F(1000, 16), F(20, 16)), 0, 20 * 4 * 2 * 16, donated=(0,), rounds=20
    ),
    # 9 rounds of a product and tanh: a matrix is taken from the stack (read, written), the product reads two
    # and writes one, tanh reads and writes one; first the carry is copied
    "scan": Kernel(
        scanned, (F(32, 32), F(9, 32, 32)),
        9 * 2 * 32**3, 4 * 32**2 * (9 * (2 + 3 + 2) + 2), 9 * 32**2, rounds=9,
    ),
    # 11 rounds of a multiplication that reads and writes; first the carry is copied
    "while": Kernel(repeated, (F(1000),), 11 * 1000, 4 * 1000 * (11 * 2 + 2), rounds=11),
    # the product, which is the costlier branch, reads a matrix and writes one; the predicate (1 byte) is
    # read, made a number, and that is written
    "cond": Kernel(
        lambda p, x: lax.cond(p, lambda x: x @ x, lambda x: x + 1, x), (P, F(32, 32)),
        2 * 32**3 + 1, 4 * 2 * 32**2 + 5,
    ),
    # all is read and written
    "transpose": Kernel(lambda x: x.T, (F(20, 30),), 0, 4 * 2 * 600),
    "concatenate": Kernel(lambda a, b: jnp.concatenate([a, b]), (F(20, 30), F(10, 30)), 0, 4 * 2 * 900),
    # ten of 1000 rows are read and written
    "slice": Kernel(lambda x: x[10:20], (F(1000, 16),), 0, 4 * 2 * 160),
    # blocks of 16: 64 sums of 16 elements, then 5 of the 4 totals, then the total before a block is added to
    # each of its elements. 64 are read and written, with an initial value; 4 totals are read, written, read
    # and summed, with an initial value; 64 sums and 4 totals are read and 64 written
    "cumsum": Kernel(
        jnp.cumsum, (F(64),),
        64 * 15 + 5 * 3 + 64, 4 * ((64 + 64 + 1) + (4 + 4) + (4 + 5 + 1) + (64 + 4 + 64)),
    ),
    # 1000 ⌈log2 1000⌉ comparisons; all is read and written
    "sort": Kernel(lax.sort, (F(1000),), 1000 * 10, 4 * 2 * 1000),
    # 5 n log2 n for each of three; all is read and written
    "fft": Kernel(jnp.fft.fft, (C(3, 64),), 3 * 5 * 64 * 6, 8 * 2 * 3 * 64),
    # half as many; real numbers are read, 64 / 2 + 1 complex ones are written
    "real fft": Kernel(jnp.fft.rfft, (F(3, 64),), 3 * 5 * 64 * 6 // 2, 3 * (4 * 64 + 8 * 33)),
    # four multiplications and two additions an element
    "complex multiplication": Kernel(lambda a, b: a * b, (C(10, 7), C(10, 7)), 6 * 70, 8 * 3 * 70),
    # 24·56·40 such products, with as many complex additions of two each
    "complex matmul": Kernel(
        jnp.dot, (C(24, 40), C(40, 56)), (6 + 2) * 24 * 56 * 40, 8 * (24 * 40 + 40 * 56 + 24 * 56)
    ),
    # (a + bi) / (c + di): six multiplications, three additions, two divisions
    "complex division": Kernel(lambda a, b: a / b, (C(70), C(70)), 11 * 70, 8 * 3 * 70),
    # two vectors are read, all products written
    "outer product": Kernel(lambda a, b: a[:, None] * b, (F(30), F(40)), 1200, 4 * (30 + 40 + 1200)),
    # 81 operations for each of four right-hand sides; the matrix is read, the sides are read and written, and
    # each is read and written once more, as LAPACK wants them by columns
    "triangular solve": Kernel(
        functools.partial(lax.linalg.triangular_solve, left_side=True, lower=True), (F(9, 9), F(9, 4)),
        81 * 4, 3 * 4 * (81 + 36 + 36),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KERNELS)
def test_costs_are_those_counted_by_hand(name):
    kernel = KERNELS[name]
    jit = jax.jit(kernel.fn, donate_argnums=kernel.donated)
    found = program_cost(program("hlo", Pipeline(functools.partial(jit.trace, *kernel.args))))
    assert found.transcendentals == kernel.transcendentals
    assert 0 <= found.flops - kernel.flops <= FLOPS_A_ROUND * (kernel.rounds + 1) * bool(kernel.rounds)
    assert 0 <= found.bytes - kernel.bytes <= BYTES_A_ROUND * (kernel.rounds + 1) * bool(kernel.rounds)
