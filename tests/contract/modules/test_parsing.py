"""MLIR, portable artifacts and HLO before optimization, as this JAX reads them."""

import io

import jax
import pytest
from jax import export
from jaxlib import _jax

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.modules.given import given
from jitinspect.jaxapi.modules.parsing import hlo_proto_module, hlo_text_module, mlir_module, producer

X = jax.ShapeDtypeStruct((3,), "float32")


@pytest.fixture(scope="module")
def lowered():
    return jax.jit(lambda x: x * 2).lower(X)


@pytest.fixture(scope="module")
def artifact():
    return bytes(export.export(jax.jit(lambda x: x * 2))(X).mlir_module_serialized)


def names(module):
    return [one.name for one in given(module).arguments]


def test_text_with_and_without_locations(lowered):
    located = lowered.compiler_ir("stablehlo").operation.get_asm(enable_debug_info=True)
    assert names(mlir_module(located.encode())) == ["x"]
    plain = mlir_module(lowered.as_text().encode())
    assert names(plain) == [None]
    assert '"-"' not in plain.operation.get_asm(enable_debug_info=True), "places in the text itself"


def test_bytecode(lowered):
    written = io.BytesIO()
    lowered.compiler_ir("stablehlo").operation.write_bytecode(written)
    assert names(mlir_module(written.getvalue())) == ["x"] and producer(written.getvalue()) == ""


def test_portable_artifacts(artifact):
    assert names(mlir_module(artifact)) == ["x"]
    assert producer(artifact).startswith("StableHLO_v")


def test_artifacts_of_a_later_stablehlo_are_told_apart_from_damage(artifact, capfd):
    later = artifact.replace(producer(artifact).encode(), b"StableHLO_v9.99.9")
    with pytest.raises(UnavailableError, match=r"written as StableHLO_v9\.99\.9, this JAX .* reads up to"):
        mlir_module(later[: len(later) // 2])
    with pytest.raises(ValueError, match="its module is damaged"):
        mlir_module(artifact[: len(artifact) // 2])


def test_hlo_as_text_and_proto(lowered):
    text = lowered.as_text(dialect="hlo", debug_info=True)
    assert names(hlo_text_module(text.encode())) == ["x"]
    plain = lowered.as_text(dialect="hlo")
    assert names(hlo_text_module(plain.encode())) == ["x"], "x.1, as the instruction is called"
    proto = lowered.compiler_ir("hlo").as_serialized_hlo_module_proto()
    assert names(hlo_proto_module(proto)) == ["x"]


@pytest.mark.parametrize(
    "parse, content, told",
    [
        (mlir_module, b"module {\n func.func @main() { %0 = nothing }\n}", r"line 2:\d+: .*nothing"),
        (mlir_module, b"module {\xff}", "byte 8 is no text"),
        (mlir_module, b"module {}", "no function @main"),
        (mlir_module, b"ML\xefR\x06x", "line 0:0"),
        (hlo_text_module, b"HloModule x\n\nENTRY {", "was parsing"),
        (hlo_proto_module, b"\x0a\x01x", "."),
    ],
)
def test_what_is_wrong_is_told_in_one_line(parse, content, told, capfd):
    with pytest.raises(ValueError, match=told) as caught:
        given(parse(content))
    assert "\n" not in str(caught.value)


def test_what_jaxlib_is_asked_for():
    assert {"deserialize_portable_artifact", "hlo_to_stablehlo", "refine_polymorphic_shapes"} <= {
        *dir(_jax.mlir)
    }
