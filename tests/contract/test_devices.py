"""What `jaxapi.devices` takes from JAX, held against JAX."""

import subprocess
import sys

import jax
import jax.numpy as jnp
from jax._src import hardware_utils, xla_bridge

from jitinspect.jaxapi.devices import is_computing


def test_an_unfinished_computation_is_seen():
    """XLA computes in its own threads: a call returns at once, unless it is very short."""

    @jax.jit
    def slow(x):
        return jax.lax.fori_loop(0, 200, lambda i, x: jnp.tanh(x @ x), x)

    x = jnp.ones((256, 256))
    slow(x).block_until_ready()
    result = slow(x)
    assert is_computing() and not result.is_ready()
    result.block_until_ready()
    jax.block_until_ready(jax.live_arrays())
    assert not is_computing()
    result.delete()
    assert not is_computing()


def test_jax_tells_whether_accelerators_are_here():
    chips, _ = hardware_utils.num_available_tpu_chips_and_device_id()
    assert chips >= 0 and hardware_utils.has_visible_nvidia_gpu() in (True, False)
    assert hasattr(xla_bridge, "_plugins_registered")


SKIPS = """
import jax
from jitinspect.jaxapi import devices
devices._accelerator_is_here = lambda: False
devices.skip_missing_accelerators()
print(jax.devices()[0].platform, jax.config.jax_platforms)
"""


def test_without_one_jax_starts_on_the_cpu_alone():
    printed = subprocess.run([sys.executable, "-c", SKIPS], capture_output=True, text=True, check=True)
    assert printed.stdout == "cpu cpu\n"
