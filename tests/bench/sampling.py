"""What sampling costs on top of tracing and lowering: `python tests/bench/sampling.py [TIMES]`.

Gradients of a transformer of 12 layers, of a flax and of an equinox model are traced and lowered, bare and
sampled in turn. The medians of the ratios are printed, that of the trace last, and that of two bare runs,
which is noise. Seconds are those of CPU time: of the wall clock where the machine does nothing else.
Exits 1 where the limit is missed.
"""

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402

LIMIT = 1.25
PROGRAMS = ("transformer", "flax", "equinox")
RUN = """
import contextlib, sys, time
import jax, jax.numpy as jnp
from jitinspect.jaxapi.source_lines.equations_on_stack import equation_of
from jitinspect.process.stack_sampling import sampled
from jitinspect.readings.timings.python_time import PythonTime

def f32(*shape):
    return jax.ShapeDtypeStruct(shape, "float32")

def transformer():
    def layer(p, x):
        q, k, v = (x @ p[name] for name in "qkv")
        x = x + jax.nn.softmax(q @ k.swapaxes(-1, -2) / 8.0) @ v @ p["o"]
        x = (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)
        return x + jax.nn.gelu(x @ p["up"]) @ p["down"]
    def loss(ps, x):
        for p in ps:
            x = layer(p, x)
        return (x**2).mean()
    p = {name: f32(64, 64) for name in "qkvo"} | {"up": f32(64, 256), "down": f32(256, 64)}
    return jax.grad(loss), ([p] * 12, f32(2, 32, 64))

def flax():
    from flax import linen as nn
    class Model(nn.Module):
        @nn.compact
        def __call__(self, x):
            for _ in range(6):
                x = nn.LayerNorm()(x + nn.SelfAttention(num_heads=4)(x))
                x = x + nn.Dense(64)(nn.gelu(nn.Dense(256)(x)))
            return x.mean()
    model, x = Model(), f32(2, 32, 64)
    return jax.grad(model.apply), (jax.eval_shape(model.init, jax.random.key(0), x), x)

def equinox():
    import equinox as eqx
    class Model(eqx.Module):
        attention: list
        mlps: list
        def __init__(self, key):
            self.attention = [eqx.nn.MultiheadAttention(4, 64, key=key) for _ in range(6)]
            self.mlps = [eqx.nn.MLP(64, 64, 256, 2, key=key) for _ in range(6)]
        def __call__(self, x):
            for attention, mlp in zip(self.attention, self.mlps):
                x = x + attention(x, x, x)
                x = x + jax.vmap(mlp)(x)
            return x.mean()
    params, static = eqx.partition(Model(jax.random.key(0)), eqx.is_array)
    def loss(params, x):
        return jax.vmap(eqx.combine(params, static))(x).mean()
    return jax.grad(loss), (params, f32(2, 32, 64))

def timed(around):
    jax.clear_caches()
    clocks = [clock()]
    with around() as samples:
        traced = jax.jit(lambda *args: function(*args)).trace(*args)
    clocks.append(clock())
    with around():
        traced.lower()
    clocks.append(clock())
    return clocks[1] - clocks[0], clocks[2] - clocks[1], samples

function, args = globals()[sys.argv[1]]()
clock = time.thread_time
bare, watched = contextlib.nullcontext, lambda: sampled(equation_of)
timed(bare), timed(watched)
for _ in range(int(sys.argv[2])):
    before, seen, after = map(timed, (bare, watched, bare))
    trace, lower = (2 * seen[at] / (before[at] + after[at]) for at in (0, 1))
    print(trace, lower, before[0] / after[0], seen[0], seen[2].count, seen[2].own_seconds / seen[0])
"""


def main(times: int) -> int:
    head("lowering", "noise", "seconds", "samples", "own")
    held = True
    for program in PROGRAMS:
        made = subprocess.run(
            [sys.executable, "-c", RUN, program, str(times)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        rows = [tuple(map(float, line.split())) for line in made.stdout.splitlines()]
        trace, lower, noise, seconds, samples, own = map(statistics.median, zip(*rows, strict=True))
        cells = f"{lower:.3f}", f"{noise:.3f}", f"{seconds:.2f}", f"{samples:.0f}", f"{own:.3f}"
        held &= row(program, *cells, ratio=trace, limit=LIMIT)
    return int(not held)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8))
