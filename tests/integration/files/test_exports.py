"""What `export` says of files that `jax.export` wrote."""

import hashlib

import jax
import jax.numpy as jnp
import pytest
from jax import export

from jitinspect.errors import LoadError
from jitinspect.files.exports import read
from jitinspect.model.exports import CustomCall

MATRIX = jax.ShapeDtypeStruct((8, 8), "float32")


@pytest.fixture
def held(tmp_path):
    def made(function, *call, **how):
        file = tmp_path / "step.jaxexport"
        jitted = function if hasattr(function, "lower") else jax.jit(function)
        file.write_bytes(export.export(jitted, **how)(*call).serialize())
        return read(file).exported

    return made


def step(params, x, unused):
    return {"w": params["w"] - x}, x.sum()


def test_arguments_and_results_have_their_paths_types_and_use(held):
    found = held(step, {"w": MATRIX}, MATRIX, MATRIX, platforms=("cpu", "tpu"))
    assert [(one.type, one.used) for one in found.arguments] == [
        ("f32[8,8]", True), ("f32[8,8]", True), ("f32[8,8]", False),
    ]  # fmt: skip
    assert [one.path for one in found.arguments[:2]] == ["params['w']", "x"]
    assert [one.type for one in found.results] == ["f32[8,8]", "f32[]"]
    assert (found.function, found.platforms, found.devices) == ("step", ("cpu", "tpu"), 1)
    assert not any(one.donated for one in found.arguments)


def test_what_is_donated_is_named(held):
    found = held(jax.jit(step, donate_argnums=0), {"w": MATRIX}, MATRIX, MATRIX)
    assert [one.path for one in found.arguments if one.donated] == ["params['w']"]


def test_the_bytes_and_versions_are_those_of_the_file(held, tmp_path):
    found = held(jnp.sin, MATRIX, platforms=("tpu",))
    content = (tmp_path / "step.jaxexport").read_bytes()
    assert (found.bytes, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    exported = export.deserialize(bytearray(content))
    assert found.calling_convention == exported.calling_convention_version and found.is_supported
    assert found.has_vjp is False and found.platforms == ("tpu",)


def test_custom_calls_effects_and_open_sizes_are_told(held):
    assert held(jnp.linalg.cholesky, MATRIX).custom_calls == (CustomCall("lapack_spotrf_ffi", True),)
    open_size = jax.ShapeDtypeStruct(export.symbolic_shape("b, 8"), "float32")
    found = held(jnp.sin, open_size)
    assert found.dims == ("b",) and found.arguments[0].type == "f32[b,8]"
    assert held(jnp.sin, MATRIX).custom_calls == () and held(jnp.sin, MATRIX).dims == ()


def test_another_kind_of_file_is_refused(tmp_path):
    file = tmp_path / "step.jaxexport"
    file.write_text("module @jit_f {\n}\n")
    with pytest.raises(LoadError, match="is no exported function: it is an MLIR module"):
        read(file)
