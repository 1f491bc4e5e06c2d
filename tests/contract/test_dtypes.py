"""The tables of dtype and PRNG names against JAX."""

import jax
import numpy as np
import pytest

from jitinspect.specs import long_dtype, short_dtype
from jitinspect.specs.dtypes import KEY_IMPLS, LONG

NOT_IN_0_9 = {"float6_e2m3fn", "float6_e3m2fn"}
NOT_IN_0_8 = {"int1", "uint1"}
"""Not in JAX's own table; it takes them all the same."""


@pytest.mark.parametrize("short", LONG)
def test_jax_prints_the_short_name_and_takes_the_long_one(short):
    dtype = jax.numpy.dtype(long_dtype(short))
    struct = jax.ShapeDtypeStruct((3,), dtype)
    assert dtype.name == long_dtype(short) and short_dtype(dtype.name) == short
    with jax.enable_x64(True):
        assert f"a:{short}[3]" in str(jax.make_jaxpr(lambda x: x)(struct))


def test_no_dtype_of_jax_is_missing():
    from jax._src.dtypes import _jax_dtype_set

    known = {np.dtype(dtype).name for dtype in _jax_dtype_set} - {"void"}  # float0
    ours = set(LONG.values()) - (NOT_IN_0_9 if jax.__version_info__ < (0, 10) else set())
    ours -= NOT_IN_0_8 if jax.__version_info__ < (0, 9) else set()
    assert {name for name in known if not name.startswith("StringDType")} == ours


@pytest.mark.parametrize(("impl", "tag"), KEY_IMPLS.items())
def test_the_names_of_prng_implementations(impl, tag):
    key = jax.eval_shape(lambda: jax.random.key(0, impl=impl))
    assert str(key.dtype) == f"key<{tag}>"
