"""What `trace-cache` costs: `python tests/bench/calls.py [cached] [misses] [plan]`, all three by default.

Cached calls are timed bare and observed in turn, in one process, by the thread's own CPU time; the misses
against the CPU time of their own trace, lowering and compilation, in all threads; `--plan` against a loop of
`json.loads`. What waits until the report is made has limits of its own. Prints a table with
the limits, and exits 1 where one is missed.
"""

import contextlib
import functools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench import rows as ratios  # noqa: E402

ADDED = 1.5
"""Microseconds by which a cached call may take longer."""
SHARE = 0.02
"""Of a miss's own trace, lowering and compilation: what its explanation may take while the program waits."""
IN_ALL = 0.03
"""Of the same: that, and all else that is done then, for warnings and notes."""
ABSOLUTE = 1000.0
"""Microseconds that it may take with `EARLIER` signatures before it."""
REPORT = 2000.0
"""Microseconds that it may take when the report is made, with a reason for each of 200 leaves."""
EARLIER = 5000
PLAN = 0.5
"""Times a loop of `json.loads` over the same file."""


def row(name: str, *cells: str, held: bool) -> bool:
    print(f"{name:<38} {'  '.join(f'{cell:>11}' for cell in cells)}   {'ok' if held else 'OVER'}", flush=True)
    return held


def head(*cells: str) -> None:
    print(f"\n{cells[0]:<38} {'  '.join(f'{cell:>11}' for cell in cells[1:])}")


# Cached calls


class Model:
    def __init__(self, jit):
        self.step = functools.partial(jit(lambda self, x: x * 2, static_argnums=0), self)


def cached_cases(jit):
    """name → a function without arguments that makes `calls` cached calls; `jit` is watched, or is not."""
    import jax
    import numpy as np

    x, leaves, sizes = jax.numpy.zeros(8), [jax.numpy.zeros(4) for _ in range(200)], range(1, 21)
    shapes = [jax.numpy.zeros(size) for size in sizes]
    one = jit(lambda x: x + 1)
    six = jit(lambda a, b, c, d, e, f: a + b + c + d + e + f)
    tree = jit(lambda leaves: leaves[0] + leaves[-1])
    by_shape = jit(lambda x: x + 1)
    by_value = jit(lambda x, n: x + n, static_argnames="n")
    by_keyword = jit(lambda x, n: x + n, static_argnames="n")
    both = jit(lambda x, n: x + n, static_argnames="n")
    model = Model(jit)
    donated = jit(lambda x: x + 1, donate_argnums=0)
    state = [jax.numpy.zeros(8)]

    def donate(state=state):
        state[0] = donated(state[0])

    def grid():
        for size in (0, 4, 9, 19):
            for n in range(5):
                both(shapes[size], n)

    return {
        "one leaf": (1, lambda: one(x)),
        "one leaf, NumPy": (1, functools.partial(one, np.zeros(8, np.float32))),
        "6 leaves": (1, lambda: six(x, x, x, x, x, x)),
        "a pytree of 200 leaves": (1, lambda: tree(leaves)),
        "20 executables, by shape": (20, lambda: [by_shape(one) for one in shapes]),
        "20 executables, by static value": (20, lambda: [by_value(x, n) for n in sizes]),
        "20 executables, by static keyword": (20, lambda: [by_keyword(x, n=n) for n in sizes]),
        "20 executables, by shape and value": (20, grid),
        "a method with static self": (1, lambda: model.step(x)),
        "a donated argument": (1, donate),
    }


def timed(make, repeat: int) -> float:
    begin = time.thread_time()
    for _ in range(repeat):
        make()
    return time.thread_time() - begin


