"""What `collectives` and `sharding` take on top of a compilation: `python tests/bench/collectives.py [RUNS]`.

The gradient of a model of 96 layers over 64 CPU devices, each layer sharded over both axes of a mesh; in one
process, the time to read the compiled program is compared with that of XLA's compilation. Prints medians and
exits 1 where the limit is missed. Takes minutes.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=64"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jitinspect.model import Target
from jitinspect.readings import collectives, sharding
from jitinspect.stages import inspection
from jitinspect.stages.inspection import Subject
from tests.bench.rows import head, row

LAYERS, RUNS, LIMIT = 96, 3, 0.05
WIDTH, HIDDEN, BATCH, LENGTH, HEADS = 64, 256, 64, 16, 4


def layer(weights, x):
    split = (*x.shape[:2], HEADS, WIDTH // HEADS)
    q, k, v = ((x @ weights[name]).reshape(split) for name in "qkv")
    scores = jax.nn.softmax(jnp.einsum("blhd,bmhd->bhlm", q, k))
    x = x + jnp.einsum("bhlm,bmhd->blhd", scores, v).reshape(x.shape) @ weights["o"]
    return x + jax.nn.gelu(x @ weights["up"]) @ weights["down"]


def step(model, x):
    def loss(model):
        y = x
        for weights in model:
            y = layer(weights, y)
        return jnp.mean(y**2)

    return jax.tree.map(lambda w, g: w - 0.1 * g, model, jax.grad(loss)(model))


def arguments():
    mesh = jax.make_mesh((16, 4), ("data", "model"), axis_types=(AxisType.Auto,) * 2)

    def array(shape, *spec):
        return jax.ShapeDtypeStruct(shape, "float32", sharding=NamedSharding(mesh, PartitionSpec(*spec)))

    columns = {name: array((WIDTH, WIDTH), "data", "model") for name in "qkv"}
    rows = {"o": array((WIDTH, WIDTH), "model", "data"), "down": array((HIDDEN, WIDTH), "model", "data")}
    weights = columns | rows | {"up": array((WIDTH, HIDDEN), "data", "model")}
    return [weights] * LAYERS, array((BATCH, LENGTH, WIDTH), "data")


def timed(target: Target, subjects: Iterator[Subject]) -> object:
    (subject,) = subjects
    _ = subject.pipeline.lowered
    began = time.perf_counter()
    _ = subject.pipeline.compiled
    compiled = time.perf_counter()
    report = collectives.read(target, iter([subject]))
    moved = time.perf_counter()
    sharding.read(target, iter([subject]))
    measured.append((compiled - began, moved - compiled, time.perf_counter() - moved))
    return report


measured: list[tuple[float, float, float]] = []


def main(runs: int) -> int:
    request = inspection.Request(command="collectives", ref="", stages=())
    for _ in range(runs):
        jax.clear_caches()
        inspection.read_call(step, (arguments(), {}), request, timed)
    compiling, *readings = map(statistics.median, zip(*measured, strict=True))
    head("seconds", "XLA")
    held = [
        row(name, f"{seconds:.3f}", f"{compiling:.2f}", ratio=seconds / compiling, limit=LIMIT)
        for name, seconds in zip(("collectives", "sharding"), readings, strict=True)
    ]
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
