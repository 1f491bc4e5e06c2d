"""What readings cost on top of a function: `python tests/bench/readings.py [RUNS] [LAYERS]`.

A transformer's training step of 24 layers (`samples/transformer.py`), or of as many as are given, is traced,
lowered and compiled, and then read. Each run is a process of its own; the medians of the ratios are printed.
A `diff` is of two such steps, and held against the work on both. Exits 1 where a limit is missed.
"""

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402

LIMITS = {
    "source": 0.08,
    "jaxpr --stats": 0.3,
    "stablehlo --stats": 0.3,
    "hlo --stats": 0.04,
    "hlo --outline": 0.04,
    "hlo --op dot": 0.04,
    "cost": 0.08,
    "diff A A": 0.08,
    "diff A B": 0.08,
}
LAYERS = 24
RUN = """
import sys, time
from samples import transformer
from jitinspect.model import Target, View
from jitinspect.process import garbage_collection
from jitinspect.readings import cost, source
from jitinspect.readings.diff.stage_texts import difference
from jitinspect.stages.inspection import Subject
from jitinspect.stages.pipeline import STAGE_READERS, Options, Pipeline
from jitinspect.stages.views import viewed

def step(batch):
    args = transformer.make_args(int(sys.argv[1]), batch)
    path = Pipeline(lambda: transformer.train_step.trace(*args))
    began = time.perf_counter()
    path.compiled
    return path, time.perf_counter() - began

def read(name, path, other):
    if name in ("source", "cost"):
        target = Target("", "", "", transformer.__file__, 1)
        subject = Subject(path, None, ((), {}), "", {}, None, None)
        return {"source": source, "cost": cost}[name].read(target, iter([subject]))
    if name.startswith("diff"):
        second = path if name == "diff A A" else other
        texts = [STAGE_READERS["hlo"](one, Options()).text for one in (path, second)]
        with garbage_collection.paused():
            return difference("hlo", texts[0], texts[1] + " " * (name == "diff A A"))
    stage, option, *value = name.split()
    view = View(**{option.strip("-"): value[0] if value else True})
    return viewed(stage, path, view, transformer.__file__)

path, own = step(4)
other, own_of_other = step(8)
print(len(path.compiled.as_text()) / 1e6)
for name in sys.argv[2:]:
    began = time.perf_counter()
    read(name, path, other)
    spent = time.perf_counter() - began
    print(spent, spent / (own + own_of_other if name.startswith("diff") else own))
"""


def main(runs: int, layers: int) -> int:
    found = []
    for _ in range(runs):
        made = subprocess.run(
            [sys.executable, "-c", RUN, str(layers), *LIMITS],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        rows = made.stdout.splitlines()
        found.append([tuple(map(float, row.split())) for row in rows[1:]])
    print(f"{rows[0]} MB of HLO")
    head("added")
    held = []
    for at, (name, limit) in enumerate(LIMITS.items()):
        seconds, ratio = (statistics.median(run[at][part] for run in found) for part in (0, 1))
        held.append(row(name, f"{seconds:.2f} s", ratio=ratio, limit=limit))
    return int(not all(held))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*given, *(3, LAYERS)[len(given) :]))
