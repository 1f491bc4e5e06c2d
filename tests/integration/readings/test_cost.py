"""Costs, compared with closed forms, and with XLA's own analysis of the same executables."""

import functools
import itertools
import json
from contextlib import nullcontext
from math import prod

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import pytest
from jax import lax

from jitinspect.model import Target
from jitinspect.readings import cost as reading
from jitinspect.readings.cost_model.instruction_costs import program_cost
from jitinspect.render.json import from_json, to_json
from jitinspect.stages import inspection
from jitinspect.stages.parsing import program
from jitinspect.stages.pipeline import Pipeline
from jitinspect.targets.jitting import jitted
from jitinspect.targets.loading import named
from samples import mlp, transformer


def F(*dims):
    return jax.ShapeDtypeStruct(dims, "float32")


def I(*dims):  # noqa: E743
    return jax.ShapeDtypeStruct(dims, "int32")


def pipeline(fn, *args):
    return Pipeline(functools.partial(jitted(named(fn)).trace, *args))


def costs(fn, *args):
    return program_cost(program("hlo", pipeline(fn, *args)))


def flops(found, *opcodes):
    """The FLOPs of these opcodes alone."""
    return sum(one.flops for one in found.instructions if one.operation.opcode in opcodes)


def dots(fn, *args):
    return flops(costs(fn, *args), "dot")


M, K, N = 24, 40, 56
X, W = F(M, K), F(K, N)


def test_a_matmul_takes_2mnk():
    found = costs(jnp.dot, X, W)
    assert found.flops == found.flops_once == 2 * M * N * K
    assert found.bytes == 4 * (M * K + K * N + M * N)


def test_batches_and_contractions_of_several_dimensions():
    assert costs(jnp.matmul, F(5, M, K), F(5, K, N)).flops == 5 * 2 * M * N * K
    assert dots(jax.vmap(jnp.dot), F(5, M, K), F(5, K, N)) == 5 * 2 * M * N * K
    assert dots(jax.vmap(jnp.dot, in_axes=(0, None)), F(5, M, K), W) == 5 * 2 * M * N * K
    assert costs(lambda a, b: jnp.einsum("bijk,bjkl->bil", a, b), F(2, 6, 5, 7), F(2, 5, 7, 9)).flops == (
        2 * 2 * 6 * 9 * 5 * 7
    )
    # XLA makes a product and a sum of it, up to 0.9 a matrix product
    assert costs(jnp.vdot, F(64), F(64)).flops == (2 * 64 if jax.__version_info__ < (0, 10) else 64 + 63)


def conv(stride=1, padding="VALID", dilation=1, groups=1, inputs=1):
    return functools.partial(
        lax.conv_general_dilated,
        window_strides=(stride, stride),
        padding=padding,
        lhs_dilation=(inputs, inputs),
        rhs_dilation=(dilation, dilation),
        feature_group_count=groups,
        dimension_numbers=("NCHW", "OIHW", "NCHW"),
    )


IMAGE, KERNEL = F(2, 6, 16, 16), F(8, 6, 3, 3)
PER_POSITION = 2 * 2 * 8 * 6
"""FLOPs for each product of one window element, over batch and features."""
ALONG_SAME = 3 * 16 - 2
"""Products along one axis, where two of the three window elements miss once."""


