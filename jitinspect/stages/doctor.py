"""What JAX this machine has, which readings it supports, and which other devices it can compile for."""

from __future__ import annotations

from collections.abc import Iterator

import jax

from jitinspect.devices import catalog, plugins
from jitinspect.jaxapi import devices, version
from jitinspect.jaxapi.calls import events
from jitinspect.jaxapi.keys import disk_cache, disk_key
from jitinspect.jaxapi.traces import recording
from jitinspect.model import Diagnosis, Support, TargetSupport
from jitinspect.stages import kernels

CONFIG = (
    "jax_platforms",
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_numpy_rank_promotion",
    "jax_disable_jit",
    "jax_enable_compilation_cache",
    "jax_persistent_cache_min_compile_time_secs",
)
"""Options of `jax.config` that change what is traced, compiled or cached."""


def diagnose() -> Diagnosis:
    """Look at this process's JAX. Starts the backend; compiles nothing, and imports no other plugin."""
    return Diagnosis(
        environment=devices.environment(),
        devices=tuple(str(device) for device in jax.devices()),
        cache_folder=devices.option("jax_compilation_cache_dir"),
        config={name: str(devices.option(name)) for name in CONFIG},
        readings=tuple(_readings()),
        targets=tuple(_targets()),
        cache_notes=tuple(disk_cache.notes()),
    )


def _readings() -> list[Support]:
    always = [Support(reading, available=True) for reading in ("jaxpr", "stablehlo", "hlo")]
    probed = {
        "tested with this JAX": version.why_untested(),
        "llvm": kernels.why_no_llvm(),
        "asm": kernels.why_no_asm(),
        "key: on disk": disk_key.why_no_key(),
        "compile-time": recording.why_not(),
        "compile log: source lines": events.why_no_stack_facts(),
        "trace-cache: traces distinguished from look-ups": events.why_no_body_events(),
        "trace-cache: cached calls off jit's fast path": events.why_no_lookups(),
    }
    return always + [Support(reading, why is None, why) for reading, why in probed.items()]


def _targets() -> Iterator[TargetSupport]:
    found = {platform: plugins.find_plugin(platform) for platform in ("tpu", "cuda")}
    for device in catalog.DEVICES.values():
        plugin = found[device.platform]
        why = plugins.why_not(device, plugin)
        yield TargetSupport(
            device.name,
            device.platform,
            device.kind,
            device.memory,
            available=why is None,
            why=why,
            install=plugin.install if why else None,
        )
