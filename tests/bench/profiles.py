"""What `profile` adds to the calls that it measures: `python tests/bench/profiles.py [ROUNDS]`.

Calls of a millisecond and more, bare and under the profiler in turns, in one process, and what `profile` says
that they take. Prints medians, and exits 1 where a call is said to take more than 1.05 × as long as bare.
Each recorded operation costs about a microsecond, which `profile` takes off. Takes two minutes.
"""

import statistics
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import jax
import jax.numpy as jnp

from jitinspect.readings.profile import read
from jitinspect.stages import inspection
from samples import transformer

ROUNDS, CALLS, LIMIT = 9, 20, 1.05


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
        "600 short operations": (chain, jax.random.uniform(key, (1000,))),
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


def told(fn, arguments):
    """Seconds of calls, as `profile` has them, and how many times as long they were under the profiler."""
    request = inspection.Request("profile", "", ())
    found = inspection.read_call(fn, (arguments, {}), request, partial(read, calls=CALLS)).profile
    return statistics.median(one.wall_seconds for one in found.by_call), found.overhead


def measured(fn, arguments, rounds):
    """Medians of bare calls, of those that `profile` tells, and of the overhead that it has taken off."""
    alone, bare, profiled, overheads = jax.jit(fn), [], [], []
    walls(alone, arguments)
    for _ in range(rounds):
        bare.append(statistics.median(walls(alone, arguments)))
        seconds, overhead = told(fn, arguments)
        profiled.append(seconds)
        overheads.append(overhead)
    return (statistics.median(found) for found in (bare, profiled, overheads))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"jax {jax.__version__}, Python {sys.version.split()[0]}, medians of {rounds} rounds")
    missed = False
    for name, (fn, *arguments) in subjects().items():
        bare, profiled, overhead = measured(fn, tuple(arguments), rounds)
        ratio = profiled / bare
        missed |= ratio > LIMIT
        seconds = f"{bare * 1e3:8.3f} ms   profile says {profiled * 1e3:8.3f} ms"
        print(f"{name:20} {seconds}   {ratio:.3f} × (under the profiler {overhead:.3f} ×)")
    sys.exit(missed)


if __name__ == "__main__":
    main()
