"""What the bytes of executables say: of each platform, whole, cut, and of none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.files.cache.executables import executable_in
from tests.support.cache_entries import executable, tables


def test_an_entry_of_a_cpu_tells_its_module_machine_and_line():
    found = executable_in(executable("jit_step", index=tables()))
    assert (found.module, found.platform) == ("jit_step", "cpu")
    assert found.origin == ("/a/train.py", 8, "step")
    assert (found.machine.name, found.machine.triple) == ("znver2", "x86_64-unknown-linux-gnu")
    assert found.machine.features == {"+64bit", "+sse2"}


@pytest.mark.parametrize(
    ("platform", "versions"),
    [("tpu", None), ("cuda", "CUDA 12.8.0, cuDNN 9.10.0"), ("rocm", "ROCm 7.0.1"), ("other", None)],
)
def test_an_entry_of_a_device_tells_its_platform(platform, versions):
    found = executable_in(executable("jit_loss", platform))
    assert found.module == "jit_loss" and found.versions == versions and found.origin is None
    assert found.platform == (None if platform == "other" else platform)


def test_before_jax_0_12_names_in_the_payload_tell_the_platform():
    tpu = executable(platform="other", filling=b"x" * 9000 + b"xla.jellyfish.TpuCompilationEnvironment")
    cuda = executable(platform="other", filling=b"xla.gpu.GpuExecutableProto ... .nv.info")
    gpu = executable(platform="other", filling=b"xla.gpu.GpuExecutableProto")
    assert [executable_in(entry).platform for entry in (tpu, cuda, gpu)] == ["tpu", "cuda", "gpu"]


@pytest.mark.parametrize("entry", [b"", b"\0\0\0\0", b"\0\0\0\0\x05hello", b"\xff" * 5000, bytes(5000)])
def test_other_bytes_are_no_executable(entry):
    assert executable_in(entry) is None


WHOLE = executable("jit_step", index=tables(), filling=bytes(300))


@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_cut_and_changed_bytes_raise_nothing(kept, at, value):
    changed = bytearray(WHOLE)
    changed[at] = value
    for entry in (WHOLE[:kept], bytes(changed)):
        found = executable_in(entry)
        assert found is None or isinstance(found.module, str)


def test_a_second_entry_for_the_same_cpu_is_the_same_machine():
    first, second = (executable_in(executable(name)) for name in ("jit_a", "jit_b"))
    assert first.machine is second.machine
    other = executable_in(executable(machine=("aarch64-linux", "neoverse-v2", "+neon")))
    assert other.machine.name == "neoverse-v2"
