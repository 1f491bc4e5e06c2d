"""equinox: what a `filter_jit` keeps, and how it calls its jit."""

import equinox as eqx
import jax
import jax.numpy as jnp

from jitinspect.jaxapi.jits.facts import FunctionNumbers
from jitinspect.jaxapi.jits.filter_jit import facts_of_filter_jit, filter_jit_arguments
from jitinspect.jaxapi.jits.recognition import underlying

traced = []


def body(x, n=2):
    traced.append(n)
    return x * n


class Layer(eqx.Module):
    w: jax.Array

    def __call__(self, x):
        traced.append(self)
        return self.w * x


def facts(wrapper, functions):
    return facts_of_filter_jit(wrapper, underlying(wrapper)[0], functions)


def test_statics_are_compared_by_equality_and_defaults_are_not_passed():
    f, x = eqx.filter_jit(body), jnp.ones(3)
    traced.clear()
    f(x, 2), f(x, 2.0), f(n=2, x=x)
    assert traced == [2]
    f(x)
    assert traced == [2, 2]
    assert filter_jit_arguments(f, (), {"n": 2, "x": x})[0] == (x, 2)
    assert filter_jit_arguments(f, (x,), {})[0] == (x,)


def test_a_module_is_compared_as_an_argument_is():
    x, functions = jnp.ones(3), FunctionNumbers()
    first, second = eqx.filter_jit(Layer(x)), eqx.filter_jit(Layer(x + 1))
    traced.clear()
    first(x), second(x)
    assert len(traced) == 1
    assert facts(first, functions).function == facts(second, functions).function
    assert list(facts(first, functions).parameters) == ["self", "x"]
    assert filter_jit_arguments(second, (x,), {})[0][1] is x


def test_another_function_has_another_number():
    functions = FunctionNumbers()
    numbers = {facts(eqx.filter_jit(lambda x: x), functions).function for _ in range(2)}
    again = {facts(eqx.filter_jit(body), functions).function for _ in range(2)}
    assert len(numbers) == 2 and len(again) == 1
