"""LLVM IR and machine code by kernel, on the real CPU backend."""

import re
import shutil

import jax
import jax.numpy as jnp
import pytest

from jitinspect.errors import UnavailableError
from jitinspect.stages import kernels
from jitinspect.stages.kernels import disassembly, instructions, llvm_ir

S = jax.ShapeDtypeStruct
VECTOR, SQUARE = S((64,), jnp.float32), S((64, 64), jnp.float32)

READINGS = pytest.mark.parametrize("read", [kernels.llvm, kernels.asm])


def lower(f, *args):
    return jax.jit(f).lower(*args)


def hlo_names(lowered) -> set[str]:
    return set(re.findall(r"%([\w.-]+) = ", lowered.compile().as_text()))


def wave(x):
    return jnp.tanh(x * 2 + 1)


def product(x, y):
    return jnp.tanh(x @ y)


def loop(x):
    return jax.lax.scan(lambda c, _: (jnp.sin(c) * 0.5 + c.mean(), c.sum()), x, None, length=10)


def nested(x):
    def outer(i, c):
        return jax.lax.fori_loop(0, i, lambda j, d: jnp.sort(d @ d) * j, c)

    return jax.lax.fori_loop(0, 5, outer, x)


def branches(i, x):
    kinds = [lambda x: jnp.fft.fft(x).real, lambda x: jnp.sort(x) + 1, lambda x: jnp.cumsum(x, axis=0)]
    return jax.lax.switch(i, kinds, x)


@READINGS
def test_a_fusion_is_one_kernel_named_by_it(read):
    lowered = lower(wave, S((1280, 784), jnp.float32))
    reading = read(lowered)
    (kernel,) = reading.kernels
    assert kernel.name == kernel.instruction
    assert kernel.instruction in hlo_names(lowered)
    assert reading.text == f"; kernel {kernel.name}  (HLO instruction %{kernel.instruction})\n{kernel.text}"
    assert reading.notes == ()


def test_ir_is_without_noise_and_complete():
    (kernel,) = kernels.llvm(lower(wave, VECTOR)).kernels
    assert re.search(rf"^define .*@{kernel.name}\(", kernel.text, re.M)
    assert kernel.text.endswith("\n}")
    assert not re.search(
        r"^attributes|^target|^source_filename|![\w.]+ !\d|#\d|Function Attrs", kernel.text, re.M
    )


def test_ir_before_llvms_passes_has_the_helpers_and_types_it_uses():
    (kernel,) = kernels.llvm(lower(wave, VECTOR), optimized=False).kernels
    text = kernel.text
    assert "tanh" in text
    assert text != kernels.llvm(lower(wave, VECTOR)).kernels[0].text
    for called in set(re.findall(r"call .*?@([\w.]+)\(", text)) - {kernel.name}:
        assert called.startswith("llvm.") or re.search(
            rf"^(define|declare) .*@{re.escape(called)}\(", text, re.M
        )


def test_asm_has_a_label_for_each_jump():
    (kernel,) = kernels.asm(lower(wave, S((1280, 784), jnp.float32))).kernels
    lines = kernel.text.split("\n")
    assert lines[0] == f"{kernel.name}:"
    labels = {line for line in lines if line.startswith(".L")}
    jumped = {f"{label}:" for label in re.findall(r"(\.L[0-9a-f]+)$", kernel.text, re.M)}
    assert labels and labels == jumped
    assert any("ret" in line for line in lines)
    assert "nop" not in lines[-1]


@READINGS
def test_a_library_hand_off_is_noted_by_name_and_can_be_turned_off(read):
    lowered = lower(product, S((64, 32), jnp.float32), S((32, 16), jnp.float32))
    by_default = read(lowered)
    (note,) = by_default.notes
    handed = re.search(r"%([\w.-]+) \((?:__ynn_fusion|dot)\)", note)
    assert handed and handed[1] in hlo_names(lowered)
    assert "--no-library" in note
    exposed = read(lowered, expose_library=True)
    extra = {kernel.instruction for kernel in exposed.kernels} - {k.instruction for k in by_default.kernels}
    assert any(name and name.startswith("dot") for name in extra)
    assert "not the kernels that run by default" in exposed.notes[0]


def test_what_even_the_option_cannot_show_is_noted():
    large = S((512, 512), jnp.float32)
    notes = kernels.llvm(lower(product, large, large), expose_library=True).notes
    assert any(note.startswith("still handed to a library") and "(dot)" in note for note in notes)
    assert not any("--no-library" in note for note in notes)


@READINGS
def test_reductions(read):
    reading = read(lower(lambda x: (x * x).sum() + jnp.tanh(x).max(axis=1), SQUARE), expose_library=True)
    assert all(kernel.instruction for kernel in reading.kernels)
    assert any("reduce" in kernel.name for kernel in reading.kernels)


@READINGS
def test_two_fusions_come_in_execution_order(read):
    lowered = lower(lambda x: jnp.sort(jnp.tanh(x) * 3) * 2 + 1, VECTOR)
    reading = read(lowered)
    entry = lowered.compile().as_text().split("ENTRY")[1]
    order = [entry.index(f"%{kernel.instruction} =") for kernel in reading.kernels]
    assert order == sorted(order)
    (comparator,) = (kernel for kernel in reading.kernels if kernel.name.startswith("region"))
    assert comparator.instruction.startswith("sort")
    assert len(reading.kernels) == 3
    assert len(re.findall("^; kernel ", reading.text, re.M)) == 3


LOOPS = [(loop, [VECTOR]), (nested, [SQUARE]), (branches, [S((), jnp.int32), SQUARE])]


