"""Which compiler is installed, read from the metadata of packages that a folder holds."""

import shutil
import sys
from pathlib import Path

import pytest

from jitinspect.devices import plugins
from jitinspect.devices.catalog import DEVICES
from jitinspect.errors import UnavailableError

JAX = ("jax", "0.10.2", [
    "jaxlib<=0.10.2,>=0.10.1",
    'libtpu==0.0.42.*; extra == "tpu"',
    'jax-cuda12-plugin[with-cuda]<=0.10.2,>=0.10.2; extra == "cuda12"',
    'jax-cuda13-plugin[with-cuda]<=0.10.2,>=0.10.2; extra == "cuda13"',
])  # fmt: skip
"""As in the metadata of jax 0.10.2."""
CUDA_12, NVCC_12 = ("jax-cuda12-plugin", "0.10.2", []), ("nvidia-cuda-nvcc-cu12", "12.9.86", [])
CUDA_13, NVCC_13 = ("jax-cuda13-plugin", "0.10.2", []), ("nvidia-cuda-nvcc", "13.5.37", [])


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Nothing but these packages is installed, and no CUDA toolkit."""

    def install(*packages):
        for name, version, requires in packages:
            folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
            folder.mkdir()
            lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
            (folder / "METADATA").write_text("\n".join(lines + [f"Requires-Dist: {one}" for one in requires]))
        others = [place for place in sys.path if "site-packages" not in place]
        monkeypatch.setattr(sys, "path", [str(tmp_path), *others])
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(plugins, "_TOOLKIT", tmp_path / "ptxas")

    return install


def test_a_compiler_of_the_version_that_jax_asks_for(installed):
    installed(JAX, ("libtpu", "0.0.42.1", []), CUDA_12, NVCC_12)
    tpu, cuda = plugins.find_plugin("tpu"), plugins.find_plugin("cuda")
    assert (tpu.package, tpu.version, tpu.why_not) == ("libtpu", "0.0.42.1", None)
    assert (cuda.package, cuda.version, cuda.why_not) == ("jax-cuda12-plugin", "0.10.2", None)
    assert plugins.require_plugin(DEVICES["v5e"]) == tpu and plugins.require_plugin(DEVICES["p100"]) == cuda


TPU_LINE = "pip install 'jitinspect[tpu]' 'jax==0.10.2'"
CUDA_LINE = "pip install 'jitinspect[cuda]' 'jax==0.10.2'"


@pytest.mark.parametrize(
    ("packages", "device", "said", "hint"),
    [
        ([JAX], "v5e", "cannot compile for v5e: libtpu is not installed", TPU_LINE),
        ([JAX], "h100", "jax-cuda12-plugin is not installed",
         CUDA_LINE),
        ([JAX, ("libtpu", "0.0.50.1", [])], "v4",
         "libtpu 0.0.50.1 is not for jax 0.10.2, which needs libtpu==0.0.42.*", TPU_LINE),
        ([JAX, ("libtpu", "0.0.4", [])], "v4", "is not for jax 0.10.2", TPU_LINE),
        ([JAX, ("jax-cuda12-plugin", "0.11.2", []), NVCC_12], "h100",
         "jax-cuda12-plugin 0.11.2 is not for jax 0.10.2", CUDA_LINE),
        ([JAX, ("jax-cuda12-plugin", "0.9.2", []), NVCC_12], "h100", "is not for jax 0.10.2", CUDA_LINE),
        ([JAX, CUDA_12], "h100", "needs nvidia-cuda-nvcc-cu12, which is not installed", CUDA_LINE),
        ([JAX, CUDA_13, NVCC_13], "v100", "CUDA 13 no longer compiles for Pascal and Volta", CUDA_LINE),
    ],
)  # fmt: skip
def test_what_is_missing_and_what_to_type(installed, packages, device, said, hint):
    installed(*packages)
    with pytest.raises(UnavailableError) as caught:
        plugins.require_plugin(DEVICES[device])
    assert said in caught.value.message and hint in caught.value.hint
    assert caught.value.exit_code == 6


def test_of_two_the_one_that_can_be_used_is_taken(installed):
    installed(JAX, ("jax-cuda12-plugin", "0.9.2", []), NVCC_12, CUDA_13, NVCC_13)
    assert plugins.require_plugin(DEVICES["h100"]).package == "jax-cuda13-plugin"


@pytest.mark.parametrize("where", ["on the PATH", "in the toolkit"])
def test_a_cuda_toolkit_serves_as_well_as_the_package(installed, tmp_path, monkeypatch, where):
    installed(JAX, CUDA_12)
    ptxas = Path(shutil.copy("/bin/true", tmp_path / "ptxas"))
    if where == "in the toolkit":
        monkeypatch.setenv("PATH", "/nowhere")
    else:
        monkeypatch.setattr(plugins, "_TOOLKIT", Path("/nowhere/ptxas"))
    assert ptxas.exists() and plugins.find_plugin("cuda").why_not is None


@pytest.mark.parametrize("jax", [[], [("jax", "0.10.2", [])]])
def test_a_jax_that_does_not_say_what_it_needs_is_believed_to_fit(installed, jax):
    installed(*jax, ("libtpu", "0.0.42.1", []))
    plugin = plugins.find_plugin("tpu")
    assert plugin.why_not is None
    assert plugin.install == ("pip install 'jitinspect[tpu]'" + (" 'jax==0.10.2'" if jax else ""))


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("0.0.42.1", "==0.0.42.*", True),
        ("0.0.42", "==0.0.42.*", True),
        ("0.0.420", "==0.0.42.*", False),
        ("0.0.42.1+nightly", "==0.0.42.*", True),
        ("0.10.2", "<=0.10.2,>=0.10.2", True),
        ("0.10.2", "<=0.10.1, >=0.10.0", False),
        ("0.12.0.1", "<=0.12.0.1,>=0.12.0.1", True),
        ("0.12.0", "<=0.12.0.1,>=0.12.0.1", False),
        ("0.10.2", "==0.10.2", True),
    ],
)
def test_versions(version, wanted, fits):
    assert plugins._fits(version, wanted) is fits
