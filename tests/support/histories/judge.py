"""What the watch of whole programs says of the last call of each history, and what the advice comes to.

    python -m tests.support.histories.judge 0 100 > judged.json

draws the histories of these numbers, and writes for each what was said of the compilations of its last line:
their reasons, and whether they were avoidable; then what the advised program did in plain JAX: how often its
last line compiled, and whether its result is the same. Each batch runs in a fork of one process that has
imported jax and the libraries and done nothing with them.
"""

import dataclasses
import gc
import json
import multiprocessing
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import NamedTuple

from tests.support.compiling import CHEAPEST

os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count=2 {CHEAPEST}"

import equinox as eqx
import jax
import jax.monitoring
import numpy as np
from flax import nnx

from jitinspect.programs.watch import Watch
from tests.support.histories.drawn import history

PRELUDE = Path(__file__).with_name("prelude.py")
BATCH = 250
COMPILE = "/jax/core/compile/backend_compile_duration"


def judge(numbers):
    """A batch of histories: all in one program, then what is advised for each."""
    drawn = [history(number) for number in numbers]
    names, results = beginning(), {}
    events = []
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: events.append(event))
    watch = Watch()
    with watch:
        for one in drawn:
            results[one.number] = run(one, names, events)
    if watch.watcher.fault is not None:
        raise watch.watcher.fault
    said = {}
    for compilation in watch.report("program.py").compilations:
        said.setdefault(compilation.at, []).append(dataclasses.asdict(compilation))
    return [
        {
            "number": one.number,
            "compiled": results[one.number].compiled,
            "said": said.get(one.last_line, []),
            "advised": follow(one, results[one.number].value, names, events),
        }
        for one in drawn
    ]


def beginning():
    """What the programs begin with, and the libraries."""
    names = {"__name__": "__main__"}
    exec(compile(PRELUDE.read_text(), str(PRELUDE), "exec"), names)
    return {**names, "eqx": eqx, "nnx": nnx}


class Result(NamedTuple):
    """What an expression gave, and how often JAX compiled for it."""

    value: object
    compiled: int


def run(one, names, events):
    """A history to its end: the result of its last line."""
    exec(compile(one.before, one.file, "exec"), names)
    line = int(one.last_line.rpartition(":")[2])
    return last(one.changed, one.file, line, names, events)


def last(text, file, line, names, events):
    code = compile("\n" * (line - 1) + text, file, "eval")
    events.clear()
    value = eval(code, names)
    return Result(value, events.count(COMPILE))


def follow(one, expected, names, events):
    """What the advised program does in plain JAX: how often its last line compiles, whether the result is the
    same.
    """
    if one.advised is None:
        return None
    *before, changed = one.advised
    exec(compile("\n".join(before), "advised.py", "exec"), names)
    result = last(changed, "advised.py", 1, names, events)
    return {"compiled": result.compiled, "same": same(expected, result.value)}


def same(result, advised):
    """Equal values, in whatever dtype; an array that was padded holds the other in its first rows."""
    ours, theirs = jax.tree.leaves(result), jax.tree.leaves(advised)
    return len(ours) == len(theirs) and all(map(_alike, ours, theirs))


def _alike(one, other):
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    kept = other[tuple(slice(size) for size in one.shape)]
    return one.shape == kept.shape and np.array_equal(one, kept, equal_nan=True)


def attempt(numbers):
    try:
        return judge(numbers)
    except Exception:
        return traceback.format_exc()


def main(first, end):
    gc.freeze()  # what is shared by the forks stays shared
    warnings.filterwarnings("ignore")
    batches = [range(begin, min(begin + BATCH, end)) for begin in range(first, end, BATCH)]
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as forks:
        json.dump(forks.map(attempt, batches, chunksize=1), sys.stdout)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
