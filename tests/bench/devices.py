"""What `--target` costs: `python tests/bench/devices.py [v5e]`, where the compiler for that device is.

Whole processes, in one run, each as often as `RUNS` says: a bare script that compiles the gradient of a
transformer block to the end by JAX's public API, `hlo --target`, and `fit` with a search over 1..4096.
Prints the medians, their ratios with the limits, and exits 1 where one is missed. Takes minutes.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from jitinspect.devices.quiet import quiet_environment  # noqa: E402
from tests.bench.rows import head, row  # noqa: E402

RUNS = 3
HLO, FIT = 0.15, 1.0
"""Times the whole compilation."""
BARE = """
import jax
from jax.experimental import topologies
from jax.sharding import SingleDeviceSharding
from jitinspect.devices.names import parse_device
from samples.block import make_params, step
target = parse_device({device!r})
found = topologies.get_topology_desc(target.topology, platform=target.platform, **target.topology_options)
sharding = SingleDeviceSharding(found.devices[0])
types = (*make_params(), jax.ShapeDtypeStruct((8, 512, 1024), "bfloat16"))
placed = jax.tree.map(lambda one: jax.ShapeDtypeStruct(one.shape, one.dtype, sharding=sharding), types)
print(len(step.lower(*placed).compile().as_text()))
"""
CALL = ["samples.block:step", "--args-from", "samples.block:make_params", "--shape", "bf16[B,512,1024]", "-q"]


def main(device: str) -> int:
    command = [sys.executable, "-m", "jitinspect"]
    full = seconds([sys.executable, "-c", BARE.format(device=device)])
    rows = {
        "hlo": (seconds([*command, "hlo", *CALL, "--dim", "B=8", "--target", device]), HLO),
        "fit --dim B=1..4096": (
            seconds([*command, "fit", *CALL, "--dim", "B=1..4096", "--target", device]),
            FIT,
        ),
    }
    head("seconds", "all of it")
    held = [
        row(name, f"{median:.1f}", f"{full:.1f}", ratio=median / full, limit=limit)
        for name, (median, limit) in rows.items()
    ]
    return int(not all(held))


def seconds(command: list[str]) -> float:
    return statistics.median(run(command) for _ in range(RUNS))


def run(command: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run(
            command,
            cwd=ROOT,
            env=quiet_environment(os.environ, folder),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or ["v5e"]))
