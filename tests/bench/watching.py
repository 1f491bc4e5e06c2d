"""What `--watch` makes again, against its first run: `python tests/bench/watching.py [SAVES]`.

`samples.mlp:loss_fn` is read by each command, from the start of the process to its first report, and then
saved again and again, each time with another exponent. The wall-clock time of a save is that until the line
that tells of the new report; it includes the time to see the save. The median of the saves counts. Exits 1
where the limit is missed.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402

LIMIT = 0.5
COMMAND = Path(sys.executable).with_name("jitinspect")
CALL = ("samples.mlp:loss_fn", "-s", "64,784", "-s", "784,10")
COMMANDS = ("jaxpr", "stablehlo", "hlo", "asm", "show", "source", "cost", "donation", "compile-time")


def measured(command: str, folder: Path, saves: int) -> tuple[float, list[float]]:
    """Seconds of the first run, and of those after a save."""
    file = folder / "samples" / "mlp.py"
    shutil.copy(ROOT / "samples" / "mlp.py", file)
    began = time.perf_counter()
    process = subprocess.Popen(
        [COMMAND, command, *CALL, "--watch"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(process, "watching")
    first, again = time.perf_counter() - began, []
    text = file.read_text()
    for exponent in range(3, 3 + saves):
        began = time.perf_counter()
        file.write_text(text.replace("w) ** 2", f"w) ** {exponent}"))
        wait_for(process, "made again")
        again.append(time.perf_counter() - began)
    process.kill()
    process.communicate()
    return first, again


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise SystemExit(f"{process.args} ended")


def main(saves: int) -> int:
    head("first", "again")
    held = True
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copytree(ROOT / "samples", folder / "samples")
        for command in COMMANDS:
            first, again = measured(command, folder, saves)
            median = statistics.median(again)
            held &= row(command, f"{first:.2f} s", f"{median:.2f} s", ratio=median / first, limit=LIMIT)
    return int(not held)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
