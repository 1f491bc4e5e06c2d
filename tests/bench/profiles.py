"""What `profile` adds to the calls that it measures: `python tests/bench/profiles.py [ROUNDS]`.

Calls of a millisecond and more, bare and under the profiler in turns, in one process. Prints medians, and
exits 1 where a call under the profiler takes more than 1.05 × as long. Each recorded operation costs about
a microsecond: the limit is for those of 20 µs and more, on average; what shorter ones cost is printed.
Takes a minute.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import jax
import jax.numpy as jnp

from jitinspect.jaxapi.traces.recording import recorded
from samples import transformer

ROUNDS, CALLS, LIMIT = 40, 8, 1.05
SHORT = "600 short operations"


def product(x):
    return x @ x


def chain(x):
    """Some hundred operations, none of them long."""
    for _ in range(60):
        x = jnp.sort(x[::-1]) + jnp.cumsum(x) * 1e-3
    return x


def scan(x):
    return jax.lax.scan(lambda carry, _: (jnp.tanh(carry @ x), None), x, None, length=100)[0]


def subjects():
    key = jax.random.key(0)
    weights = transformer.init(key, layers=2)
    tokens = jnp.zeros((2, 64), jnp.int32)
    return {
        "a product": (product, jax.random.uniform(key, (512, 512))),
        SHORT: (chain, jax.random.uniform(key, (1000,))),
        "a scan of 100": (scan, jax.random.uniform(key, (64, 64)) / 32),
        "a transformer": (transformer.loss_fn, weights, tokens),
    }


def walls(fn, arguments):
    found = []
    for _ in range(CALLS):
        began = time.perf_counter()
        jax.block_until_ready(fn(*arguments))
        found.append(time.perf_counter() - began)
    return found


def measured(fn, arguments, rounds):
    """Seconds of bare calls, and of recorded ones."""
    bare, under = [], []
    walls(fn, arguments)
    for _ in range(rounds):
        bare += walls(fn, arguments)
        with recorded():
            under += walls(fn, arguments)
    return statistics.median(bare), statistics.median(under)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"jax {jax.__version__}, Python {sys.version.split()[0]}, medians of {rounds * CALLS} calls")
    missed = False
    for name, (fn, *arguments) in subjects().items():
        bare, under = measured(jax.jit(fn), arguments, rounds)
        ratio = under / bare
        missed |= ratio > LIMIT and name != SHORT
        print(f"{name:20} {bare * 1e3:8.3f} ms   profiled {under * 1e3:8.3f} ms   {ratio:.3f} ×")
    sys.exit(missed)


if __name__ == "__main__":
    main()
