"""Values of `XLA_FLAGS` with which a program compiles in less time, for tests that look at something else."""

import os
from importlib.metadata import version

UNOPTIMIZED = "--xla_backend_optimization_level=0"
"""Where nobody looks at machine code: LLVM makes it in less time, and XLA's own passes are as they are."""

WITHOUT_FUSION_EMITTERS = "--xla_cpu_use_fusion_emitters=false"
HAS_FUSION_EMITTERS_FLAG = tuple(map(int, version("jaxlib").split(".")[:2])) < (0, 11)
"""XLA ends a process that names a flag it does not know: jaxlib 0.11.2 has dropped this one."""

CHEAPEST = f"{UNOPTIMIZED} {WITHOUT_FUSION_EMITTERS}" if HAS_FUSION_EMITTERS_FLAG else UNOPTIMIZED
"""Where nobody looks at optimized HLO either: a fusion that is no MLIR on its way takes half the time."""


def compile_cheaply(program: str) -> None:
    """For this process, before XLA starts; but a program whose text sets flags has those alone."""
    if "XLA_FLAGS" not in program:
        os.environ["XLA_FLAGS"] = CHEAPEST
