"""What `run` costs a program: `python tests/bench/programs.py [RUNS]`.

Each program runs bare and watched in turn, A B A B …; the medians of CPU seconds and of the ratios are
printed, for the whole process (user + system, as the kernel accounts them) and for the program's own work
(as it times itself). Exits 1 where a limit is missed. Limits are of the work, for to start and to report
takes half a second and more of any program; where the program is long, of the whole too. What `--hits` adds
to a cached call is measured in one process.
"""

import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402

LOOP = """
import time, jax, jax.numpy as jnp, numpy as np
def predict(params, x):
    for w, b in params[:-1]:
        x = jnp.tanh(x @ w + b)
    return x @ params[-1][0] + params[-1][1]
@jax.jit
def step(params, x, y):
    loss = lambda params: jnp.mean((predict(params, x) - y) ** 2)
    return jax.tree.map(lambda p, g: p - 0.01 * g, params, jax.grad(loss)(params))
sizes, random = (64, 128, 128, 10), np.random.default_rng(0)
pairs = zip(sizes, sizes[1:])
params = [(jnp.asarray(random.normal(size=(a, b)) / 8, "float32"), jnp.zeros(b)) for a, b in pairs]
x, y = jnp.asarray(random.normal(size=(32, 64)), "float32"), jnp.zeros((32, 10))
params = step(params, x, y)
began = time.process_time()
for _ in range(10_000):
    params = step(params, x, y)
jax.block_until_ready(params)
print(time.process_time() - began)
"""
COMPILES = """
import time, jax, jax.numpy as jnp, numpy as np
@jax.jit
def step(w, x):
    return jnp.mean(jnp.tanh(x @ w) ** 2)
w = np.ones((8, 8), np.float32)
began = time.process_time()
for size in range(1, 1001):
    step(w, np.ones((size, 8), np.float32))
print(time.process_time() - began)
"""
LARGER = (
    LOOP.replace("(64, 128, 128, 10)", "(256, 512, 512, 10)")
    .replace("(32, 64)", "(128, 256)")
    .replace("(32, 10)", "(128, 10)")
    .replace("10_000", "1_000")
)
LONGER = LARGER.replace("1_000", "4_000")
HITS = """
import statistics, time, jax, numpy as np
from jitinspect.programs.watch import Watch
def microseconds(call, x):
    began = time.process_time()
    for _ in range(10_000):
        call(x, x)
    return (time.process_time() - began) * 100
x, plain = jax.device_put(np.ones(8, np.float32)), jax.jit(lambda w, x: w * x)
with Watch(hits=True):
    counted = jax.jit(lambda w, x: w * x)
    plain(x, x), counted(x, x)
    print(statistics.median(-microseconds(plain, x) + microseconds(counted, x) for _ in range(21)))
"""
ADDED = 1.0
"""Microseconds by which `--hits` may make a cached call longer, of CPU time, in one process."""
CASES = [
    ("10,000 steps", LOOP, ["run", "-q"], 1.01),
    ("10,000 steps, --hits", LOOP, ["run", "-q", "--hits"], 1.15),
    ("1,000 larger steps, --profile", LARGER, ["run", "-q", "--profile"], 1.10),
    ("4,000 larger steps, --profile", LONGER, ["run", "-q", "--profile"], 1.10, 1.10),
    ("10,000 steps, --profile", LOOP, ["run", "-q", "--profile"], 1.10),
    ("1,000 compilations", COMPILES, ["run"], 1.03),
    ("1,000 compilations, --record", COMPILES, ["run", "--record", "recording.jsonl"], 1.03),
]


def run(command: list[str], folder: Path) -> tuple[float, float]:
    """CPU seconds of the whole process, and of the program's own work."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed with status {status}")
    return usage.ru_utime + usage.ru_stime, float(told.split()[-1])


def compare(
    name: str, program: str, watched: list[str], limit: float, whole_limit: float = math.inf, *, runs: int
) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "program.py").write_text(program)
        ours = [sys.executable, "-m", "jitinspect", *watched, "program.py"]
        bare = [sys.executable, "program.py"]
        pairs = [(run(ours, Path(folder)), run(bare, Path(folder))) for _ in range(runs)]
    cells, ratios = [], []
    for part in (0, 1):
        ratio = statistics.median(a[part] / b[part] for a, b in pairs)
        seconds = (statistics.median(each[part] for each in column) for column in zip(*pairs, strict=True))
        cells += [*(f"{second:8.2f} s" for second in seconds), f"{ratio:7.3f}"]
        ratios.append(ratio)
    held = ratios[0] <= whole_limit and ratios[1] <= limit
    print(f"{name:<30} {' '.join(cells)}   {limit:5.2f}   {'ok' if held else 'OVER'}", flush=True)
    return held


def compare_hits() -> bool:
    done = subprocess.run([sys.executable, "-c", HITS], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    added = float(done.stdout)
    head("added", "at most")
    return row("--hits, a cached call", f"{added:.2f} µs", f"{ADDED:.2f} µs", ratio=added / ADDED, limit=1)


def main(runs: int = 7) -> int:
    print(f"{'':<30} {'whole':>10} {'bare':>10} {'ratio':>7} {'work':>10} {'bare':>10} {'ratio':>7}   limit")
    return 0 if all([compare_hits(), *(compare(*case, runs=runs) for case in CASES)]) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
