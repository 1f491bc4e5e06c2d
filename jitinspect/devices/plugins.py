"""Which compilers for TPU and CUDA are installed, and whether they are of the installed JAX.

Read from the metadata of the packages: no plugin is imported, and so none is started. A plugin of another
version than JAX's is refused here, because JAX itself only says so when a compile fails, if at all.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from jitinspect.devices.facts import Gpu, Tpu
from jitinspect.errors import UnavailableError

_PACKAGES = {"tpu": ("libtpu",), "cuda": ("jax-cuda12-plugin", "jax-cuda13-plugin")}
_ASSEMBLERS = {"jax-cuda12-plugin": "nvidia-cuda-nvcc-cu12", "jax-cuda13-plugin": "nvidia-cuda-nvcc"}
"""What brings `ptxas`, without which XLA compiles nothing for CUDA."""
_TOOLKIT = Path("/usr/local/cuda/bin/ptxas")
"""Where XLA looks as well, and on the PATH."""
CUDA_13_OLDEST = (7, 5)
"""The least compute capability that CUDA 13 compiles for."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """The compiler for a platform. `why_not` says why it cannot be used, None if it can."""

    platform: str
    package: str | None
    version: str | None
    why_not: str | None

    @property
    def install(self) -> str:
        """The line to type for a compiler that fits the installed JAX, which it leaves as it is: the extra
        `tpu` or `cuda` of this package asks for one of JAX's, which asks for the plugin of its own version.
        """
        jax = _version("jax")
        return f"pip install 'jitinspect[{self.platform}]'" + (f" 'jax=={jax}'" if jax else "")


def find_plugin(platform: str) -> Plugin:
    """The installed compiler for `tpu` or `cuda`; of two, one that can be used."""
    found = [_look_at(platform, name) for name in _PACKAGES[platform] if _version(name)]
    usable = [plugin for plugin in found if plugin.why_not is None]
    return next(iter(usable + found), Plugin(platform, None, None, _why_none(platform)))


def require_plugin(device: Tpu | Gpu) -> Plugin:
    """The compiler for a device. Raises `UnavailableError`, with the line to type, if there is none."""
    plugin = find_plugin(device.platform)
    if why := why_not(device, plugin):
        raise UnavailableError(f"cannot compile for {device.name}: {why}", hint=plugin.install)
    return plugin


def why_not(device: Tpu | Gpu, plugin: Plugin) -> str | None:
    """Why this compiler cannot compile for this device; None if it can."""
    if plugin.why_not or not isinstance(device, Gpu):
        return plugin.why_not
    if plugin.package == "jax-cuda13-plugin" and device.capability < CUDA_13_OLDEST:
        return "CUDA 13 no longer compiles for Pascal and Volta"
    return None


def _why_none(platform: str) -> str:
    nowhere = "" if sys.platform == "linux" else ", and exists for Linux only"
    return f"{_PACKAGES[platform][0]} is not installed{nowhere}"


def _look_at(platform: str, package: str) -> Plugin:
    return Plugin(platform, package, _version(package), _why_misfit(package) or _why_no_assembler(package))


def _why_misfit(package: str) -> str | None:
    version, wanted = _version(package), _wanted(package)
    if version is None or wanted is None or _fits(version, wanted):
        return None
    return f"{package} {version} is not for jax {_version('jax')}, which needs {package}{wanted}"


def _why_no_assembler(package: str) -> str | None:
    needed = _ASSEMBLERS.get(package)
    if needed is None or _version(needed) or shutil.which("ptxas") or _TOOLKIT.exists():
        return None
    return f"{package} needs {needed}, which is not installed"


def _wanted(package: str) -> str | None:
    """The versions that JAX asks for in an extra, as `==0.0.42.*` or `<=0.10.2,>=0.10.2`; None if it does
    not say.
    """
    try:
        requirements = metadata.requires("jax") or []
    except metadata.PackageNotFoundError:
        return None
    asked = re.compile(rf"{re.escape(package)}(?:\[[^]]*\])? ?\(?([=<>][^;)]*)")
    return next((found[1].strip() for line in requirements if (found := asked.match(line))), None)


def _fits(version: str, wanted: str) -> bool:
    return all(_holds(_numbers(version), one.strip()) for one in wanted.split(","))


def _holds(version: tuple[int, ...], condition: str) -> bool:
    """Whether one of `==`, `<=`, `>=` holds, which are all that JAX uses (0.8.0 to 0.12.0.1)."""
    relation, text = condition[:2], condition[2:]
    number = _numbers(text)
    if relation == "==" and text.endswith(".*"):
        return version[: len(number)] == number
    return {"==": version == number, "<=": version <= number, ">=": version >= number}.get(relation, True)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version.partition("+")[0])))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
