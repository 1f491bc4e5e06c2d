"""Loops, branches and the like outside of a jit are the user's: what a call compiles anew, where, and why."""

import functools
from pathlib import Path

import jax
import jax.export
import jax.numpy as jnp
import jax.scipy.sparse.linalg
import numpy as np
import pytest
from jax import lax
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from jitinspect.programs.watch import Watch

X = np.arange(1, 5, dtype=np.float32)
MESH = jax.make_mesh((1,), ("d",), axis_types=(AxisType.Auto,))
HERE = Path(__file__)


def add(total, value):
    return total + value, None


def double(x):
    return x * 2


class Body:
    """All are alike to `hash`, and none equals another."""

    def __hash__(self):
        return 7

    def __call__(self, total, value):
        return total + value, None


def summed(x):
    return lax.scan(add, 0.0, x)[0]


exported = jax.export.export(jax.jit(double))(jax.ShapeDtypeStruct((4,), np.float32))

NEW, ANEW = "its function is a new object", "JAX makes {} anew in each call"
COMPILED_ANEW = {
    "map": (lambda: lax.map(double, X), "scan", ANEW.format("the body of map")),
    "scan of a lambda": (lambda: lax.scan(lambda c, v: (c + v, None), 0.0, X), "scan", NEW),
    "scan of an object": (lambda: lax.scan(Body(), 0.0, X), "scan", NEW),
    "while_loop": (
        lambda: lax.while_loop(lambda n: n < 3, lambda n: n + 1, 0), "while", "its functions are new objects",
    ),
    "fori_loop": (lambda: lax.fori_loop(0, 3, lambda i, c: c, X), "scan", NEW),
    "switch": (
        lambda: lax.switch(1, [lambda v: v, lambda v: -v], X), "cond", "its functions are new objects",
    ),
    "reduce": (lambda: lax.reduce(X, 0.0, lambda a, b: a + b * 1, (0,)), "reduce", NEW),
    "scatter of a lambda": (lambda: jnp.asarray(X).at[0].apply(lambda v: v * 2), "scatter", NEW),
    "a solver": (
        lambda: jax.scipy.sparse.linalg.cg(double, X, maxiter=2), "while", ANEW.format("the body of cg"),
    ),
    "piecewise": (
        lambda: jnp.piecewise(X, [X < 2, X >= 2], [lambda v: v, lambda v: -v]), "piecewise",
        "its functions are new objects",
    ),
    "a callback": (lambda: jax.pure_callback(lambda v: np.asarray(v), X, X), "pure_callback", NEW),
    "shard_map": (
        lambda: jax.shard_map(double, mesh=MESH, in_specs=P("d"), out_specs=P("d"))(jnp.asarray(X)),
        "shard_map", ANEW.format("each of its operations"),
    ),
    "under grad": (lambda: jax.grad(summed)(X), "scan", ANEW.format("the body of scan")),
}  # fmt: skip
COMPILED_ONCE = {
    "scan": lambda: lax.scan(add, 0.0, X),
    "cond": lambda: lax.cond(True, double, double, X),
    "piecewise": lambda: jnp.piecewise(X, [X < 2, X >= 2], [double, double]),
    "what was exported": lambda: exported.call(X),
    "a callback": lambda: jax.pure_callback(np.asarray, X, X),
}
JAXS_OWN = {
    "a ufunc": lambda: jnp.asarray(X) + 1,
    "reduce": lambda: lax.reduce(X, 0.0, lax.add, (0,)),
    "scatter": lambda: jnp.asarray(X).at[0].add(1.0),
    "scatter of one of its functions": lambda: jnp.asarray(X).at[0].apply(jnp.sin),
    "sort": lambda: jnp.sort(X),
    "random": lambda: jax.random.normal(jax.random.key(0), (3,)),
}


def watched(*calls):
    """What the calls compiled, and how much JAX compiled for itself."""
    watch = Watch()
    with watch:
        for call in calls:
            call()
    assert watch.watcher.fault is None
    return watch.report("program").compilations, watch.summary.internal.compilations


@pytest.mark.parametrize("name", COMPILED_ANEW)
def test_what_each_call_compiles_anew_is_the_users(name):
    call, function, why = COMPILED_ANEW[name]
    call()
    found, internal = watched(call, call)
    assert internal == 0
    first, *_, last = [one for one in found if "backward" not in one.reasons[0].text]
    assert first.reasons[0].kind == "first_call" and not first.avoidable
    assert (last.kind, last.function, last.reasons[0].text) == ("eager", function, why)
    assert last.avoidable and "jit the" in last.reasons[0].hint
    assert last.at == f"{HERE.relative_to(Path.cwd())}:{call_line(call)}"


def call_line(call):
    """Where a call in the table is made: for `grad`, where the loop is."""
    return (summed if "grad" in call.__code__.co_names else call).__code__.co_firstlineno + (
        "grad" in call.__code__.co_names
    )


@pytest.mark.parametrize("name", COMPILED_ONCE)
def test_what_compiles_once_with_one_function_is_the_users_as_well(name):
    call = COMPILED_ONCE[name]
    jax.clear_caches()
    found, _ = watched(call, call)
    assert [(one.kind, one.compilations, one.reasons[0].kind) for one in found] == [
        ("eager", 1, "first_call")
    ]


@pytest.mark.parametrize("name", JAXS_OWN)
def test_what_compiles_once_for_all_is_jaxs_own(name):
    call = JAXS_OWN[name]
    jax.clear_caches()
    found, internal = watched(call, call)
    assert found == () and internal >= 1


def test_the_lines_are_those_of_the_function_that_the_program_passed():
    for name in ("map", "a solver", "shard_map"):
        found, _ = watched(COMPILED_ANEW[name][0])
        assert found[0].definition.endswith(f"test_eager.py:{double.__code__.co_firstlineno}"), name


def test_a_loop_is_not_compared_with_its_backward_pass_or_another_one():
    found, _ = watched(*[functools.partial(jax.grad(summed), X)] * 2, lambda: lax.scan(add, 0.0, X))
    assert {reason.kind for one in found for reason in one.reasons} == {"first_call", "new_function"}
    assert {reason.text for one in found for reason in one.reasons if reason.kind == "first_call"} == {
        "first call of scan", "first backward pass of scan",
    }  # fmt: skip


def test_a_derivative_in_one_line_is_taken_apart_as_well():
    found, _ = watched(*[lambda: jax.grad(lambda v: lax.scan(add, 0.0, v)[0])(X)] * 2)
    assert {reason.kind for one in found for reason in one.reasons} == {"first_call", "new_function"}


def test_other_sizes_of_one_loop_are_told():
    jax.clear_caches()
    found, _ = watched(lambda: lax.scan(add, 0.0, X), lambda: lax.scan(add, 0.0, X[:3]))
    assert [reason.text for reason in found[1].reasons if reason.kind == "shape"] == [
        "args[1]: f32[4] → f32[3]"
    ]


def test_another_length_is_told_and_is_not_avoidable():
    found, _ = watched(*[functools.partial(lax.fori_loop, 0, n, add_index, X) for n in (3, 4)])
    assert [reason.text for reason in found[1].reasons] == ["length: 3 → 4"] and not found[1].avoidable


def add_index(i, x):
    return x + i
