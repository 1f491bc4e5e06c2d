"""XLA's own reader of modules, as far as we lean on it, and functions that stand for programs."""

import re

import jax
import pytest

from jitinspect.jaxapi.executables.given_executables import (
    ProgramArray,
    cost_analysis,
    module_of,
    refusal,
    stand_in,
)
from jitinspect.jaxapi.executables.memory import sums, sums_of
from jitinspect.jaxapi.jits.leaf_names import names_in, names_out


@pytest.fixture(scope="module")
def compiled():
    types = (jax.ShapeDtypeStruct((16, 64), "float32"), jax.ShapeDtypeStruct((64, 32), "float32"))
    step = jax.jit(lambda x, w: (jax.numpy.tanh(x @ w), x * 2), donate_argnums=0)
    return step.lower(*types).compile()


def test_a_proto_prints_as_the_module_does(compiled):
    """But for ids, tables of frames and the order of the keys of a configuration."""
    (module,) = compiled.runtime_executable().hlo_modules()
    text = module_of(module.as_serialized_hlo_module_proto()).to_string()
    assert instructions(text) == instructions(compiled.as_text()) != []


def instructions(text):
    return re.findall(r"^  .* = [^,]*\(.*?\)", text, re.MULTILINE)


def test_xla_costs_a_module_as_it_costs_the_executable(compiled):
    (module,) = compiled.runtime_executable().hlo_modules()
    found = cost_analysis(module.as_serialized_hlo_module_proto())
    own = compiled.cost_analysis()
    assert all(found[name] == own[name] for name in ("flops", "bytes accessed", "transcendentals"))


def test_what_is_no_module_is_refused_in_a_line(compiled, capfd):
    for proto in (b"\x0a\x01", b"\x0a\x01a\x12\x01b"):
        with pytest.raises(ValueError) as caught:
            module_of(proto)
        assert "\n" not in str(caught.value) and str(caught.value)
    text = compiled.as_text()
    assert refusal(text) is None and refusal(text.replace("tanh(", "tahn("))
    assert capfd.readouterr().err == ""


def test_sums_are_those_that_xla_gives(compiled):
    own = sums(compiled)
    message = compiled.memory_analysis().serialized_buffer_assignment_proto
    found = sums_of(message)
    assert found == {name: own[name] for name in found} and found["alias"] > 0


def test_a_stand_in_has_types_and_names_and_the_bits_that_they_have():
    taken = [
        ProgramArray((3,), "float32", "params['b']"),
        ProgramArray((3, 4), "float64", "params.mu[0]"),
        ProgramArray((), "bool", "flag"),
    ]
    made = stand_in("step", taken, [ProgramArray((2,), "int64")])
    traced = made.trace()
    assert [(one.shape, str(one.dtype)) for one in traced.jaxpr.in_avals] == [one[:2] for one in taken]
    assert str(traced.jaxpr.out_avals[0].dtype) == "int64"
    assert names_in(made.function, made.call, traced) == tuple(one.name for one in taken)
    assert len(names_out(made.function, traced)) == 1


@pytest.mark.parametrize("names", [("a", None), ("a", "b", "a"), ("class",), ("[0]",)])
def test_a_stand_in_numbers_what_has_no_name(names):
    made = stand_in("step", [ProgramArray((2,), "float32", name) for name in names], [])
    found = names_in(made.function, made.call, made.trace())
    assert found == tuple(f"arg{at}" for at in range(len(names)))
