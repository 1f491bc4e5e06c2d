"""Devices and versions: what this JAX runs on."""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import platform
from contextlib import suppress
from typing import Any

import jax
import jaxlib.version
from jax._src import xla_bridge as _xla_bridge

import jitinspect
from jitinspect.errors import UnavailableError, UsageError
from jitinspect.model import Environment

MOST_CPU_DEVICES = 4096
"""Each device takes threads and memory, and JAX would try to make any number."""


def require_backend() -> list[jax.Device]:
    """The devices of the default backend, which is started. Raises `UnavailableError` if there is none.

    JAX then raises a RuntimeError, for example for an unknown platform in JAX_PLATFORMS, or an
    AssertionError for a known platform without a plugin (0.10.2, 0.12.0.1).
    """
    try:
        return jax.devices()
    except (RuntimeError, AssertionError) as error:
        asked = os.environ.get("JAX_PLATFORMS", "")
        message = f"JAX finds no backend (JAX_PLATFORMS={asked!r}): {error or 'none was started'}"
        raise UnavailableError(message, hint="JAX_PLATFORMS=cpu is always available") from None


_COMPILERS = {"xla_cuda12", "xla_cuda13"}
"""Plugins that may be installed for their compilers alone, besides libtpu, which is none of `jax_plugins`."""


def skip_missing_accelerators() -> None:
    """Have JAX not look for a TPU or GPU that is not here, where only their compilers may be installed.

    Otherwise it starts libtpu, which asks Google's metadata server which machine this is, prints errors and
    writes to /tmp, and loads CUDA's plugin, which prints, before it goes on with the CPU (0.10.2, 0.12.0.1).
    Whether there are any, JAX finds out by itself (`hardware_utils`) where it warns of missing plugins. Does
    nothing once a backend runs, for other platforms, and with other plugins.
    """
    if is_started() or option("jax_platforms") not in (None, "", "cpu") or _accelerator_is_here():
        return
    jax.config.update("jax_platforms", "cpu")
    if hasattr(_xla_bridge, "_plugins_registered"):
        _xla_bridge._plugins_registered = True


def _accelerator_is_here() -> bool:
    """Also if that is not known."""
    plugins = {module.name for path in _plugin_folders() for module in pkgutil.iter_modules([path])}
    has_libtpu = importlib.util.find_spec("libtpu") is not None
    if not plugins <= _COMPILERS or not (plugins or has_libtpu):
        return True
    try:
        from jax._src import hardware_utils

        chips, _ = hardware_utils.num_available_tpu_chips_and_device_id()
        return chips > 0 or hardware_utils.has_visible_nvidia_gpu()
    except (ImportError, AttributeError, OSError):
        return True


def _plugin_folders() -> list[str]:
    """Of the namespace package `jax_plugins`."""
    spec = importlib.util.find_spec("jax_plugins")
    return list(spec.submodule_search_locations or ()) if spec else []


def environment() -> Environment:
    """Versions and devices. Starts the backend if it has not been started yet."""
    devices = require_backend()
    return Environment(
        jitinspect=jitinspect.__version__,
        jax=jax.__version__,
        jaxlib=jaxlib.version.__version__,
        python=platform.python_version(),
        platform=devices[0].platform,
        device_kind=devices[0].device_kind,
        device_count=len(devices),
        xla_flags=os.environ.get("XLA_FLAGS", ""),
    )


def option(name: str) -> Any:
    """The value of one of `jax.config`'s options; None if this JAX does not have it."""
    return getattr(jax.config, name, None)


def ensure_cpu_devices(count: int) -> bool:
    """Request at least `count` CPU devices, if the backend has not started; returns whether it did. Not if as
    many were requested before.

    The option `jax_num_cpu_devices` (0.8.3 to 0.12.0.1) takes effect when the backend starts;
    `--xla_force_host_platform_device_count` overrides it; a running backend keeps what it has.
    """
    if count > MOST_CPU_DEVICES:
        raise UsageError(f"{count} CPU devices are too many", hint=f"at most {MOST_CPU_DEVICES}")
    if count <= 1 or "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):
        return False
    try:
        if count <= option("jax_num_cpu_devices"):
            return False
        jax.config.update("jax_num_cpu_devices", count)
    except (RuntimeError, AttributeError, TypeError):
        return False
    return True


def job() -> tuple[int, int] | None:
    """The index of this process in its job, and how many there are; None for a single process, or while that
    is not known yet. Does not start the backend.
    """
    if not is_started() or jax.process_count() == 1:
        return None
    return jax.process_index(), jax.process_count()


def is_started() -> bool:
    """Whether the backend runs. Settings that must come before that (`jax.distributed.initialize`, the number
    of devices) are then no longer possible.
    """
    initialized = getattr(_xla_bridge, "backends_are_initialized", None)
    return initialized is not None and bool(initialized())


def is_computing() -> bool:
    """Whether an array of the default backend is still being computed. Does not start the backend."""
    return is_started() and not all(array.is_deleted() or array.is_ready() for array in jax.live_arrays())


def finish_computing() -> None:
    """Wait for the arrays of the default backend that are still being computed, as Python's exit does. What
    fails there is told to nobody.
    """
    for array in jax.live_arrays() if is_started() else ():
        with suppress(Exception):
            if not array.is_deleted():
                array.block_until_ready()
