"""What `donation` costs on top of `hlo`: `python tests/bench/donation.py [RUNS] [LAYERS]`.

Functions that donate are traced, lowered and compiled, as `hlo` does; then their donation is read, which may
compile them again. Each run is a process of its own. Seconds are the processors' (user and system), as XLA
works in several threads; the medians of the ratios are printed, and how often each was compiled again. Exits
1 where the limit is missed.
"""

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402

LIMIT = 0.05
RUNS, LAYERS = 7, 24
CASES = ("transformer", "transformer, 2 layers", "MLP, all donated", "optimizer", "reduced")
RUN = """
import sys, time
import jax, jax.numpy as jnp
from samples import transformer
from jitinspect.jaxapi.executables import aliasing
from jitinspect.model import Target
from jitinspect.readings import donation
from jitinspect.stages.pipeline import Pipeline
from contextlib import nullcontext
from jitinspect.stages.inspection import Subject
from jitinspect.targets.jitting import jitted
from jitinspect.targets.loading import named

def arrays(*shapes):
    return [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes]

def step(weights, moments, x):
    loss = lambda weights: jnp.mean(jnp.tanh(x @ weights[0]) @ weights[1])
    grads = jax.grad(loss)(weights)
    moments = jax.tree.map(lambda m, g: 0.9 * m + g, moments, grads)
    return jax.tree.map(lambda w, m: w - 0.1 * m, weights, moments), moments

def update(weights, moments, grads):
    moments = jax.tree.map(lambda m, g: 0.9 * m + g, moments, grads)
    return jax.tree.map(lambda w, m: w - 0.1 * m, weights, moments), moments

weights = arrays((256, 512), (512, 64))
train = transformer.train_step.__wrapped__
cases = {
    "transformer": (train, transformer.make_args(int(sys.argv[1])), (0, 1, 2)),
    "transformer, 2 layers": (train, transformer.make_args(2), (0, 1, 2)),
    "MLP, all donated": (step, (weights, weights, *arrays((32, 256))), (0, 1, 2)),
    "optimizer": (update, (weights, weights, weights), (0, 1)),
    "reduced": (lambda x, y: (x @ y).sum(0), (*arrays((512, 512), (512, 512)),), (0, 1)),
}
again, inner = [], aliasing.recompiled
aliasing.recompiled = lambda *given: again.append(inner(*given)) or again[-1]
for function, args, donated in cases.values():
    jit = jitted(named(jax.jit(function, donate_argnums=donated)))
    path = Pipeline(lambda: jit.trace(*args))
    began = time.process_time()
    path.compiled.as_text()
    own = time.process_time() - began
    subject = Subject(path, jit, (args, {}), "", {}, None, nullcontext)
    again.clear()
    began = time.process_time()
    donation.read(Target("", "", "", None, None), iter([subject]))
    spent = time.process_time() - began
    print(spent, spent / own, len([one for one in again if one is not None]))
"""


def main(runs: int, layers: int) -> int:
    found = []
    for _ in range(runs):
        command = [sys.executable, "-W", "ignore", "-c", RUN, str(layers)]
        made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.append([tuple(map(float, row.split())) for row in made.stdout.splitlines()])
    head("added", "recompiled")
    held = []
    for at, name in enumerate(CASES):
        seconds, ratio, again = (statistics.median(run[at][part] for run in found) for part in range(3))
        held.append(row(name, f"{seconds:.2f} s", f"{again:.0f} times", ratio=ratio, limit=LIMIT))
    return int(not all(held))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*given, *(RUNS, LAYERS)[len(given) :]))
