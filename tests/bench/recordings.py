"""`summary` of very many recordings against `json.loads` of each line: `python tests/bench/recordings.py`."""

import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402

LOADS = 0.6
"""Times `json.loads` of every line, both in CPU seconds."""
MEMORY = 1.25
"""Times the memory for a tenth of the recordings."""
COMPILATIONS = 262
"""In each recording, of eight lines each."""

LOOP = """
import json, sys, time
from pathlib import Path
begin = time.process_time()
for path in Path(sys.argv[1]).iterdir():
    with path.open() as lines:
        for line in lines:
            json.loads(line)
print(time.process_time() - begin)
"""
OURS = """
import resource, sys, time
from pathlib import Path
from jitinspect.cli.run import decoded
from jitinspect.programs.recording.merging import summarize_recordings
begin = time.process_time()
report = summarize_recordings(sorted(Path(sys.argv[1]).iterdir()), decoded, lists=False)
print(time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def write(path: Path, process: int, processes: int) -> None:
    """A recording of one process of a job; its times are its own."""
    from jitinspect.model import Reason
    from jitinspect.model.runs import Compilation, DiskLookup, Span
    from jitinspect.programs.recording.writer import Recorder

    drawn, now = random.Random(process), 1.0
    header = {"program": "train.py", "python": "3.13", "started": 1e9 + drawn.random()}
    recorder = Recorder(path, header, lambda: (process, processes))
    for seq in range(COMPILATIONS):
        name, size = f"layer_{seq % 20}", seq // 20 + 2
        text = f"x: f32[{size - 1},128] → f32[{size},128]"
        known = {
            "seq": seq, "kind": "internal" if seq % 4 == 3 else "call", "function": name,
            "definition": f"model/layers.py:{seq % 20 * 10}", "at": f"train.py:{seq % 25}",
            "signature": f"{name}(f32[128,128], f32[{size},128])", "status": "COMPILED", "began": now,
            "reasons": (Reason("shape", "x", None, None, "pad x to a few sizes", text, avoidable=True),),
            "thread": 140233973320576 + process,
        }  # fmt: skip
        seconds = {}
        for phase in ("trace", "lower", "compile"):
            recorder.on_start(phase, name, now)
            if phase == "compile":
                recorder.on_compiling(Compilation(**known, ended=now, seconds={**seconds, phase: 0.0}))
            seconds[phase] = drawn.random() / 10
            recorder.on_span(Span(phase, name, now, seconds[phase], known["thread"]))
            now += seconds[phase]
        lookup = DiskLookup(f"jit_{name}-{seq:064x}-cache", "written", seconds["compile"])
        ended = {"ended": now, "seconds": seconds, "disk": ("written",), "lookups": (lookup,)}
        recorder.on_compilation(Compilation(**known, **ended, compilations=1))
    recorder.end(0, None, now, {(name, None): {"train.py:11": 500}})
    recorder.close()


def figures(program: str, folder: Path) -> list[float]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, folder]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
    return [float(word) for word in done.stdout.split()]


def main(rounds: int = 7, many: int = 2000) -> int:
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, str(number)) for number in (many // 100, many // 10, many)]
        for folder in folders:
            folder.mkdir()
            number = int(folder.name)
            for process in range(number):
                write(folder / f"rec-{process:05}.jsonl", process, number)
        held = True
        head("json.loads", "summary")
        for folder in folders[:-1]:
            pairs = [(figures(LOOP, folder)[0], figures(OURS, folder)) for _ in range(rounds)]
            loop = statistics.median(pair[0] for pair in pairs)
            ours, memory = map(statistics.median, zip(*(pair[1] for pair in pairs), strict=True))
            seconds = (f"{one:.2f} s" for one in (loop, ours))
            held &= row(f"{folder.name} recordings", *seconds, ratio=ours / loop, limit=LOADS)
        largest = figures(OURS, folders[-1])[1]
        head("a tenth of it", "all")
        megabytes = (f"{one:.1f} MB" for one in (memory, largest))
        held &= row(f"memory of {many} recordings", *megabytes, ratio=largest / memory, limit=MEMORY)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
