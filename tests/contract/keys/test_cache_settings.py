"""The settings of the cache that are read from the environment are those that JAX reads from it."""

import json
import os
import subprocess
import sys

import pytest

from jitinspect.jaxapi.keys.cache_settings import settings

NAMES = (
    "jax_compilation_cache_dir", "jax_enable_compilation_cache", "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes", "jax_compilation_cache_max_size",
)  # fmt: skip
PROGRAM = f"import jax, json; print(json.dumps([getattr(jax.config, name) for name in {NAMES}]))"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "JAX_COMPILATION_CACHE_DIR": "relative/folder", "JAX_ENABLE_COMPILATION_CACHE": "Off",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.25",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "77", "JAX_COMPILATION_CACHE_MAX_SIZE": "12345",
        },
    ],
)  # fmt: skip
def test_a_fresh_jax_has_the_same(given):
    others = {name: value for name, value in os.environ.items() if name.lower() not in NAMES}
    environ = {**others, **given}
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environ, capture_output=True, check=True
    ).stdout
    found = settings(environ)
    assert json.loads(told) == [
        found.folder, found.enabled, found.least_seconds, found.least_bytes, found.most_bytes
    ]  # fmt: skip
    assert found.needs_filelock == bool(given)


def test_what_jax_would_refuse_is_left_out():
    assert settings({"JAX_COMPILATION_CACHE_MAX_SIZE": "1GB", "JAX_COMPILATION_CACHE_DIR": ""}) == settings(
        {}
    )
