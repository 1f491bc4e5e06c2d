"""What `executables.aliasing` and `jits.leaf_names` lean on: names of JAX's own, and the forms it prints."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.executables import aliasing, memory
from jitinspect.jaxapi.jits import recognition
from jitinspect.jaxapi.jits.leaf_names import names_out

X = jax.ShapeDtypeStruct((8, 8), "float32")


def stages(fn, *args, **options):
    traced = jax.jit(fn, **options).trace(*args)
    lowered = traced.lower()
    return traced, lowered, lowered.compile()


def test_the_header_pairs_outputs_with_parameters():
    _, lowered, compiled = stages(lambda x, y: (y + 1, x * 2), X, X, donate_argnums=(0, 1))
    assert "input_output_alias={ {0}: (0, {}, may-alias), {1}: (1, {}, may-alias) }" in compiled.as_text()
    assert aliasing.aliases(lowered, compiled) == {0: 0, 1: 1}
    _, lowered, compiled = stages(lambda x: x + 1, X, donate_argnums=0)
    assert "input_output_alias={ {}: (0, {}, may-alias) }" in compiled.as_text()
    assert aliasing.aliases(lowered, compiled) == {0: 0}


def test_a_module_without_aliases_has_no_such_header():
    _, lowered, compiled = stages(lambda x: x + 1, X)
    assert "input_output_alias" not in compiled.as_text() and aliasing.aliases(lowered, compiled) == {}


def test_parameters_that_are_one_tuple_count_within_it():
    header = (
        "HloModule m, input_output_alias={ {0}: (0, {3}, may-alias), {12}: (0, {1}, must-alias) }, more={}\n"
    )
    assert list(aliasing._pairs(header)) == [(3, 0), (1, 12)]
    assert list(aliasing._pairs("HloModule m, entry={}\n{0}: (0, {}, may-alias)")) == []


def test_the_lowering_tells_which_arguments_it_kept():
    _, lowered, compiled = stages(lambda x, y, z: y + z, X, X, X, donate_argnums=2)
    assert lowered._lowering.compile_args["kept_var_idx"] == {1, 2}
    assert lowered._lowering.const_args == []
    assert aliasing.kept(lowered) == [1, 2] and aliasing.aliases(lowered, compiled) == {2: 0}


def test_another_jax_is_told_as_that():
    with pytest.raises(UnavailableError, match="dropped as unused"):
        aliasing.kept(object())
    with pytest.raises(UnavailableError, match="other arguments donated"):
        aliasing.recompiled(object(), [True])


def test_tokens_stand_before_arguments_and_results():
    def fn(x):
        jax.debug.print("{}", x[0, 0], ordered=True)
        return x + 1

    _, lowered, compiled = stages(fn, X, donate_argnums=0)
    assert any("jax.token" in told for told in aliasing.main_attributes(lowered, "arg_attrs"))
    assert any("jax.token" in told for told in aliasing.main_attributes(lowered, "res_attrs"))
    assert aliasing.aliases(lowered, compiled) == {0: 0}


def test_a_copy_of_a_trace_is_lowered_with_other_donations():
    traced, lowered, _ = stages(lambda x, y: (x + 1, y.sum()), X, X)
    assert traced._params["donated_invars"] == (False, False)
    assert aliasing.aliases(*aliasing.recompiled(traced, [True, True])) == {0: 0}
    assert traced._params["donated_invars"] == (False, False)
    assert traced.lower().as_text() == lowered.as_text() and "aliasing_output" not in lowered.as_text()


def test_a_copy_of_a_trace_is_lowered_with_its_outputs_in_another_order():
    traced, lowered, _ = stages(lambda x, y: (y.sum(), x + 1), X, X)
    other, compiled = aliasing.recompiled(traced, [True, False], (1, 0))
    assert aliasing.aliases(other, compiled) == {0: 0}
    x = jnp.ones((8, 8))
    assert jax.tree.map(jnp.shape, jax.jit(lambda x, y: (x + 1, y.sum()))(x, x)) == ((8, 8), ())
    assert traced.lower().as_text() == lowered.as_text() and "8x8" in other.as_text().split("->")[1][:40]


@pytest.mark.parametrize(
    ("fn", "more", "same"),
    [
        (lambda x, y: (x + y).sum(0), [True, False], True),  # no output of its type
        (lambda x, y: (x + 1, y.sum()), [True, True], False),
        (lambda x, y: x.astype("bfloat16") + y.astype("bfloat16"), [True, False], False),  # left to XLA
    ],
)
def test_a_donation_that_jax_leaves_out_is_not_compiled(fn, more, same):
    traced, lowered, _ = stages(fn, X, X)
    assert (aliasing.recompiled(traced, more, (), lowered) is None) is same
    again = aliasing.recompiled(traced, more)
    assert (again[0].as_text() == lowered.as_text()) is same


def test_another_order_is_compiled_although_the_donations_are_the_same():
    traced, lowered, _ = stages(lambda x, y: (y.sum(), x + 1), X, X)
    assert aliasing.recompiled(traced, [False, False], (1, 0), lowered) is not None


@pytest.mark.parametrize(
    "fn",
    [
        lambda x, y: (jnp.tanh(x @ y) + x, y * 2),
        lambda x, y: (jax.lax.scan(lambda c, r: (c * r, c.sum()), x, y)[0], jnp.sort(y)),
        lambda x, y: (x.at[2].set(y[0]), jnp.linalg.cholesky(x @ x.T)),
    ],
)
def test_what_is_compiled_again_has_the_instructions_and_buffers_of_a_compilation_in_full(fn):
    """Without LLVM's optimizations; its machine code is another."""
    traced, _, compiled = stages(fn, X, X, donate_argnums=(0, 1))
    _, again = aliasing.recompiled(traced, [True, True])
    assert again.as_text() == compiled.as_text()
    sums = [memory.sums(one) for one in (again, compiled)]
    assert [one.pop("generated_code", 0) >= 0 for one in sums] and sums[0] == sums[1]


