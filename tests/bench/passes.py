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
        cwd=Path(__file__).resolve().parent.parent.parent, capture_output=True, text=True, check=True,
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
    print(f"{text:.1f} MB of HLO; limits: ratio {RATIO}, {most:.0f} MB more than hlo")
    print(f"{'':20}{'alone':>8}{'added':>8}{'ratio':>8}{'cpu':>8}{'MB: hlo':>9}{'dumps':>8}")
    missed = False
    for name in READINGS:
        row = found[name]
        more, more_than_dumps = (row["peak"] - found[other]["peak"] for other in OTHERS)
        over = row["ratio"] > RATIO or more > most
        missed |= over
        print(
            f"{name:20}{row['alone']:7.2f}s{row['added']:7.2f}s{row['ratio']:8.3f}{row['cpu']:8.3f}"
            f"{more:+9.0f}{more_than_dumps:+8.0f}  {'OVER' if over else 'ok'}"
        )
    return int(missed)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*given, *(RUNS, LAYERS)[len(given) :]))
