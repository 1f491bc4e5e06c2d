"""What `compile-time` adds to a compilation that it looks at: `python tests/bench/compile_time.py [PAIRS]`.

Programs of different kinds are compiled by plain JAX and by `compile-time`, in turn, in one process: so many
pairs of each, and more of those that are compiled fast. Prints the median seconds, and the median of the
ratios of the pairs, and exits 1 where one misses its limit.
"""

import gc
import statistics
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import jax
import jax.numpy as jnp

from jitinspect.jaxapi.traces.compilation import timed
from samples import mlp, transformer
from tests.bench.rows import head, row

PAIRS, LEAST_SECONDS, LIMIT = 9, 8, 1.10


def waves(x):
    """Many small kernels."""
    for n in range(60):
        x = jnp.sort(jnp.sin(x * n)) + jnp.cumsum(x)
    return x


def one_kernel(x):
    """One large kernel."""
    for n in range(300):
        x = jnp.tanh(x) * jnp.sin(x + n)
    return x


VECTOR = jax.ShapeDtypeStruct((256,), jnp.float32)
PROGRAMS = {
    "transformer, 2 layers": (transformer.train_step, partial(transformer.make_args, layers=2)),
    "MLP": (mlp.sgd_step, mlp.make_args),
    "many kernels": (waves, lambda: (VECTOR,)),
    "one kernel": (one_kernel, lambda: (VECTOR,)),
}


def lowered(function, make):
    """Anew, so that JAX has no executable of it; and nothing is left to be collected while it is compiled."""
    jax.clear_caches()
    found = jax.jit(lambda *args: function(*args)).lower(*make())
    gc.collect()
    return found


def bare(function, make):
    program = lowered(function, make)
    began = time.perf_counter()
    program.compile()
    return time.perf_counter() - began


def compared(program, pairs):
    """Seconds without and with `compile-time`, and their ratio, of each pair."""
    bare(*program)
    timed(lowered(*program))
    found = []
    while len(found) < pairs or sum(one + other for one, other, _ in found) < LEAST_SECONDS:
        pair = {}
        for which in ("bare", "timed") if len(found) % 2 else ("timed", "bare"):
            pair[which] = bare(*program) if which == "bare" else timed(lowered(*program)).seconds
        found.append((pair["bare"], pair["timed"], pair["timed"] / pair["bare"]))
    return found


def main(pairs: int) -> int:
    held = True
    head("bare", "timed")
    for name, program in PROGRAMS.items():
        found = compared(program, pairs)
        *seconds, ratio = map(statistics.median, zip(*found, strict=True))
        held &= row(name, *(f"{one:.3f} s" for one in seconds), ratio=ratio, limit=LIMIT)
    return int(not held)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
