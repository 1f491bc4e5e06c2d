"""Values that arrays of a call are made with, of all kinds of numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jitinspect.errors import UsageError
from jitinspect.jaxapi.arrays.sample_values import arrays_in, copies, deleted_in, with_values
from jitinspect.jaxapi.arrays.zeros import zeros


def S(dtype, *shape, **more):
    return jax.ShapeDtypeStruct(shape, dtype, **more)


def one(struct):
    (made,), _ = with_values((struct,))
    return made


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float8_e4m3fn"])
def test_floats_are_spread_over_0_to_1(dtype):
    made = one(S(dtype, 1000))
    assert made.dtype == dtype and not made.committed
    values = np.asarray(made, np.float32)
    assert 0 <= values.min() < 0.05 and 0.9 < values.max() <= 1 and 0.45 < values.mean() < 0.55


def test_integers_are_valid_indices_and_bools_are_mixed():
    assert not one(S("int32", 5)).any() and not one(S(jnp.int4, 5)).any()
    assert 400 < one(S("bool", 1000)).sum() < 600
    assert abs(one(S("complex64", 9))).min() > 0


def test_keys_are_keys():
    key = jax.eval_shape(lambda: jax.random.key(0, impl="rbg"))
    made, kinds = with_values({"key": key})
    assert made["key"].dtype == key.dtype and jax.random.normal(made["key"]).shape == ()
    assert kinds == {"keys": "of seed 0"}


def test_weak_types_and_given_values_stay():
    given = jnp.arange(3)
    made, kinds = with_values([S("float32", weak_type=True), S("float32", 2, weak_type=True), given, "gelu"])
    assert isinstance(made[0], float) and made[1].weak_type
    assert made[2] is given and made[3] == "gelu"
    assert [*kinds] == ["floats"]
    assert zeros(S("float32", weak_type=True)) == 0


def test_they_are_the_same_each_time():
    assert (one(S("float32", 9)) == one(S("float32", 9))).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="this machine has"):
        with_values([S("float32", 2**50)])


def test_donated_arrays_are_copied():
    tree = {"a": jnp.ones(4), "key": jax.random.key(0), "n": 3, "w": one(S("float32", 2, weak_type=True))}
    copied = copies(tree, arrays_in(tree))
    assert copied["w"].weak_type and copied["n"] == 3 and copied["key"].dtype == tree["key"].dtype
    jax.jit(lambda a: a + 1, donate_argnums=0)(copied["a"])
    assert deleted_in(copied) == {0} and not tree["a"].is_deleted()
