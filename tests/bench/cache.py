"""What `cache ls` takes beside a loop that reads and decompresses: `python tests/bench/cache.py [RUNS]`.

A thousand entries: what JAX wrote for 200 small functions and training steps of many shapes, each under five
keys. The listing and a bare loop alternate in one process; then the whole command, and a Python that runs the
same loop. Prints the best of each and their ratio; exits 1 where the listing's is above the limit.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from jitinspect.files.cache.listing import contents  # noqa: E402
from tests.bench.rows import head, row  # noqa: E402

COMPILED, KEYS, RUNS, LIMIT = 200, 5, 7, 1.5
MAKE = """
import sys
import jax, jax.numpy as jnp

def loss(weights, x):
    for w in weights:
        x = jnp.tanh(x @ w)
    return jnp.mean(x ** 2)

def step(weights, x):
    value, grads = jax.value_and_grad(loss)(weights, x)
    return [w - 0.1 * grad for w, grad in zip(weights, grads)], value

def of(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)

for n in range(1, int(sys.argv[1]) + 1):
    if n % 2:
        jax.jit(lambda x, y: jnp.sin(x) * y + 1).lower(of(n), of(n)).compile()
    else:
        jax.jit(step).lower([of(n, n)] * (n % 7 + 1), of(8, n)).compile()
"""
LOOP = """
import os, sys, zlib
for name in os.listdir(sys.argv[1]):
    with open(os.path.join(sys.argv[1], name), "rb") as file:
        zlib.decompress(file.read())
"""


def make(folder: str) -> None:
    environ = os.environ | {
        "JAX_PLATFORMS": "cpu", "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "XLA_FLAGS": "",
    }  # fmt: skip
    subprocess.run([sys.executable, "-c", MAKE, str(COMPILED)], env=environ, check=True)
    for path in list(Path(folder).iterdir()):
        module, _, key = path.name.removesuffix("-cache").rpartition("-")
        for again in range(1, KEYS):
            shutil.copy(path, path.with_name(f"{module}-{again:04x}{key[4:]}-cache"))


def loop(folder: str) -> None:
    for name in os.listdir(folder):
        with open(f"{folder}/{name}", "rb") as file:
            zlib.decompress(file.read())


def whole_loop(folder: str) -> None:
    subprocess.run([sys.executable, "-c", LOOP, folder], check=True)


def whole_listing(folder: str) -> None:
    command = [sys.executable, "-m", "jitinspect", "cache", "ls", "--dir", folder]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def seconds(work, folder: str) -> float:
    began = time.perf_counter()
    work(folder)
    return time.perf_counter() - began


def main(runs: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        make(folder)
        found = contents(folder)
        print(f"{found.totals.entries:,} entries, {found.totals.bytes / 1e6:.1f} MB")
        head("takes", "bare loop")
        held = []
        for name, bare, listing, limit in (
            ("listing", loop, contents, LIMIT),
            ("command", whole_loop, whole_listing, None),
        ):
            times = [(seconds(bare, folder), seconds(listing, folder)) for _ in range(runs)]
            least, taken = map(min, zip(*times, strict=True))
            cells = (f"{seconds * 1e3:.0f} ms" for seconds in (taken, least))
            held.append(row(name, *cells, ratio=taken / least, limit=limit))
        return int(not all(held))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
