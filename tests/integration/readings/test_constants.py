"""`constants`: which closed-over arrays JAX captures, their names and lines, and how each enters."""

import functools
import json
import os
import subprocess
import sys
from contextlib import nullcontext

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax

from jitinspect.model import Target
from jitinspect.readings import constants
from jitinspect.stages import inspection
from jitinspect.stages.observer import Observer
from jitinspect.stages.pipeline import Pipeline
from jitinspect.targets.jitting import jitted
from jitinspect.targets.loading import named

TARGET = Target("t", "t", "t", None, None, (), (), "")
X = jax.ShapeDtypeStruct((4, 4), "float32")


def report(fn, *args):
    """The report as the command makes it."""
    jit = jitted(named(fn))
    pipeline = Pipeline(functools.partial(jit.trace, *args))
    subject = inspection.Subject(pipeline, jit, (args, {}), "f()", {}, None, nullcontext)
    return constants.read(TARGET, iter([subject])).constants


def line(offset):
    """A line of this file, counted from the caller's."""
    frame = sys._getframe(1)
    return f"{frame.f_code.co_filename}:{frame.f_lineno + offset}"


def matrix(dtype="float32", scale=1.0):
    return (np.arange(16).reshape(4, 4) * scale).astype(dtype)


OF_THE_MODULE = matrix(scale=0.5)


def test_numpy_and_jax_arrays_have_name_line_and_uses():
    weights, bias = matrix(), jnp.arange(4.0)

    def fn(x):
        y = x @ weights
        return y @ weights + bias

    first, second = report(fn, X)
    at = line(-4)
    assert (first.name, first.shape, first.dtype, first.type) == ("weights", (4, 4), "float32", "f32[4,4]")
    assert (first.bytes, first.uses, first.source.rpartition("/")[2]) == (64, 2, at.rpartition("/")[2])
    assert (second.name, second.bytes, second.uses) == ("bias", 16, 1)
    assert second.source.endswith(line(-7).rpartition(":")[2])


def test_scalars_are_not_arrays():
    scale, also = 2.0, np.float32(3)
    assert report(lambda x: x * scale * also * np.array(2.0), X) == ()


def test_an_array_of_another_dtype_is_recognised_after_jax_converted_it():
    wide, other = matrix("float64", 0.1), matrix("float64", 0.2)
    (only,) = report(lambda x: x @ wide + (0 if other is None else 1), X)
    assert (only.name, only.dtype) == ("wide", "float32")


def test_what_is_computed_during_tracing_has_no_name():
    (only,) = report(lambda x: x @ (matrix() + 1), X)
    assert (only.name, only.bytes, only.uses) == (None, 64, 1)


@pytest.mark.parametrize("kind", ["scan", "while", "cond", "jit", "custom_vjp", "checkpoint", "vmap", "grad"])
def test_a_constant_of_an_inner_function_has_the_line_that_uses_it(kind):
    weights = matrix()

    @jax.custom_vjp
    def custom(x):
        return inner(x)

    custom.defvjp(lambda x: (custom(x), None), lambda _, g: (g,))

    def inner(x):
        return x @ weights

    def fn(x):
        match kind:
            case "scan":
                return lax.scan(lambda c, _: (inner(c), None), x, length=3)[0]
            case "while":
                return lax.while_loop(lambda c: c[0, 0] < 3, inner, x)
            case "cond":
                return lax.cond(x[0, 0] > 0, inner, lambda x: x, x)
            case "jit" | "checkpoint" | "vmap":
                return getattr(jax, kind)(inner)(x)
            case "custom_vjp":
                return custom(x)
            case "grad":
                return jax.grad(lambda x: inner(x).sum())(x)

    (only,) = report(fn, X)
    assert only.name == "weights" and only.uses >= 1
    assert int(only.source.rpartition(":")[2]) == inner.__code__.co_firstlineno + 1
    assert "literal" in only.enters


def test_the_condition_of_a_loop_has_its_own_constants():
    bound, step = jnp.ones(3) * 7, jnp.ones(5) * 2

    def fn(x):
        return lax.while_loop(lambda c: c.sum() < bound.sum(), lambda c: c + step[0], x)

    found = {one.name: one for one in report(fn, X)}
    assert set(found) == {"bound", "step"} and all(one.uses for one in found.values())


def test_each_function_that_uses_it_has_its_own_literal():
    weights = matrix()
    (only,) = report(lambda x: jax.jit(lambda a: a @ weights)(x @ weights), X)
    assert only.uses == 2 and only.enters.startswith("2 literals, ")


@pytest.mark.parametrize(
    "array",
    [
        matrix(), matrix("int8"), matrix() > 5, matrix("complex64"), jnp.ones((4, 4)),
        jnp.ones(4, "bfloat16"), jnp.arange(4, dtype="float16"), np.zeros((0, 4), "float32"),
        jax.random.key(0), np.random.default_rng(0).random((200, 200), "float32"),
    ],
    ids=lambda array: str(array.dtype),
)  # fmt: skip
def test_how_it_enters_is_read_from_the_module(array):
    def fn(x):
        return x, array

    (only,) = report(fn, X)
    text = jax.jit(fn).lower(X).as_text()
    literals = [part for part in text.split("\n") if "stablehlo.constant" in part]
    (literal,) = literals
    length = len(literal.partition("stablehlo.constant ")[2])
    found = int(only.enters.removeprefix("literal, ").removesuffix(" chars").replace(",", ""))
    assert abs(found - length) <= 40  # of many digits the frame around them is not counted
    assert (only.name, only.uses, only.source) == ("array", 0, None)