def test_an_inner_jit_tells_what_it_donates():
    inner = jax.jit(lambda a, b: a + b, donate_argnums=1)
    traced = jax.jit(lambda x, y: jax.jit(lambda v, w: inner(w, v))(x * 2, y)).trace(X, X)
    assert aliasing.donated_inside(traced) == set()
    traced = jax.jit(lambda x, y: jax.jit(lambda v, w: inner(w, v))(y, x)).trace(X, X)
    assert aliasing.donated_inside(traced) == {1}
    traced = jax.jit(lambda x: inner(x, 1.0)).trace(X)
    assert aliasing.donated_inside(traced) == set()


def test_dropped_arguments_have_no_sharding_and_others_one():
    traced, _, compiled = stages(lambda x, y: y + 1, X, X)
    first, second = aliasing.arguments(traced, compiled)
    assert first.sharding is None and second.sharding is not None
    assert (first.bytes, second.bytes) == (256, 256) and first.same_sharding(second)
    assert [result.bytes for result in aliasing.results(traced, compiled)] == [256]


def test_with_a_mutable_array_jax_tells_no_placement():
    held = jax.new_ref(jnp.ones(3))

    def fn(x):
        held[...] = x
        return x + 1

    traced, lowered, compiled = stages(fn, jnp.ones(3), donate_argnums=0)
    (buffer,) = aliasing.arguments(traced, compiled)
    assert buffer.bytes == 12 and aliasing.aliases(lowered, compiled) == {0: 0}
    assert aliasing.aliased_bytes(compiled) == 24  # that of the mutable array as well


def test_equinox_returns_the_users_result_as_its_second():
    step = eqx.filter_jit(lambda x: {"a": x + 1})
    traced = recognition.trace(step, (jnp.ones(3),), {})
    assert traced.jaxpr.jaxpr.debug_info.result_paths[1] == "result[1]['a']"
    assert names_out(step, traced)[1] == "result['a']"


def test_flax_returns_its_modules_first():
    class Linear(nnx.Module):
        def __init__(self):
            self.w = nnx.Param(jnp.ones(3))

    @functools.partial(nnx.jit)
    def step(x, model, *, other):
        model.w[...] = model.w[...] + x
        other.w[...] = other.w[...] + x
        return {"a": x}

    traced = recognition.trace(step, (jnp.ones(3), Linear()), {"other": Linear()})
    assert names_out(step, traced) == ("model.w", "other.w", "result['a']")
