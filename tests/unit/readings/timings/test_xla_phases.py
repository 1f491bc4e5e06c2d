"""What XLA's events stand for, by the paths to them that jaxlib 0.8.3 to 0.12.0 record."""

import pytest

from jitinspect.ir.trace import Event
from jitinspect.readings.timings import xla_phases
from jitinspect.readings.timings.xla_phases import Part, part_of

COMPILER = ["jitinspect: compile", "backend_compile_and_load", "CompileCpuExecutable"]
BACKEND = [*COMPILER, "CpuCompiler::RunBackend", "CpuCompiler::CompileCpuExecutable"]
BEFORE = "HLO passes through layout assignment"
PATHS = {
    ("jitinspect: compile",): Part("JAX around XLA"),
    (*COMPILER[:2],): Part("StableHLO to HLO"),
    (*COMPILER,): Part("other work of XLA"),
    (*BACKEND,): Part("other work of XLA"),
    (*BACKEND, "ThunkEmitter::EmitEntryComputation"): Part("code generation"),
    (*BACKEND, "Codegen", "JitCompiler::Compile"): Part("linking"),
    (*BACKEND, "SplitModule", "CpuCompiler::CloneAsThreadSafeModule"): Part("code generation"),
    ("TaskDispatcher::dispatch",): Part("LLVM"),
    (*COMPILER, "spmd-partitioner (jit_f)", "cse"): Part("partitioner", "spmd-partitioner", "cse"),
    (*COMPILER, "sharding-removal (jit_f)", "dce"): Part("partitioner", "sharding-removal", "dce"),
    (*COMPILER, f"{BEFORE} (jit_f)", "algsimp"): Part("HLO passes before layout", BEFORE, "algsimp"),
    (*COMPILER, f"{BEFORE} (jit_f)", "inner", "inner (jit_f)", "cse", "RunInvariantCheckers"):
        Part("HLO passes before layout", "inner", "cse"),
    (*COMPILER, f"{BEFORE} (jit_f)"): Part("HLO passes before layout", BEFORE, BEFORE),
    (*COMPILER, "HLO passes after layout assignment (jit_f)", "fusion"):
        Part("fusion", "HLO passes after layout assignment", "fusion"),
    (*COMPILER, "HLO passes after layout assignment (jit_f)", "copy-insertion"):
        Part("HLO passes after layout", "HLO passes after layout assignment", "copy-insertion"),
    (*COMPILER, BEFORE, "inner", "inner", "cse"): Part("HLO passes before layout", "inner", "cse"),
    (*COMPILER, "HLO passes after layout assignment", "fusion"):
        Part("fusion", "HLO passes after layout assignment", "fusion"),
    (*COMPILER, "an autotuner of some kind"): Part("autotuning"),
}  # fmt: skip


def path(*names):
    return [Event(name, 0.0, 1.0, {"module": "jit_f"} if name.endswith("(jit_f)") else {}) for name in names]


@pytest.mark.parametrize("names", PATHS, ids=" > ".join)
def test_what_an_event_belongs_to(names):
    assert part_of(path(*names))[0] == PATHS[names]


def test_the_code_generation_of_a_kernel_has_its_module():
    compiled = Event(
        "FusionCompiler::Compile", 0.0, 2.0, {"module": "add_fusion_kernel_module", "op_count": 3}
    )
    inner = Event("OpToOpPassAdaptor", 0.5, 1.0, {})
    assert part_of([compiled, inner, inner]) == (
        Part("code generation", module="add_fusion_kernel_module"),
        compiled,
    )


def test_the_parts_of_a_pass_are_the_same_pass():
    whole = path(*COMPILER, f"{BEFORE} (jit_f)", "cse", "RunInvariantCheckers")
    assert part_of(whole)[1] is whole[-2] is part_of(whole[:-1])[1]


def test_what_may_wait_has_a_phase():
    assert all(part_of(path(name))[0].phase != xla_phases.JAX for name in xla_phases.CPU_WAITING)
