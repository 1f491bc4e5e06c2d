"""What `passes` adds to a compilation that XLA dumps: `python tests/bench/passes.py [RUNS] [LAYERS]`.

A transformer's training step of 24 layers (`samples/transformer.py`), or of as many as are given, is compiled
with a dump after each pass, and the dumps are read: all passes, the instructions of an opcode, the history of
one instruction, and that of all, as `explore --passes` has it. Each is a process of its own; the dumps'
removal counts as well. Prints the medians: the seconds of that compilation alone and those added to it, their
ratio in time and in that of the processors, and how much higher the peak of memory is than that of `hlo` and
than that of the compilation with dumps alone. Exits 1 where a limit is missed: that of the ratio in time, and
that of memory, 12 MB up to 24 layers, and beyond that 2.5 times the text.
"""

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402

READINGS = ("passes", "passes --op dot", "passes --op tanh.1", "explore --passes")
OTHERS = ("hlo", "dumps")
RATIO, LAYERS, RUNS = 0.25, 24, 7
MEGABYTES, TIMES_THE_TEXT = 12, 2.5
RUN = """
import resource, sys, time
from contextlib import contextmanager
from samples import transformer
from jitinspect.jaxapi.executables import dumps
from jitinspect.model import Target
from jitinspect.readings import explore, passes
from jitinspect.readings.exploring.histories import MOST_TEXT
from jitinspect.stages.inspection import Subject
from jitinspect.stages.pipeline import STAGE_READERS, Options, Pipeline

def now():
    return time.perf_counter(), time.process_time()

def since(then):
    return [after - before for before, after in zip(then, now())]

@contextmanager
def timed(*asked):
    began = now()
    with whole(*asked) as made:
        alone.extend(since(began))
        yield made

def read(name):
    if name == "hlo":
        STAGE_READERS["hlo"](path, Options())
    elif name == "dumps":
        with path.passes_dumped():
            pass
    elif name == "explore --passes":
        explore.recorded(subject, target).history(MOST_TEXT)
    else:
        passes.read(target, iter([subject]), op=name.partition("--op ")[2])

whole, dumps.passes_dumped, alone = dumps.passes_dumped, timed, []
args = transformer.make_args(int(sys.argv[1]), 4)
path = Pipeline(lambda: transformer.train_step.trace(*args))
path.lowered
target = Target("", "", "", transformer.__file__, 1)
subject = Subject(path, None, ((), {}), "", {}, None, None)
began = now()
read(sys.argv[2])
spent = since(began)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
print(*(alone or spent), *spent, peak, len(path.compiled.as_text()) / 1e6)
"""


def measured(name: str, layers: int) -> dict[str, float]:
    """Seconds, and megabytes, of one process."""
    made = subprocess.run(
        [sys.executable, "-c", RUN, str(layers), name],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    alone, alone_cpu, spent, spent_cpu, peak, text = map(float, made.stdout.split())
    return {
        "alone": alone,
        "added": spent - alone,
        "ratio": spent / alone - 1,
        "cpu": spent_cpu / alone_cpu - 1,
        "peak": peak,
        "text": text,
    }


def main(runs: int, layers: int) -> int:
    found = {}
    for name in (*OTHERS, *READINGS):
        rows = [measured(name, layers) for _ in range(runs)]
        found[name] = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    text = found["hlo"]["text"]
    most = MEGABYTES if layers <= LAYERS else TIMES_THE_TEXT * text
    print(f"{text:.1f} MB of HLO")
    head("compilation", "added", "processors")
    held = [_time(name, found[name]) for name in READINGS]
    head("over dumps", "over hlo", "at most")
    held += [_memory(name, *(found[one]["peak"] for one in (name, *OTHERS)), most) for name in READINGS]
    return int(not all(held))


def _time(name: str, of: dict[str, float]) -> bool:
    cells = f"{of['alone']:.2f} s", f"{of['added']:.2f} s", f"{of['cpu']:.3f}"
    return row(name, *cells, ratio=of["ratio"], limit=RATIO)


def _memory(name: str, peak: float, hlo: float, dumps: float, most: float) -> bool:
    cells = (f"{more:+.0f} MB" for more in (peak - dumps, peak - hlo, most))
    return row(f"{name}, memory", *cells, ratio=(peak - hlo) / most, limit=1)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*given, *(RUNS, LAYERS)[len(given) :]))