@READINGS
@pytest.mark.parametrize("f, args", LOOPS)
def test_kernels_of_loops_and_branches_have_an_instruction_of_the_program(read, f, args):
    lowered = lower(f, *args)
    reading = read(lowered)
    assert reading.kernels
    assert {kernel.instruction for kernel in reading.kernels} <= hlo_names(lowered)
    assert not any("not found" in note for note in reading.notes)


@READINGS
def test_a_kernel_that_two_instructions_share_names_both(read):
    lowered = lower(nested, SQUARE)
    reading = read(lowered)
    shared = re.findall(r"^; kernel (\S+)  \(HLO instructions %(\S+), %(\S+)\)$", reading.text, re.M)
    assert {name.split(".")[0] for name, _, _ in shared} == {"wrapped_add", "wrapped_compare"}
    assert {name for names in shared for name in names[1:]} <= hlo_names(lowered)


def test_many_instructions_are_named_in_part():
    def layers(x):
        for _ in range(12):
            x = jnp.tanh(x @ x)
        return x

    (note,) = kernels.llvm(lower(layers, SQUARE)).notes
    assert note.count("%") == 8 and " and 4 more (" in note


def test_custom_calls_and_convolutions_are_noted():
    notes = kernels.llvm(lower(lambda x: jnp.linalg.cholesky(x) * 2, SQUARE)).notes
    assert any("lapack_spotrf" in note for note in notes)
    image, filters = S((2, 3, 16, 16), jnp.float32), S((4, 3, 3, 3), jnp.float32)
    f = lambda x, k: jax.lax.conv_general_dilated(x, k, (1, 1), "SAME")  # noqa: E731
    assert any("convolution" in note for note in kernels.llvm(lower(f, image, filters)).notes)


@READINGS
def test_a_program_of_only_constants(read):
    assert [kernel.instruction for kernel in read(lower(lambda: jnp.arange(5) * 2 + 1)).kernels] != []


@READINGS
def test_identity_has_no_kernel(read):
    with pytest.raises(UnavailableError, match="only returns or copies"):
        read(lower(lambda x: x, VECTOR))


@READINGS
def test_a_program_that_runs_in_a_library_says_so_and_how_to_see_it(read):
    lowered = lower(lambda x: x @ x, S((16, 16), jnp.int32))
    with pytest.raises(UnavailableError, match="no part of the program") as caught:
        read(lowered)
    assert "--no-library" in caught.value.hint
    assert "(dot)" in caught.value.detail
    assert read(lowered, expose_library=True).kernels


@READINGS
def test_another_platform_is_refused(read):
    lowered = jax.jit(wave).trace(VECTOR).lower(lowering_platforms=("tpu",))
    with pytest.raises(UnavailableError, match="tpu"):
        read(lowered)


def test_no_disassembler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="objdump") as caught:
        kernels.asm(lower(wave, VECTOR))
    assert "binutils" in caught.value.hint
    assert kernels.why_no_asm() == disassembly.NO_TOOL
    assert kernels.why_no_llvm() is None


@pytest.mark.skipif(not shutil.which("llvm-objdump"), reason="llvm-objdump is not installed")
def test_llvm_objdump_is_enough(monkeypatch, tmp_path):
    lowered = lower(nested, SQUARE)
    with_binutils = kernels.asm(lowered)
    (tmp_path / "llvm-objdump").symlink_to(shutil.which("llvm-objdump"))
    monkeypatch.setenv("PATH", str(tmp_path))
    reading = kernels.asm(lowered)
    assert [k.instruction for k in reading.kernels] == [k.instruction for k in with_binutils.kernels]
    assert re.findall(r"^\.L\w+:", reading.text, re.M) == re.findall(r"^\.L\w+:", with_binutils.text, re.M)


MODULE = """\
; ModuleID = 'm'
target triple = "x86_64-unknown-linux-gnu"

%T = type { ptr, i64 }
@used = private constant [2 x float] zeroinitializer
@unused = private constant [2 x float] zeroinitializer

declare float @llvm.fabs.f32(float) #1
declare float @sinf(float) #1

; Function Attrs: uwtable
define ptr @"odd name"(ptr %0) #0 {
  %1 = load %T, ptr @used, align 8, !invariant.load !0, !noalias !4
  tail call void @llvm.experimental.noalias.scope.decl(metadata !5)
  %2 = call float @helper(float 1.0) #3
  br label %3, !llvm.loop !7
}

define internal float @helper(float %0) #1 {
  %2 = call float @sinf(float %0)
  ret float %2
}

define void @second() {
  ret void
}

attributes #0 = { uwtable }
!0 = !{}
"""


def test_a_module_of_several_functions_is_split():
    first, second = llvm_ir.functions(MODULE)
    assert second == ("second", "define void @second() {\n  ret void\n}")
    assert first == (
        "odd name",
        """\
%T = type { ptr, i64 }
@used = private constant [2 x float] zeroinitializer
declare float @sinf(float)

define internal float @helper(float %0) {
  %2 = call float @sinf(float %0)
  ret float %2
}

define ptr @"odd name"(ptr %0) {
  %1 = load %T, ptr @used, align 8
  %2 = call float @helper(float 1.0)
  br label %3
}""",
    )


def test_strings_in_hlo_are_not_read_as_code():
    attributes = 'custom_call_target="T", frontend_attributes={a="calls=%b \\" while("}'
    line = f"  ROOT %f = (f32[2]{{0}}, s32[]) custom-call(%x), {attributes}"
    module = instructions.parse("\n".join(["ENTRY %main (x: f32[2]) -> f32[2] {", line, "}"]))
    assert module.executed() == (instructions.Instruction("f", "custom-call", (), "T"),)
