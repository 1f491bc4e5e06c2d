"""What `shown_frames` leans on: JAX asks `_include_paths` before it hides a frame of its own."""

import jax
import jax.numpy as jnp
from jax._src import source_info_util

from jitinspect.jaxapi.source_lines.shown_frames import frames_shown_of

OF_JAX = jax.scipy.linalg.expm.__wrapped__.__code__.co_filename
X = jax.ShapeDtypeStruct((8, 8), "float32")


def module():
    """Traced and lowered anew, as another process would."""
    return jax.jit(lambda x: jax.scipy.linalg.expm(x) + 1).trace(X).lower().as_text(debug_info=True)


def test_inside_jaxs_own_lines_are_in_the_module_and_afterwards_not():
    before = module()
    assert OF_JAX not in before
    with frames_shown_of(OF_JAX):
        assert source_info_util.is_user_filename(OF_JAX)
        assert not source_info_util.is_user_filename(jnp.sin.__wrapped__.__code__.co_filename)
        assert OF_JAX in module()
    assert not source_info_util.is_user_filename(OF_JAX)
    assert source_info_util._include_paths == [] and OF_JAX not in module()


def test_for_another_file_nothing_changes():
    for file in (__file__, None):
        with frames_shown_of(file):
            assert source_info_util._include_paths == []
