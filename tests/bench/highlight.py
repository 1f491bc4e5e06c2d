"""Highlighting against splitting and joining lines: `python tests/bench/highlight.py [RUNS]`.

Each text is highlighted for a terminal and, in the same run and in turn with it, passed through
`'\\n'.join(text.split('\\n'))`; the medians and their ratio are printed. Exits 1 if a ratio is over its
target. The texts are those that JAX prints for two large programs of different kinds; making them takes
a minute, so they are kept in the temporary folder, one set for each version of JAX.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from jitinspect.hlotext import readable  # noqa: E402
from jitinspect.render.highlight import highlight  # noqa: E402
from jitinspect.render.highlight.theme import TERMINAL  # noqa: E402

TARGETS = {"jaxpr": 10.0, "stablehlo": 10.0, "hlo": 7.0}
TEXTS = Path(tempfile.gettempdir()) / f"jitinspect-highlight-{version('jax')}"


def transformer(layers):
    """The sample's training step: unrolled, regular, many arguments."""
    from samples.transformer import make_args, train_step

    return train_step.trace(*make_args(layers))


def recurrent(stages):
    """The gradient of recurrent and convolutional stages: loops, branches, nested jits, random bits."""
    import jax
    import jax.numpy as jnp

    def cell(p, h, x):
        z, r = jnp.split(jax.nn.sigmoid(x @ p["gates"] + h @ p["state"]), 2, axis=-1)
        return (1 - z) * h + z * jnp.tanh((r * h) @ p["out"]), h.sum()

    def stage(p, x, key):
        last, sums = jax.lax.scan(lambda h, xt: cell(p, h, xt), jnp.zeros_like(x[0]), x)
        x = x + jnp.where(jax.random.bernoulli(key, 0.9, x.shape), last, 0.0)
        x = jax.lax.conv_general_dilated(x, p["kernel"], (1,), "SAME", dimension_numbers=("NWC", "WIO", "NWC"))
        x = jax.lax.cond(sums.mean() > 0, lambda x: jnp.sort(x, -1), jnp.exp, x)
        return jax.nn.relu(x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + 1e-6)

    def loss(params, x, key):
        for p, key in zip(params, jax.random.split(key, len(params)), strict=True):
            x = stage(p, x, key)
        return (x**2).mean()

    def array(*shape):
        return jax.ShapeDtypeStruct(shape, "float32")

    p = {"gates": array(32, 64), "state": array(32, 64), "out": array(32, 32), "kernel": array(3, 32, 32)}
    key = jax.eval_shape(lambda: jax.random.key(0))
    return jax.jit(jax.value_and_grad(loss)).trace([p] * stages, array(8, 16, 32), key)


def jaxpr(traced):
    return str(traced.jaxpr)


def stablehlo(traced):
    return traced.lower().as_text()


def with_locations(traced):
    return traced.lower().as_text(debug_info=True)


def hlo(traced):
    return traced.lower().compile().as_text()


def kernels(stage):
    def text(traced):
        from jitinspect import kernels

        return getattr(kernels, stage)(traced.lower()).text

    return text


CASES: list[tuple[str, str, Callable, Callable, int]] = [
    ("jaxpr", "jaxpr", jaxpr, transformer, 72),
    ("jaxpr", "jaxpr", jaxpr, recurrent, 48),
    ("stablehlo", "stablehlo", stablehlo, transformer, 24),
    ("stablehlo", "stablehlo", stablehlo, transformer, 96),
    ("stablehlo", "stablehlo", stablehlo, recurrent, 48),
    ("stablehlo", "with locations", with_locations, transformer, 24),
    ("stablehlo", "with locations", with_locations, recurrent, 48),
    ("hlo", "raw", hlo, transformer, 24),
    ("hlo", "raw", hlo, transformer, 64),
    ("hlo", "raw", hlo, recurrent, 16),
    ("llvm", "kernels", kernels("llvm"), transformer, 12),
    ("asm", "kernels", kernels("asm"), transformer, 12),
]
"""Language, kind of text, what makes it of a traced program, the program, and its size."""


def texts() -> Iterator[tuple[str, str, str]]:
    """Language, a label, and the text; of each raw HLO also what is shown without `--raw`."""
    TEXTS.mkdir(exist_ok=True)
    for language, kind, printed, program, size in CASES:
        label = f"{program.__name__} {size}, {kind}"
        file = TEXTS / f"{language}-{label.replace(', ', '-').replace(' ', '-')}.txt"
        if not file.exists():
            print(f"making {file.name} …", file=sys.stderr, flush=True)
            file.write_text(printed(program(size)))
        text = file.read_text()
        yield language, label, text
        if kind == "raw":
            yield language, label.replace("raw", "readable"), readable(text)


def highlighted(language: str, text: str) -> int:
    return sum(len(block) for block in highlight(text, language, TERMINAL))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(language: str, label: str, text: str, runs: int) -> bool:
    """Time the two in turn, after one warm-up of each; print a row; whether the target holds."""
    pairs = [
        (seconds(lambda: "\n".join(text.split("\n"))), seconds(lambda: highlighted(language, text)))
        for _ in range(runs + 1)
    ][1:]
    split, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    target = TARGETS.get(language, float("inf"))
    size = len(text) / 1e6
    row = f"{language:<10} {label:<31} {size:6.2f} {split * 1e3:8.2f} {ours * 1e3:8.2f} {ours / split:6.1f}"
    verdict = "ok" if ours / split <= target else "OVER"
    print(f"{row} {size / ours:6.0f} {target:7.1f}  {verdict}", flush=True)
    return ours / split <= target


def main(runs: int = 9) -> int:
    print(f"{'':<42} {'MB':>6} {'split ms':>8} {'ours ms':>8} {'ratio':>6} {'MB/s':>6} {'target':>7}")
    held = [compare(*case, runs) for case in texts()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
