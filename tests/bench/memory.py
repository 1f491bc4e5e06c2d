"""What readings take at their peak on top of `hlo`: `python tests/bench/memory.py [RUNS] [LAYERS…]`.

Whole processes on a transformer's training step (`samples/transformer.py`) with donation, of 24 and of 96
layers unless others are given; each process' peak memory is the kernel's (`wait4`). The readings of a round
run one after the other, `hlo` among them twice: how far these two are apart is the noise. A `diff` is of two
batches, and held against `hlo` of both. Prints the medians of the differences, and exits 1 where one is over
its limit.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402

RUNS, LAYERS = 7, (24, 96)
AT_MOST = 12.0
"""In MB, or if that is more,"""
TIMES_TEXT = 2.5
"""so often the compiled HLO, of which 24 layers have 2.6 MB, and 96 have 21."""
STEP = """
import jax
from samples import transformer

step = jax.jit(transformer.train_step.__wrapped__, donate_argnums=(0, 1, 2))

def state():
    return transformer.make_args({layers})[:3]
"""
CALL = ["step:step", "--args-from", "step:state", "--arg", "i32[B,129]"]
ONE, BOTH = [*CALL, "--dim", "B=4"], [*CALL, "--dim", "B=4,8"]
BASES = {"hlo": ["hlo", *ONE], "hlo again": ["hlo", *ONE], "hlo of both": ["hlo", *BOTH]}
READINGS = {
    "source": ["source", *ONE],
    "cost": ["cost", *ONE],
    "diff": ["diff", *ONE, "--vs", "--dim B=8"],
    "hlo --stats": ["hlo", *ONE, "--stats"],
    "hlo --outline": ["hlo", *ONE, "--outline"],
    "hlo --op dot": ["hlo", *ONE, "--op", "dot"],
    "passes": ["passes", *ONE],
    "donation": ["donation", *ONE],
    "constants": ["constants", *ONE],
}


def main(runs: int, *layers: int) -> int:
    return max(int(missed(runs, count)) for count in layers or LAYERS)


def missed(runs: int, layers: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "step.py").write_text(STEP.format(layers=layers))
        text = output(["hlo", *ONE, "--raw"], folder) / 1e6
        rounds = [
            {name: peak(words, folder) for name, words in (BASES | READINGS).items()} for _ in range(runs)
        ]
    limit = max(AT_MOST, TIMES_TEXT * text)
    noise = statistics.median(abs(one["hlo"] - one["hlo again"]) for one in rounds)
    whole = statistics.median(one["hlo"] for one in rounds)
    print(f"{layers} layers, {text:.1f} MB of HLO; hlo takes {whole:.0f} MB, two of it are {noise:.1f} apart")
    head("whole", "over hlo", "at most")
    return not all([is_held(name, rounds, limit) for name in READINGS])


def is_held(name: str, rounds: list[dict[str, float]], limit: float) -> bool:
    base = "hlo of both" if name == "diff" else "hlo"
    more = statistics.median(one[name] - one[base] for one in rounds)
    whole = statistics.median(one[name] for one in rounds)
    return row(name, f"{whole:.0f} MB", f"{more:+.1f} MB", f"{limit:.0f} MB", ratio=more / limit, limit=1)


def output(words: list[str], folder: str) -> int:
    """How many bytes the command prints."""
    return len(subprocess.run(command(words), **started(folder), capture_output=True, check=True).stdout)


def peak(words: list[str], folder: str) -> float:
    """In MB, of a process of its own."""
    process = subprocess.Popen(command(words), **started(folder), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return usage.ru_maxrss * 1024 / 1e6


def command(words: list[str]) -> list[str]:
    return [sys.executable, "-m", "jitinspect", *words, "-q"]


def started(folder: str) -> dict[str, object]:
    return {"cwd": folder, "env": os.environ | {"PYTHONPATH": str(ROOT)}}


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*given or [RUNS]))
