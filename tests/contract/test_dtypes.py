"""The tables of dtype and PRNG names against JAX."""

import jax
import numpy as np
import pytest

from jitinspect.specs import long_dtype, short_dtype
from jitinspect.specs.dtypes import KEY_IMPLS, LONG


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
    assert {name for name in known if not name.startswith("StringDType")} == set(LONG.values())


@pytest.mark.parametrize(("impl", "tag"), KEY_IMPLS.items())
def test_the_names_of_prng_implementations(impl, tag):
    key = jax.eval_shape(lambda: jax.random.key(0, impl=impl))
    assert str(key.dtype) == f"key<{tag}>"