@pytest.mark.parametrize(
    ("fn", "kernel", "expected"),
    [
        (conv(), KERNEL, PER_POSITION * (14 * 3) ** 2),
        (conv(padding="SAME"), KERNEL, PER_POSITION * ALONG_SAME**2),
        (conv(stride=2), KERNEL, PER_POSITION * (7 * 3) ** 2),
        (conv(dilation=2), KERNEL, PER_POSITION * (12 * 3) ** 2),
        (conv(groups=2), F(8, 3, 3, 3), PER_POSITION // 2 * (14 * 3) ** 2),
        (conv(groups=6), F(12, 1, 3, 3), 2 * 2 * 12 * (14 * 3) ** 2),
        (conv(inputs=2, padding=((2, 2), (2, 2))), KERNEL, PER_POSITION * (16 * 3) ** 2),
    ],
)
def test_a_convolution_takes_its_valid_products(fn, kernel, expected):
    assert costs(fn, IMAGE, kernel).flops == expected


def test_the_gradients_of_a_convolution_take_as_much_as_the_convolution():
    grad = jax.grad(lambda x, w: conv()(x, w).sum(), argnums=(0, 1))
    assert flops(costs(grad, IMAGE, KERNEL), "convolution") == 2 * PER_POSITION * (14 * 3) ** 2


def scanned(x, ws):
    return lax.scan(lambda c, w: (jnp.tanh(c @ w), None), x, ws)[0]


def test_a_scan_counts_its_body_as_often_as_it_runs():
    found = costs(scanned, F(32, 32), F(9, 32, 32))
    assert flops(found, "dot") == 9 * 2 * 32**3
    assert found.transcendentals == 9 * 32 * 32
    assert found.transcendentals_once == 32 * 32
    assert found.flops_once < 2 * found.flops / 9
    assert [(loop.trip_count, loop.times) for loop in found.loops] == [(9, 1)]


def test_the_gradient_of_a_scan_runs_two_loops_with_three_matmuls_per_iteration():
    found = costs(jax.grad(lambda x, ws: scanned(x, ws).sum(), argnums=1), F(32, 32), F(9, 32, 32))
    assert [loop.trip_count for loop in found.loops] == [9, 9]
    assert flops(found, "dot") == 9 * 3 * 2 * 32**3


def test_nested_scans_multiply():
    def outer(x, ws):
        return lax.scan(lambda c, _: (scanned(c, ws), None), x, None, length=5)[0]

    found = costs(outer, F(32, 32), F(7, 32, 32))
    assert flops(found, "dot") == 5 * 7 * 2 * 32**3
    assert found.transcendentals == 5 * 7 * 32 * 32
    assert sorted((loop.trip_count, loop.times) for loop in found.loops) == [(5, 1), (7, 5)]


def test_loops_whose_length_xla_finds():
    def by_fori(x, w):
        return lax.fori_loop(2, 13, lambda _, c: jnp.tanh(c @ w), x)

    def by_while(x, w):
        return lax.while_loop(lambda c: c[0] < 11, lambda c: (c[0] + 1, jnp.tanh(c[1] @ w)), (0, x))[1]

    for fn in (by_fori, by_while):
        assert dots(fn, F(32, 32), F(32, 32)) == 11 * 2 * 32**3


def test_a_loop_whose_length_depends_on_data_counts_once():
    found = costs(lambda x: lax.while_loop(lambda c: c.sum() < 9, lambda c: c @ c, x), F(32, 32))
    assert [loop.trip_count for loop in found.loops] == [None]
    assert flops(found, "dot") == 2 * 32**3


def test_a_loop_that_is_mapped_counts():
    assert costs(lambda x: lax.map(jnp.sin, x), F(6, 8)).transcendentals == 48
    assert dots(jax.vmap(scanned, in_axes=(0, None)), F(3, 32, 32), F(9, 32, 32)) == 3 * 9 * 2 * 32**3


def test_a_gradient_takes_two_more_matmuls():
    def loss(w, x):
        return jnp.sum((x @ w) ** 2)

    one = 2 * M * N * K
    assert dots(jax.grad(loss), W, X) == 2 * one  # that by x is not asked for
    assert dots(jax.grad(loss, argnums=(0, 1)), W, X) == 3 * one
    assert dots(jax.value_and_grad(loss), W, X) == 2 * one


def test_a_multilayer_perceptron_with_its_gradient():
    sizes = (64, 128, 32)
    params = [(F(a, b), F(b)) for a, b in itertools.pairwise(sizes)]

    def loss(params, x):
        for w, b in params:
            x = jnp.tanh(x @ w + b)
        return jnp.mean(x**2)

    forward = [2 * 48 * a * b for a, b in itertools.pairwise(sizes)]
    assert dots(loss, params, F(48, 64)) == sum(forward)
    assert dots(jax.value_and_grad(loss), params, F(48, 64)) == 3 * sum(forward) - forward[0]


def test_forward_and_reverse_jacobians():
    def fn(x, w):
        return jnp.tanh(x @ w)

    assert dots(jax.jacfwd(fn), F(24), F(24, 40)) == 2 * 24 * 40 + 2 * 24 * 24 * 40
    assert dots(jax.jacrev(fn), F(24), F(24, 40)) == 2 * 24 * 40 + 2 * 40 * 40 * 24


@pytest.mark.parametrize(
    ("fn", "args", "expected"),
    [
        (jnp.linalg.cholesky, (F(3, 9, 9),), 3 * 9**3 // 3),
        (lambda a: jsl.lu_factor(a)[0], (F(9, 9),), 2 * 9**3 // 3),
        (jnp.linalg.qr, (F(12, 6),), 2 * 36 * 10 + 4 * 12 * 36 - 2 * 18 * 36 + 4 * 216 // 3),
        (lambda a, b: jsl.solve_triangular(a, b), (F(9, 9), F(9, 4)), 81 * 4),
        (jnp.linalg.eigh, (F(3, 8, 8),), 3 * 9 * 512),
        (jnp.linalg.svd, (F(8, 8),), 22 * 512),
    ],
)
def test_linear_algebra_is_counted_with_lapacks_own_numbers(fn, args, expected):
    found = costs(fn, *args)
    assert flops(found, "custom-call") == expected and found.unmodelled == []


def test_a_callback_is_listed_as_unmodelled():
    found = costs(lambda x: jax.pure_callback(lambda x: x, F(8), x), F(8))
    assert len(found.unmodelled) == 1


def test_an_embedding_reads_only_the_rows_it_looks_up():
    found = costs(lambda table, at: table[at], F(10_000, 64), I(8))
    assert found.bytes < 4 * 64 * 8 * 4


KEY = jax.eval_shape(lambda: jax.random.key(0))
PARAMS = [(F(64, 128), F(128)), (F(128, 32), F(32))]
POOL = functools.partial(
    lax.reduce_window, init_value=-jnp.inf, computation=lax.max, window_dimensions=(1, 1, 2, 2),
    window_strides=(1, 1, 2, 2), padding="VALID",
)  # fmt: skip
LIKE_XLA = {
    "matmul": (jnp.dot, X, W),
    "batched": (jnp.matmul, F(4, 32, 16), F(4, 16, 8)),
    "einsum": (lambda a, b, c: jnp.einsum("bij,bjk,kl->bil", a, b, c), F(4, 8, 16), F(4, 16, 12), F(12, 20)),
    "bfloat16": (lambda a: a @ a.T, jax.ShapeDtypeStruct((64, 32), "bfloat16")),
    "integers": (lambda x: (x * 3) // 2 % 5, I(100)),
    "same": (conv(padding="SAME"), IMAGE, KERNEL),
    "strided": (conv(stride=2), IMAGE, KERNEL),
    "dilated": (conv(dilation=2), IMAGE, KERNEL),
    "transposed": (conv(inputs=2, padding=((1, 1), (2, 2))), IMAGE, KERNEL),
    "grouped": (conv(groups=2), IMAGE, F(8, 3, 3, 3)),
    "conv grad": (jax.grad(lambda x, w: conv(stride=2)(x, w).sum(), argnums=(0, 1)), IMAGE, KERNEL),
    "grouped grad": (
        jax.grad(lambda x, w: (conv(2, groups=2)(x, w) ** 2).sum(), argnums=(0, 1)), IMAGE, F(8, 3, 3, 3),
    ),
    "pool": (POOL, IMAGE),
    "softmax": (jax.nn.softmax, F(32, 100)),
    "gelu": (jax.nn.gelu, F(100)),
    "logsumexp": (jax.nn.logsumexp, F(10, 10)),
    "layer norm": (lambda x: (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + 1), F(16, 64)),
    "dynamic slice": (lambda x, i: lax.dynamic_slice(x, (i, 0), (4, 16)), F(100, 16), I()),
    "update": (lambda x, y, i: lax.dynamic_update_slice(x, y, (i, 0)), F(100, 16), F(4, 16), I()),
    "scan": (lambda x, ws: lax.scan(lambda c, w: (jnp.tanh(c @ w), c.sum()), x, ws), F(16, 16), F(9, 16, 16)),
    "scan grad": (jax.grad(lambda ws, x: scanned(x, ws).sum()), F(9, 16, 16), F(16, 16)),
    "while": (lambda x: lax.while_loop(lambda c: c.sum() < 100, lambda c: c * 2 + 1, x), F(16)),
    "map": (lambda x: lax.map(jnp.sin, x), F(5, 7)),
    "sort": (jnp.sort, F(30, 8)),
    "argsort": (jnp.argsort, F(30, 8)),
    "cumsum": (lambda x: jnp.cumsum(x, 1), F(8, 40)),
    "associative scan": (lambda x: lax.associative_scan(jnp.add, x), F(64)),
    "random": (lambda key: jax.random.normal(key, (100,)), KEY),
    "transpose": (lambda x: x.T.reshape(-1)[::2], F(20, 30)),
    "concatenate": (lambda a, b: jnp.concatenate([a, b], 1)[:, ::-1], F(8, 8), F(8, 4)),
    "where": (lambda x: jnp.where(x > 0, x, 0), F(50, 50)),
    "hessian": (jax.hessian(lambda x: (jnp.sin(x) ** 3).sum()), F(12)),
    "jacobian": (jax.jacfwd(lambda x: jnp.tanh(x @ x.T)), F(6, 6)),
    "bincount": (lambda x: jnp.bincount(x, length=10), I(40)),
    "erf_inv": (lax.erf_inv, F(30)),
    "loss_fn": (mlp.loss_fn, X, W),
    "predict": (functools.partial(mlp.predict, training=True), X, W),
    "normalize": (mlp.normalize, X),
    "sgd_step": (mlp.sgd_step, *jax.eval_shape(mlp.make_args)),
    "sgd grad": (jax.grad(lambda p, x: mlp.forward(p, x).sum()), *jax.eval_shape(mlp.make_args)[:2]),
}  # fmt: skip
"""Functions of which XLA knows all that there is to know."""
GATHERS = {
    "permutation": (lambda key: jax.random.permutation(key, 100), KEY),
    "scatter": (lambda x, i: x.at[i].add(1.0), F(100), I(8)),
    "pool grad": (jax.grad(lambda x: POOL(x).sum()), IMAGE),
    "embedding": (lambda table, at: table[at], F(1000, 16), I(8)),
    "embedding grad": (jax.grad(lambda table, at: (table[at] ** 2).sum()), F(1000, 16), I(8)),
    "vmapped slices": (jax.vmap(lambda x, i: lax.dynamic_slice(x, (i,), (3,))), F(7, 20), I(7)),
    "interp": (jnp.interp, F(50), F(10), F(10)),
    "cond": (
        lambda p, x: lax.cond(p, jnp.sin, lambda x: x @ x, x),
        jax.ShapeDtypeStruct((), "bool"),
        F(8, 8),
    ),
    "argmax": (jnp.argmax, F(100, 10)),
    "lgamma": (lax.lgamma, F(30)),
    "transformer": (
        lambda *args: transformer.train_step(*args),
        *jax.eval_shape(functools.partial(transformer.make_args, layers=2)),
    ),
}  # fmt: skip
"""As above, but bytes differ: XLA takes a fused gather or scatter, or a slice of a reshaped array, to move
the whole; of a `cond` it takes one branch.
"""
OTHERWISE = {
    "complex": (lambda x: jnp.abs(jnp.exp(1j * x)) ** 2, F(100)),
    "complex product": (jnp.dot, jax.ShapeDtypeStruct((8, 8), "complex64"), F(8, 8)),
    "fft": (jnp.fft.fft, F(64)),
    "svd": (jnp.linalg.svd, F(16, 16)),
    "eigh": (jnp.linalg.eigh, F(16, 16)),
    "solve": (jnp.linalg.solve, F(16, 16), F(16)),
    "triangular": (jsl.solve_triangular, F(16, 16), F(16)),
    "histogram": (lambda x, at: lax.scan(lambda c, i: (c.at[i].add(1.0), None), x, at)[0], F(1000), I(9, 4)),
    "segment sum": (lambda x, at: jax.ops.segment_sum(x, at, num_segments=900), F(100), I(100)),
    "set": (lambda x, at: x.at[at].set(0.0), F(1000), I(8)),
}
"""FLOPs or bytes differ, for reasons that are told."""


def beside_xla(fn, args):
    made = pipeline(fn, *args)
    hlo, analysis = program("hlo", made), made.compiled.cost_analysis()
    given = {key: analysis.get(key, 0) for key in ("flops", "transcendentals", "bytes accessed")}
    return hlo, program_cost(hlo), given


def close(number):
    """XLA adds up in 32 bits."""
    return pytest.approx(number, rel=2e-5)


@pytest.mark.parametrize("name", {**LIKE_XLA, **GATHERS})
def test_with_each_loop_once_it_is_what_xla_counts(name):
    fn, *args = {**LIKE_XLA, **GATHERS}[name]
    _, found, given = beside_xla(fn, args)
    assert found.flops_once == close(given["flops"])
    assert found.transcendentals_once == close(given["transcendentals"])


@pytest.mark.parametrize("name", LIKE_XLA)
def test_bytes_are_what_xla_counts_less_the_pointers_of_tuples(name):
    """A pointer has 8 bytes, or 4 (0.12)."""
    fn, *args = LIKE_XLA[name]
    hlo, found, given = beside_xla(fn, args)
    pointers = sum(len(one.operands) for one in hlo.operations() if one.opcode == "tuple")
    left = given["bytes accessed"] - found.bytes_once
    slack = 2e-5 * found.bytes_once
    assert -slack <= left <= 8 * pointers + slack


@pytest.mark.parametrize("name", {**LIKE_XLA, **GATHERS, **OTHERWISE})
def test_what_differs_from_xla_has_a_reason(name):
    """And what has none does not differ, but for pointers of tuples."""
    fn, *args = {**LIKE_XLA, **GATHERS, **OTHERWISE}[name]
    hlo, found, given = beside_xla(fn, args)
    slack = 2e-5
    reasons = found.unlike_xla
    if abs(found.flops_once - given["flops"]) > slack * found.flops_once:
        assert reasons.flops
    left = given["bytes accessed"] - found.bytes_once
    if name != "cond" and abs(left) > slack * found.bytes_once:
        assert reasons.bytes
    if name in OTHERWISE:
        assert reasons.flops or {*reasons.bytes} - {"pointers of tuples"}
    if not {*reasons.bytes} - {"pointers of tuples"} and name != "cond":
        assert left <= 8 * sum(len(one.operands) for one in hlo.operations() if one.opcode == "tuple") + 1


@pytest.mark.parametrize(
    ("name", "flops", "bytes_"),
    [
        ("svd", ("custom calls",), ("custom calls", "pointers of tuples")),
        ("fft", ("FFTs",), ()),
        ("complex product", ("complex numbers",), ()),
        ("set", (), ("scatters",)),
        ("embedding", (), ("gathers",)),
        ("matmul", (), ()),
    ],
)
def test_reasons_are_those_that_apply(name, flops, bytes_):
    fn, *args = {**LIKE_XLA, **GATHERS, **OTHERWISE}[name]
    reasons = costs(fn, *args).unlike_xla
    assert (reasons.flops, reasons.bytes) == (flops, bytes_)


@pytest.mark.parametrize(("fn", "lengths"), [(jnp.fft.fft, (3, 64)), (jnp.fft.rfft2, (8, 16))])
def test_ffts_differ_from_xla_by_its_own_formula(fn, lengths):
    """8 n times the product of the logarithms of all lengths; n are the elements of the operand."""
    _, found, given = beside_xla(fn, [F(*lengths)])
    logs = [length.bit_length() - 1 for length in (lengths if fn is jnp.fft.rfft2 else lengths[1:])]
    own = 8 * prod(lengths) * prod(logs)
    converted = given["flops"] - own
    assert converted in (0, prod(lengths))
    half = 2 if fn is jnp.fft.rfft2 else 1
    assert found.flops == 5 * prod(lengths) * sum(logs) // half + converted


def report(fn, *sweep, file=__file__):
    """The report as the command makes it, of one call or of several."""

    def subjects():
        for dims, args in sweep:
            jit = jitted(named(fn))
            made = Pipeline(functools.partial(jit.trace, *args))
            yield inspection.Subject(made, jit, (args, {}), f"f({dims})", dims, None, nullcontext)

    return reading.read(Target("t", "t", "t", file, None, (), (), ""), subjects())


def two_lines(x, w):
    product = x @ w
    return jnp.sin(product).sum()


def test_costs_by_line_and_by_op():
    found = report(two_lines, ({}, (F(64, 32), F(32, 16)))).cost
    texts = {line.text: line for line in found.by_line}
    assert texts["product = x @ w"].flops == 2 * 64 * 32 * 16
    assert texts["return jnp.sin(product).sum()"].transcendentals == 64 * 16
    assert found.by_line[0].text == "product = x @ w" and found.by_line[0].share > 0.9
    assert sum(line.flops for line in found.by_line) == pytest.approx(found.flops, abs=2)
    assert sum(line.bytes for line in found.by_line) == pytest.approx(found.bytes, abs=9)
    ops = {op.op: op for op in found.by_op}
    assert (ops["dot"].instructions, ops["dot"].runs, ops["dot"].flops) == (1, 1, 2 * 64 * 32 * 16)
    assert found.intensity == found.flops / found.bytes


def three_lines(x):
    left = x * 2
    right = left + 1
    return right - x


def test_what_several_lines_made_is_divided_among_them():
    found = report(three_lines, ({}, (F(30, 10),))).cost
    assert [line.flops for line in found.by_line] == [300, 300, 300]
    assert [line.bytes for line in found.by_line] == [800, 800, 800]
    assert found.bytes == 2400 and [line.share for line in found.by_line] == pytest.approx([1 / 3] * 3)


def test_what_xla_does_not_know_is_none():
    found = report(lambda x: lax.top_k(x, 4), ({}, (F(3, 16),))).cost
    assert found.xla.flops is None and found.xla.bytes is None and found.flops == 3 * 16 * 2


def test_an_aliased_output_takes_no_more_memory():
    found = report(jax.jit(lambda x: x + 1, donate_argnums=0), ({}, (F(64, 64),))).cost
    assert found.memory["alias"] == found.peak_bytes == 4 * 64 * 64


def test_memory_has_the_instructions_that_live_in_it():
    found = report(lambda x: jnp.sin(x) @ jnp.cos(x), ({}, (F(64, 64),))).cost
    kinds = {buffer.kind: buffer for buffer in reversed(found.buffers)}
    assert kinds["argument"].bytes == kinds["output"].bytes == 4 * 64 * 64
    assert kinds["output"].type == "f32[64,64]" and kinds["output"].at.endswith(
        ".py:" + line_of("jnp.cos(x), ({}")
    )
    assert found.peak_bytes == sum(found.memory[kind] for kind in ("argument", "output", "temp"))
    assert found.peak_bytes >= found.xla.peak_bytes > 0 and found.no_buffers is None


def line_of(text):
    with open(__file__) as lines:
        return next(str(number) for number, line in enumerate(lines, 1) if text in line)


def test_a_loop_has_its_line():
    found = report(scanned, ({}, (F(32, 32), F(9, 32, 32)))).cost
    [loop] = found.loops
    assert (loop.trip_count, loop.runs) == (9, 1) and loop.share > 0.9
    assert loop.at.endswith(":" + line_of("return lax.scan(lambda c, w: (jnp.tanh(c @ w), None)"))
    assert found.xla.flops == found.once["flops"] < found.flops


def rare(x, t):
    def body(c, i):
        return lax.cond(i == 0, lambda c: c @ c, lambda c: c + 1, c), None

    return lax.scan(body, x, t)[0]


def test_branches_are_listed_with_the_one_that_counts():
    found = report(rare, ({}, (F(32, 32), I(100)))).cost
    counted, other = found.branches
    assert (counted.counted, counted.runs, counted.flops) == (True, 100, 2 * 32**3)
    assert (other.counted, other.runs, other.flops) == (False, 100, 32 * 32)
    assert {counted.index, other.index} == {0, 1} and counted.of == other.of == 2
    assert counted.at.endswith(line_of("lambda c: c @ c, lambda c: c + 1"))
    assert found.most["flops"] == found.flops
    assert found.most["flops"] - found.least["flops"] == 100 * (2 * 32**3 - 32**2)
    assert report(three_lines, ({}, (F(3),))).cost.branches == ()


def test_a_sweep_says_how_each_quantity_grows():
    sizes = [(b, d) for b in (16, 32, 64) for d in (32, 64)]
    sweep = [({"B": b, "D": d}, (F(b, d), F(d, d))) for b, d in sizes]
    found = report(jnp.dot, *sweep)
    assert [one.dims for one in found.sweep] == [dims for dims, _ in sweep] and found.cost == found.sweep[0]
    grows = {(one.quantity, one.dim): one for one in found.growth}
    assert grows["flops", "B"].exponent == pytest.approx(1) and grows["flops", "D"].exponent == pytest.approx(
        2
    )
    assert grows["flops", "B"].error < 1e-9 < grows["bytes", "B"].error
    assert "transcendentals" not in {one.quantity for one in found.growth}


def test_the_report_is_one_document_and_back():
    single = report(scanned, ({}, (F(8, 8), F(3, 8, 8))))
    swept = report(jnp.sin, ({"N": 4}, (F(4),)), ({"N": 8}, (F(8),)))
    for one in (single, swept):
        assert from_json(to_json(one)) == one
    document = json.loads(to_json(single))
    keys = {"flops", "bytes", "peak_bytes", "xla", "by_line", "by_op", "buffers"}
    assert document["command"] == "cost" and keys <= document["cost"].keys()
    assert document["sweep"] == [] and json.loads(to_json(swept))["sweep"][1]["dims"] == {"N": 8}
