"""JAX opens an entry that it wrote itself, and says why it does not open another."""

import jax
import jax.numpy as jnp
import pytest

from jitinspect.jaxapi.keys.cache_opening import opener
from tests.support.cache_entries import write
from tests.support.cached import cache_in


def test_it_opens_what_it_wrote_and_nothing_else(tmp_path):
    with cache_in(tmp_path):
        jax.jit(lambda x: jnp.sin(x) + 3).lower(jax.ShapeDtypeStruct((5,), jnp.float32)).compile()
    (written,) = tmp_path.glob("*-cache")
    open_entry = opener("cpu")
    assert open_entry(str(written)) is None
    assert "JAX" not in open_entry(str(write(tmp_path))) != ""
    assert "-5" in open_entry(str(write(tmp_path, content=written.read_bytes()[:100])))


def test_a_platform_that_is_not_here_is_an_error():
    with pytest.raises(RuntimeError):
        opener("rocm")