def test_what_nothing_uses_is_not_in_the_module():
    weights = matrix()

    def fn(x):
        jax.jit(lambda x: x @ weights)(x)
        return x

    (only,) = report(fn, X)
    assert "stablehlo.constant" not in jax.jit(fn).lower(X).as_text()
    assert (only.name, only.uses, only.enters) == ("weights", 1, "not in the module")


def test_names_reach_into_objects():
    class Model:
        def __init__(self):
            self.layers = [{"w": matrix()}]

        def __call__(self, x):
            return x @ self.layers[0]["w"]

        def step(self, x):
            return self(x)

    class Holder(eqx.Module):
        w: jax.Array

    class Linear(nnx.Module):
        def __init__(self):
            self.w = nnx.Param(jnp.arange(16.0).reshape(4, 4) + 3)
            self.more = nnx.List([nnx.Param(jnp.arange(16.0).reshape(4, 4) + 4)])

    model, holder, linear = Model(), Holder(jnp.arange(4.0)), Linear()
    scale = jax.jit(lambda x, by: x * by)
    assert name_of(model) == "self.layers[0]['w']"
    assert name_of(model.step) == "self.layers[0]['w']"
    assert name_of(lambda x: model(x)) == "model.layers[0]['w']"
    assert name_of(lambda x: x * holder.w) == "holder.w"
    assert name_of(lambda x: x * linear.w[...]) == "linear.w"
    assert name_of(lambda x: x * linear.more[0][...]) == "linear.more[0]"
    assert name_of(lambda x: x @ OF_THE_MODULE) == "OF_THE_MODULE"
    assert name_of(lambda x: scale(x, OF_THE_MODULE)) == "OF_THE_MODULE"
    assert name_of(lambda x, w=OF_THE_MODULE: x @ w) == "w"
    assert name_of(lambda x, *, w=OF_THE_MODULE: x @ w) == "w"
    assert name_of(jax.jit(functools.partial(lambda x, w: x @ w, w=matrix()))) == "w"
    assert name_of(jax.jit(functools.partial(lambda w, x: x @ w, matrix()))) == "w"


def name_of(fn):
    found = report(fn, X)
    return found[0].name if found else None


def test_a_mutable_array_is_an_argument():
    held = jax.new_ref(jnp.ones(3))

    def fn(x):
        held[...] = x
        return x

    (only,) = report(fn, jax.ShapeDtypeStruct((3,), "float32"))
    assert (only.name, only.type) == ("held", "f32[3]") and only.enters.startswith("argument, added by JAX")


def test_only_the_users_own_stages_are_events():
    key = jax.random.key(1)
    jax.clear_caches()
    with Observer() as observer:
        (only,) = report(lambda x: x + jax.random.normal(key), X)
    assert only.name == "key" and only.dtype == "key<fry>" and only.bytes == 8
    phases = [event.phase for event in observer.events]
    assert phases.count("lower") == 1 and "compile" not in phases


PROGRAM = """
import jax
import jax.numpy as jnp
W = jnp.arange(256.0).reshape(16, 16)
V = jnp.arange(100.0)
def step(x):
    return jax.jit(lambda a: a @ W)(x), V[3:7] * 2
"""


@pytest.mark.parametrize("hoisted", ["", "1"])
def test_with_simplified_constants_jax_adds_arguments(write, hoisted):
    write("prog.py", PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "jitinspect", "constants", "prog:step", "--shape", "16,16", "--json"],
        env=os.environ
        | ({"JAX_USE_SIMPLIFIED_JAXPR_CONSTANTS": hoisted} if hoisted else {})
        | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)["constants"]
    assert [(one["name"], one["bytes"], one["source"]) for one in found] == [
        ("W", 1024, "prog.py:7"), ("V", 400, "prog.py:7"),
    ]  # fmt: skip
    kinds = [one["enters"].split(",")[0].rstrip(" 01") for one in found]
    assert kinds == (["argument", "argument"] if hoisted else ["literal", "literal"])


ONE = jnp.float32(1.0)
LIKE_ONE = jnp.float32(1.0)


@jax.jit
def times_one(x):
    return x * ONE


EQUAL = {
    # what: the function, and how many literals the constant became
    "unused": (lambda x: (x * ONE, jnp.where(x > 1.0, x + 1.0, x - 1.0) + x / 1.0)[1], 0),
    "used once": (lambda x: jnp.where(x > ONE, x, -x), 1),
    "beside equal literals": (lambda x: jnp.where(x > ONE, x + 1.0, x - 1.0), 1),
    "in two functions": (lambda x: (times_one(x) + 1.0) * ONE, 2),
    "in a loop": (lambda x: lax.scan(lambda c, _: (c * ONE + 1.0, None), x, None, length=3)[0], 1),
}


@pytest.mark.parametrize("what", EQUAL)
def test_only_the_literals_of_this_constant_count(what):
    fn, count = EQUAL[what]
    (only,) = report(fn, jax.ShapeDtypeStruct((3,), "float32"))
    told = "not in the module" if not count else "literal, 33" if count == 1 else "2 literals, 66"
    assert only.enters.removesuffix(" chars") == told


def test_equal_constants_are_told_apart():
    found = report(lambda x: (x * ONE) - LIKE_ONE, jax.ShapeDtypeStruct((3,), "float32"))
    assert [one.enters for one in found] == ["literal, 33 chars"] * 2


def test_of_many_equal_literals_not_all_are_counted(monkeypatch):
    monkeypatch.setattr(constants, "_MOST_LOWERINGS", 1)
    found = report(lambda x: (x * ONE) - LIKE_ONE, jax.ShapeDtypeStruct((3,), "float32"))
    assert [one.enters for one in found] == ["literal, 33 chars", "literal, if at all: others are equal"]
