"""What `profile` adds to the calls that it measures: `python tests/bench/profiles.py [ROUNDS]`.

What `profile` says that calls of a millisecond and more take, between bare ones, in turns in one process.
Prints medians, those of the ratios among them, and exits 1 where a call is said to take more than 1.05 × as
long as bare. What the profiler adds is told too, which `profile` takes off. Takes two minutes.
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
from tests.bench.rows import head, row

ROUNDS, CALLS, LIMIT = 15, 20, 1.05


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
    """Medians of bare calls, of those that `profile` tells, of their ratios, and of the overhead that it has
    taken off. Each is compared with the bare calls before it and after it.
    """
    alone, rows = jax.jit(fn), []
    walls(alone, arguments)
    before = statistics.median(walls(alone, arguments))
    for _ in range(rounds):
        seconds, overhead = told(fn, arguments)
        after = statistics.median(walls(alone, arguments))
        rows.append((after, seconds, 2 * seconds / (before + after), overhead))
        before = after
    return map(statistics.median, zip(*rows, strict=True))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"jax {jax.__version__}, Python {sys.version.split()[0]}, medians of {rounds} rounds")
    head("bare", "as told", "profiler ×")
    held = True
    for name, (fn, *arguments) in subjects().items():
        bare, profiled, ratio, overhead = measured(fn, tuple(arguments), rounds)
        cells = f"{bare * 1e3:.3f} ms", f"{profiled * 1e3:.3f} ms", f"{overhead:.3f}"
        held &= row(name, *cells, ratio=ratio, limit=LIMIT)
    sys.exit(not held)


if __name__ == "__main__":
    main()