def bench_cached(rounds: int = 61, calls: int = 2000) -> bool:
    import jax

    from jitinspect.calls.call_log import CallLog

    head("a cached call, µs", "bare", "observed", "added", "limit")
    held = True
    bare = cached_cases(jax.jit)
    with CallLog(most=calls) as call_log:  # so that each round has its share of folding
        observed = cached_cases(jax.jit)
        for name, (each, ours) in observed.items():
            _, theirs = bare[name]
            block = max(1, (200 if "200" in name else calls) // each)
            for _ in range(3 * max(1, calls // each // block)):
                timed(ours, block), timed(theirs, block)
            pairs = [(timed(theirs, block), timed(ours, block)) for _ in range(rounds)]
            before, now, added = (
                statistics.median(pick(a, b) for a, b in pairs) / (block * each) * 1e6
                for pick in (lambda a, b: a, lambda a, b: b, lambda a, b: b - a)
            )
            held &= row(
                name, f"{before:.2f}", f"{now:.2f}", f"{added:.2f}", f"{ADDED:.2f}", held=added <= ADDED
            )
    del call_log
    return held


# Misses


class Clock:
    """CPU seconds: of this thread within what is `timed`, of the whole process within JAX's stages."""

    def __init__(self, stages):
        self.spent = self.staged = 0.0
        self._stages = stages
        self._inside = False
        self._began = 0.0

    def timed(self, function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            if self._inside:
                return function(*args, **kwargs)
            self._inside, begin = True, time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._inside = False
                self.spent += time.thread_time() - begin

        return call

    def on_start(self, event, *_, **__):
        self._began = time.process_time() if event in self._stages else self._began

    def on_end(self, event, *_, **__):
        self.staged += time.process_time() - self._began if event in self._stages else 0.0


@contextlib.contextmanager
def timed_call_log():
    """A call log, and two clocks: for what it does itself during a call, and for that and all listeners."""
    import jax

    from jitinspect.calls.call_log import CallLog
    from jitinspect.jaxapi.calls.events import PHASES

    own, all_of_it = Clock(PHASES), Clock(PHASES)
    methods = ("_start", "_end", "_disk_hit", "_body", "_looked_up", "missed", "identify")
    timed = {name: all_of_it.timed(own.timed(getattr(CallLog, name))) for name in methods}
    listeners = [name for name in vars(jax.monitoring) if re.match(r"register_\w+_listener$", name)]
    with contextlib.ExitStack() as patches:
        patches.callback(jax.monitoring.clear_event_listeners)
        jax.monitoring.register_event_duration_secs_listener(own.on_end)
        for name in listeners:
            register = getattr(jax.monitoring, name)
            ours = functools.partial(lambda register, one: register(all_of_it.timed(one)), register)
            patches.enter_context(mock.patch.object(jax.monitoring, name, ours))
        log = patches.enter_context(type("Timed", (CallLog,), timed)())
        jax.monitoring.register_scalar_listener(own.on_start)
        yield log, own, all_of_it


def small(leaves):
    return leaves[0] + 1


def larger(leaves):
    import jax.numpy as jnp

    total = sum(jnp.sum(jnp.sin(leaf)) for leaf in leaves)
    for _ in range(20):
        total = jnp.where(total > 0, jnp.tanh(total), total)
    return total


def later(call_log) -> float:
    """Microseconds of CPU for each miss that is explained in the report."""
    from jitinspect.calls.entries import Row
    from jitinspect.calls.report import rows

    misses = sum(isinstance(entry, Row) for entry in call_log.log)
    begin = time.thread_time()
    list(rows(call_log))
    return (time.thread_time() - begin) / misses * 1e6


def bench_shares(rounds: int = 15) -> bool:
    """The same function with other shapes, again and again."""
    import jax
    import numpy as np

    head(
        "explaining a miss",
        "compile, µs",
        "explain, µs",
        "share",
        "limit",
        "in all",
        "limit",
        "later",
        "limit",
    )
    held = True
    for body, count in ((small, 1), (small, 50), (small, 200), (larger, 1), (larger, 50), (larger, 200)):
        with timed_call_log() as (call_log, own, all_of_it):
            step, told = jax.jit(body), []
            for size in range(1, rounds + 3):
                leaves = [np.zeros((size, 3), np.float32)] * count
                own.spent = all_of_it.spent = own.staged = 0.0
                step(leaves)
                told.append([figure * 1e6 for figure in (own.staged, own.spent, all_of_it.spent)])
        compiled, spent, in_all = (statistics.median(column) for column in zip(*told[2:], strict=True))
        compiled, after = compiled - in_all, later(call_log)
        held &= row(
            f"{body.__name__} function, {count} {'leaf' if count == 1 else 'leaves'}",
            *(f"{compiled:.0f}", f"{spent:.0f}", f"{spent / compiled:.2%}", f"{SHARE:.0%}"),
            *(f"{in_all / compiled:.2%}", f"{IN_ALL:.0%}", f"{after:.0f}", f"{REPORT:.0f}"),
            held=spent <= SHARE * compiled and in_all <= IN_ALL * compiled and after <= REPORT,
        )
    return held


def histories():
    """name → the shapes of the leaves of signature `i`; its last argument counts on past `EARLIER`."""
    return {
        "1 leaf varies": lambda i: [(i + 1,)],
        "2 leaves vary together": lambda i: [(i + 1,), (i + 1, 2)],
        "200 leaves, 3 vary": lambda i: [(i + 1,), (i % 70 + 1,), (i // 70 + 1, 2)] + [(4,)] * 197,
        "200 leaves, all vary": lambda i: [(i + 1,)] * 200,
    }


def bench_histories(rounds: int = 7) -> bool:
    """Real misses after `EARLIER` signatures, which are put into the history without their compilations. What
    is done later is that of the real ones: the others have been compared before.
    """
    import jax
    import numpy as np

    from jitinspect.jaxapi.calls.proxies import unwrapped
    from jitinspect.jaxapi.jits.facts import facts

    head(f"a miss after {EARLIER:,} signatures", "at once, µs", "hit, µs", "limit", "later, µs", "limit")
    held = True
    for name, shapes in histories().items():
        with timed_call_log() as (call_log, _, clock):
            step = jax.jit(lambda leaves: leaves[0] + 1)
            step([np.zeros(shape, np.float32) for shape in shapes(EARLIER + 100)])
            known = facts(unwrapped(step), call_log.verdicts.functions)
            compared = call_log.verdicts.comparisons
            for i in range(EARLIER):
                leaves = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes(i)]
                call_key = call_log.verdicts.reader.read(known, (leaves,), {})
                _ = compared.compare(known, call_key.signature, i).earlier
                call_log.verdicts.new_executable(known, call_key, "")
            misses, hits = [], []
            for i in range(EARLIER, EARLIER + rounds):
                leaves = [np.zeros(shape, np.float32) for shape in shapes(i)]
                for told in (misses, hits):
                    clock.spent = 0.0
                    step(leaves)
                    told.append(clock.spent * 1e6)
        miss, hit, after = statistics.median(misses), statistics.median(hits), later(call_log)
        cells = (f"{figure:.0f}" for figure in (miss, hit, ABSOLUTE, after, REPORT))
        held &= row(name, *cells, held=max(miss, hit) <= ABSOLUTE and after <= REPORT)
    return held


# --plan

LOOP = """
import json, sys, time, resource
begin = time.process_time()
with open(sys.argv[1]) as f:
    for line in f:
        json.loads(line)
print(time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
OURS = """
import sys, time, resource
from pathlib import Path
from jitinspect.calls import trace_cache
from jitinspect.calls.plan import script
spent, take = [0.0], script.Plan.take_lines
def timed(self, *args):
    begin = time.process_time()
    try:
        return take(self, *args)
    finally:
        spent[0] += time.process_time() - begin
script.Plan.take_lines = timed
result = trace_cache.trace_cache(trace_cache.Request(Path(sys.argv[1]), plan=True), trace_cache.Listeners())
assert result.error is None, result.error
print(spent[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def write_calls(path: Path, lines: int, distinct: int = 1000, stamped: bool = False) -> None:
    """Lines of 100 to 200 characters; where they are `stamped` no two are alike."""
    told = []
    for i in range(distinct):
        batch, length = i % 50 + 1, i // 50 * 8 + 8
        call = {
            "fn": "samples.mlp:predict",
            "args": [f"f32[{batch},{length}]", f"f32[{length},10]"],
            "kwargs": {"training": bool(i % 2)},
            "request": f"{i * 2654435761 % 2**32:08x}-{'x' * (i % 60)}",
        }
        told.append(json.dumps(call))
    with path.open("w") as stream:
        for i in range(lines):
            stamp = f', "step": {i}}}\n' if stamped else "}\n"
            stream.write(told[i * 7919 % distinct][:-1] + stamp)


def child(*command: object) -> tuple[float, float]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        env=environ,
        cwd=ROOT,
        check=True,
    )
    seconds, kilobytes = map(float, done.stdout.split()[-2:])
    return seconds, kilobytes / 1024


def whole(*command: object) -> float:
    """CPU seconds of a whole process."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    words = [sys.executable, *map(str, command)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, env=environ, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{words} failed with status {status}")
    return usage.ru_utime + usage.ru_stime


def bench_plan(lines: int = 1_000_000) -> bool:
    print(f"\n--plan of {lines:,} calls: CPU seconds, and megabytes at the peak")
    ratios.head("json.loads", "--plan")
    with tempfile.TemporaryDirectory() as folder:
        return all([_bench_file(Path(folder), lines, stamped) for stamped in (False, True)])


def _bench_file(folder: Path, lines: int, stamped: bool, rounds: int = 7) -> bool:
    tenth, file, none = (folder / f"{name}.jsonl" for name in ("tenth", "all", "none"))
    write_calls(tenth, lines // 10, stamped=stamped)
    write_calls(file, lines, stamped=stamped)
    write_calls(none, 1, 1)
    kind = "each line another" if stamped else "1,000 lines"
    loops = [(child("-c", LOOP, file), child("-c", OURS, file)) for _ in range(rounds)]
    held = compared(kind, [(theirs[0], ours[0]) for theirs, ours in loops])
    command = ("-m", "jitinspect", "trace-cache", "--plan", "--json")
    pairs = [
        tuple(whole(*words, file) - whole(*words, none) for words in (("-c", LOOP), command))
        for _ in range(rounds)
    ]
    held &= compared("  the command without its start", pairs)
    few, many = child("-c", OURS, tenth)[1], loops[0][1][1]
    cells = f"{few:.0f} MB", f"{many:.0f} MB"
    return ratios.row("  a tenth of it, and all", *cells, ratio=many / few, limit=1.05) and held


def compared(name: str, pairs: list[tuple[float, float]]) -> bool:
    theirs, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    return ratios.row(name, f"{theirs:.2f} s", f"{ours:.2f} s", ratio=ours / theirs, limit=PLAN)


BENCHES = {
    "cached": [bench_cached],
    "misses": [bench_shares, bench_histories],
    "plan": [bench_plan],
}


def main(names: list[str]) -> int:
    import jax

    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    python = re.split(r"\s", sys.version)[0]
    print(f"jax {jax.__version__}, Python {python}")
    held = [bench() for name in names or BENCHES for bench in BENCHES[name]]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
