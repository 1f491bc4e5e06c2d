"""Whether this machine's JAX can load an entry, as far as can be told without starting it."""

from __future__ import annotations

import glob
import platform
import re
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from jitinspect.files.cache.executables import Executable, Machine
from jitinspect.files.cache.expanding import Compression, zstd_package

Verdict = tuple[bool | None, str | None]
"""Whether it can be loaded, None if only trying tells, and why not."""

_AS_LINUX_SAYS = {
    "64bit": "lm", "cmov": "cmov", "crc32": "sse4_2", "cx16": "cx16", "fxsr": "fxsr", "lzcnt": "abm",
    "pclmul": "pclmulqdq", "prfchw": "3dnowprefetch", "rdrnd": "rdrand", "sahf": "lahf_lm", "sha": "sha_ni",
    "sse3": "pni", "sse4.1": "sse4_1", "sse4.2": "sse4_2", "avx512vpopcntdq": "avx512_vpopcntdq",
    "avx512vnni": "avx512_vnni", "avx512bf16": "avx512_bf16", "avx512fp16": "avx512_fp16",
    "avx512bitalg": "avx512_bitalg", "avx512vbmi2": "avx512_vbmi2", "avxvnni": "avx_vnni",
    "amx-bf16": "amx_bf16", "amx-int8": "amx_int8", "amx-tile": "amx_tile",
}  # fmt: skip
_LIKEWISE = {
    "adx", "aes", "avx", "avx2", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512vbmi",
    "avx512ifma", "bmi1", "bmi2", "f16c", "fma", "fma4", "gfni", "mmx", "movbe", "popcnt", "sse", "sse2",
    "sse4a", "ssse3", "vaes", "vpclmulqdq", "xop",
}  # fmt: skip
"""Features that LLVM and Linux call alike. Others are not looked for: Linux lists not all that a CPU has."""
_DEVICES = {
    "cuda": ("/dev/nvidia[0-9]*", "NVIDIA GPU", ("jax_cuda13_plugin", "jax_cuda12_plugin")),
    "rocm": ("/dev/kfd", "AMD GPU", ("jax_rocm7_plugin", "jax_rocm60_plugin")),
    "tpu": ("/dev/accel[0-9]*", "TPU", ("libtpu",)),
}
"""Where Linux shows the devices of a platform, what they are, and the packages that run on them."""


def loadable(executable: Executable, compression: Compression | None) -> Verdict:
    if compression != (own := "zstd" if zstd_package() else "zlib"):
        return False, f"it is compressed with {compression}, and JAX reads {own} here"
    if executable.platform == "cpu":
        return _on_this_cpu(executable.machine)
    return _on_device(executable.platform)


@lru_cache(64)
def _on_this_cpu(machine: Machine | None) -> Verdict:
    if machine is None:
        return None, None
    here = platform.machine()
    there = machine.triple.partition("-")[0]
    if there and there != here.replace("arm64", "aarch64"):
        return False, f"it is for {there}, and this is {here}"
    known = {_AS_LINUX_SAYS.get(name, name if name in _LIKEWISE else "") for name in _names(machine)}
    flags = _cpu_flags()
    if flags and (missing := sorted(known - flags - {""})):
        return False, f"it is for {machine.name}: this CPU has no {', '.join(missing)}"
    return True, None


def _names(machine: Machine) -> set[str]:
    return {feature.removeprefix("+") for feature in machine.features}


@cache
def _cpu_flags() -> frozenset[str]:
    """Empty where the system does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return frozenset()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


@cache
def _on_device(name: str | None) -> Verdict:
    """A device that is there may still be another one than the entry is for."""
    if name not in _DEVICES:
        return None, None
    pattern, what, packages = _DEVICES[name]
    if not glob.glob(pattern) and not (name == "tpu" and glob.glob("/dev/vfio/[0-9]*")):
        return False, f"it is for {name}, and there is no {what} here"
    if not any(find_spec(package) for package in packages):
        return False, f"it is for {name}: {packages[0]} is not installed"
    return None, None
