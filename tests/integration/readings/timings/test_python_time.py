"""Where the time of tracing and lowering goes, on programs in which it is known."""

import time
from collections import Counter
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jitinspect.ir.attribution import Line
from jitinspect.jaxapi.source_lines.equations_on_stack import equation_of
from jitinspect.process.stack_sampling import sampled
from jitinspect.readings.timings.python_time import PythonTime
from tests.support.measured import one_of_three_runs

X = jax.ShapeDtypeStruct((8, 8), "float32")


@pytest.fixture(autouse=True)
def cleared():
    jax.clear_caches()


def traced(function, *args):
    """As if for the first time, also where a test runs again."""
    jax.clear_caches()
    with sampled(equation_of) as samples:
        found = jax.jit(function).trace(*args)
    return found, PythonTime(samples)


def line(function, offset):
    return Line(__file__, function.__code__.co_firstlineno + offset)


SLEEP = 0.05


def slow_helper(x, seconds=SLEEP):
    time.sleep(seconds)
    return jnp.sin(x)


def looping(x, w):
    for _ in range(10):
        x = slow_helper(x @ w)
    return x.sum()


@one_of_three_runs
def test_the_line_of_a_sleep_in_a_helper_comes_first():
    _, found = traced(jax.grad(looping), X, X)
    lines = found.by_line()
    assert next(iter(lines)) == line(slow_helper, 1)
    assert lines[line(slow_helper, 1)] > 9 * SLEEP
    functions = {one.function: one for one in found.by_function()}
    helper, loop = functions["slow_helper"], functions["looping"]
    assert helper.self_seconds > max(9 * SLEEP, loop.self_seconds)
    assert loop.total_seconds >= helper.total_seconds >= helper.self_seconds


@one_of_three_runs
def test_what_python_takes_outside_of_jax():
    def program(x, w):
        for _ in range(400):
            x = x @ w
        return slow_helper(x, 10 * SLEEP)

    _, found = traced(program, X, X)
    outside = found.outside_of_jax()
    assert outside[line(slow_helper, 1)] == found.by_line()[line(slow_helper, 1)]
    assert outside.get(line(program, 2), 0) < found.by_line()[line(program, 2)] / 2


@one_of_three_runs
def test_the_seconds_within_a_function():
    _, found = traced(looping, X, X)
    helper = range(line(slow_helper, 0).line, line(slow_helper, 3).line)
    inside = found.within(lambda one: one.file == __file__ and one.line in helper)
    assert inside == pytest.approx(
        {one.function: one.total_seconds for one in found.by_function()}["slow_helper"]
    )


@one_of_three_runs
def test_all_seconds_are_told_by_line_and_by_stack():
    began = time.perf_counter()
    _, found = traced(looping, X, X)
    wall = time.perf_counter() - began
    told = found.samples.seconds - found.samples.own_seconds
    assert sum(found.by_line().values()) == pytest.approx(told)
    assert sum(stack.seconds for stack in found.stacks()) == pytest.approx(told)
    assert told == pytest.approx(wall, rel=0.1)


@one_of_three_runs
def test_each_sleep_has_its_time():
    """In the function, in a jit inside it, and in a body, which JAX may trace more than once."""
    took = Counter()

    def program(x):
        began = time.perf_counter()
        time.sleep(0.4)
        took[line(program, 2)] += time.perf_counter() - began
        x = jax.jit(inside)(x)
        return jax.lax.scan(body, x, None, length=2)[0]

    def inside(x):
        began = time.perf_counter()
        time.sleep(0.1)
        took[line(inside, 2)] += time.perf_counter() - began
        return x + 1

    def body(x, _):
        began = time.perf_counter()
        time.sleep(0.2)
        took[line(body, 2)] += time.perf_counter() - began
        return x + 1, None

    lines = traced(program, X)[1].by_line()
    assert len(took) == 3
    for one, seconds in took.items():
        assert lines[one] == pytest.approx(seconds, rel=0.15), one


@one_of_three_runs
def test_a_transposed_equation_is_charged_to_its_line():
    """A custom derivative that sleeps has its own line; what JAX transposes has that of the forward pass."""

    def program(x, w):
        for _ in range(300):
            x = x @ w
        return x.sum()

    _, found = traced(jax.grad(program), X, X)
    transposed = [one for one in found.by_primitive() if one.primitive == "dot_general"]
    assert transposed and {*transposed[0].lines} == {line(program, 2)}
    assert next(iter(found.by_line())) == line(program, 2)


@one_of_three_runs
def test_lowering_by_primitive_and_line():
    def program(x):
        for _ in range(1000):
            x = jax.lax.dot(x, x)
        return jnp.sin(x)

    traced_once, _ = traced(program, X)
    with sampled(equation_of) as samples:
        traced_once.lower()
    first = PythonTime(samples).by_primitive()[0]
    assert first.primitive == "dot_general"
    assert next(iter(first.lines)) == line(program, 2)


@one_of_three_runs
def test_boxes_of_a_flame_graph():
    def program(x):
        return jax.vmap(jax.jit(slow_helper))(x)

    _, found = traced(program, X)
    asleep = f"test_python_time.py:{line(slow_helper, 1).line}"
    frames = next(
        stack.frames for stack in found.stacks() if stack.frames and stack.frames[-1].endswith(asleep)
    )
    names = [frame.split()[0] for frame in frames]
    assert names == ["jax", "test_boxes_of_a_flame_graph.<locals>.program", "jax", "slow_helper"]


def test_a_library_alone_has_its_own_lines():
    def program(function, x):
        return function(x)

    gelu = jax.nn.gelu.__wrapped__ if hasattr(jax.nn.gelu, "__wrapped__") else jax.nn.gelu
    with sampled(equation_of) as samples:
        jax.jit(partial(gelu, approximate=True)).trace(X)
    own = PythonTime(samples, gelu.__code__.co_filename)
    folder = own._innermost
    assert all(key is None or folder.is_near(key.file) for key in own.by_line())
    assert {*PythonTime(samples).by_line()} == {None}


@one_of_three_runs
def test_what_jax_calls_of_a_library_that_does_not_use_it_is_its_own_work():
    """Here all that is traced."""
    of_numpy = {}
    exec(
        compile("import time\ndef slow(x):\n    time.sleep(0.5)\n    return x\n", np.__file__, "exec"),
        of_numpy,
    )
    _, found = traced(of_numpy["slow"], X)
    assert {*found.by_line()} == {None}
    asleep = Line(np.__file__, 3)
    own = PythonTime(found.samples, np.__file__).by_line()
    assert {*own} <= {None, asleep} and own[asleep] > 0.4  # of 0.5: samples take some for themselves
