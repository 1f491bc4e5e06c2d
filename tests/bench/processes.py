"""Whole processes against plain JAX, in pairs: `python tests/bench/processes.py [RUNS]`.

Each command and its bare counterpart run in turn, A B A B …, and the medians of CPU seconds (user +
system, as the kernel accounts them) and of the ratios are printed. The bare scripts import jax and
print the same text from `ShapeDtypeStruct`s, which is the cheapest way there is.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402

SMALL = """
import jax
from samples.mlp import normalize
x = jax.ShapeDtypeStruct((128, 784), "float32")
traced = jax.jit(normalize).trace(x)
"""
LARGE = """
from samples.transformer import make_args, train_step
traced = train_step.trace(*make_args())
"""
TARGETS = {
    "small": (SMALL, ["samples.mlp:normalize", "--shape", "128,784"]),
    "large": (LARGE, ["samples.transformer:train_step", "--args-from", "samples.transformer:make_args"]),
}
PRINTS = {"jaxpr": "print(traced.jaxpr)", "hlo": "print(traced.lower().compile().as_text())"}
LIMITS = {"jaxpr, small": 0.97, "hlo, small": 1.10, "jaxpr, large": 1.03, "hlo, large": 1.03}


def cpu_seconds(command: list[str]) -> float:
    """User and system seconds of the finished process; its output is read and thrown away."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed with status {status}")
    return usage.ru_utime + usage.ru_stime


def compare(name: str, ours: list[str], bare: list[str], limit: float, runs: int) -> bool:
    """Time the two in turn, after one warm-up of each; print a row; whether the limit holds."""
    pairs = [(cpu_seconds(ours), cpu_seconds(bare)) for _ in range(runs + 1)][1:]
    ratio = statistics.median(a / b for a, b in pairs)
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    return row(name, f"{a:.3f} s", f"{b:.3f} s", ratio=ratio, limit=limit)


def main(runs: int = 9) -> int:
    command = [sys.executable, "-m", "jitinspect"]
    import_jax = [sys.executable, "-c", "import jax"]
    head("jitinspect", "bare")
    held = [
        compare("--version", [*command, "--version"], import_jax, 0.03, runs),
        compare("--help", [*command, "--help"], import_jax, 0.17, runs),
    ]
    for size, (script, arguments) in TARGETS.items():
        for stage, prints in PRINTS.items():
            ours = [*command, stage, *arguments, *(["--raw"] if stage == "hlo" else [])]
            bare = [sys.executable, "-c", script + prints]
            name = f"{stage}, {size}"
            held.append(compare(name, ours, bare, LIMITS[name], runs))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
