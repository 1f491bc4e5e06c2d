"""What readings cost on top of a function: `python tests/bench/readings.py [RUNS]`.

A transformer's training step of 24 layers (`samples/transformer.py`) is traced, lowered and compiled, and
then read. Each run is a process of its own; the medians of the ratios are printed. A `diff` is of two such
steps, and held against the work on both. Exits 1 where the limit is missed.
"""

import statistics
import subprocess
import sys
from pathlib import Path

LIMIT = 0.3
READINGS = ("source", "jaxpr --stats", "stablehlo --stats", "hlo --stats", "diff A A", "diff A B")
RUN = """
import sys, time
from samples import transformer
from jitinspect.model import Target, View
from jitinspect.process import garbage_collection
from jitinspect.readings import source
from jitinspect.readings.diff.stage_texts import difference
from jitinspect.stages.inspection import Subject
from jitinspect.stages.pipeline import STAGE_READERS, Options, Pipeline
from jitinspect.stages.views import viewed

def step(batch):
    args = transformer.make_args(batch=batch)
    path = Pipeline(lambda: transformer.train_step.trace(*args))
    began = time.perf_counter()
    path.compiled
    return path, time.perf_counter() - began

def read(name, path, other):
    if name == "source":
        target = Target("", "", "", transformer.__file__, 1)
        return source.read(target, iter([Subject(path, None, ((), {}), "", {}, None, None)]))
    if name.startswith("diff"):
        second = path if name == "diff A A" else other
        texts = [STAGE_READERS["hlo"](one, Options()).text for one in (path, second)]
        with garbage_collection.paused():
            return difference("hlo", texts[0], texts[1] + " " * (name == "diff A A"))
    return viewed(name.split()[0], path, View(stats=True), transformer.__file__)

path, own = step(4)
other, own_of_other = step(8)
print(len(path.compiled.as_text()) / 1e6)
for name in sys.argv[1:]:
    began = time.perf_counter()
    read(name, path, other)
    spent = time.perf_counter() - began
    print(spent, spent / (own + own_of_other if name.startswith("diff") else own))
"""


def main(runs: int) -> int:
    root = Path(__file__).resolve().parent.parent.parent
    found = []
    for _ in range(runs):
        made = subprocess.run(
            [sys.executable, "-c", RUN, *READINGS], cwd=root, capture_output=True, text=True, check=True
        )
        rows = made.stdout.splitlines()
        found.append([tuple(map(float, row.split())) for row in rows[1:]])
    print(f"{rows[0]} MB of HLO\n{'':20}{'seconds':>9}{'ratio':>8}{'limit':>8}")
    missed = False
    for at, name in enumerate(READINGS):
        seconds, ratio = (statistics.median(run[at][part] for run in found) for part in (0, 1))
        missed |= ratio > LIMIT
        print(f"{name:20}{seconds:9.2f}{ratio:8.3f}{LIMIT:8.2f}  {'OVER' if ratio > LIMIT else 'ok'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
