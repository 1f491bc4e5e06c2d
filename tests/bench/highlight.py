"""The highlighter against splitting and joining the lines: `python tests/bench/highlight.py [ROUNDS]`.

The two run in turn over the same text, and medians of CPU time are compared: at most 10 times as
long for a jaxpr and StableHLO, 7 for HLO, both for texts from 1 MB on; LLVM IR and machine code have
no limit. What is held to it is `again`, where the process remembers the text's words from the round
before. `first`, with nothing remembered, is what a command that prints one text pays: at most 5 times
as long. The texts are JAX's own, made once for each version
of it and of this file and kept in the system's temporary folder. Lines that are split and joined
cost two to three times as much per byte in a text of 3 MB as in one of 1 MB, where all of it still
fits into the processor's cache; so each language is measured at several sizes.
"""

import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from jitinspect.ir.readable_hlo import readable  # noqa: E402
from jitinspect.render.highlight import highlight  # noqa: E402
from jitinspect.render.highlight.theme import TERMINAL  # noqa: E402
from samples import transformer  # noqa: E402

AXES = ("NHWC", "HWIO", "NHWC")
LIMITS = {"jaxpr": 10.0, "stablehlo": 10.0, "hlo": 7.0}
FIRST = 5.0


def mlp_step(layers, x):
    """One step of gradient descent on the mean square of a tanh network."""

    def loss(layers):
        h = x
        for weight, bias in layers:
            h = jnp.tanh(h @ weight + bias)
        return jnp.mean(h * h)

    return jax.tree.map(lambda p, g: p - 1e-3 * g, layers, jax.grad(loss)(layers))


def conv_step(kernels, x):
    """The same for a residual convolutional network."""

    def loss(kernels):
        h = x
        for kernel in kernels:
            h = h + jax.nn.relu(
                jax.lax.conv_general_dilated(h, kernel, (1, 1), "SAME", dimension_numbers=AXES)
            )
        return jnp.mean(h * h)

    return jax.tree.map(lambda p, g: p - 1e-3 * g, kernels, jax.grad(loss)(kernels))


def programs():
    """Each program's name, and the program traced."""
    array = jax.ShapeDtypeStruct
    f32 = jnp.float32
    layers = [(array((64, 64), f32), array((64,), f32))] * 400
    kernels = [array((3, 3, 8, 8), f32)] * 400
    yield "transformer, 24 layers", transformer.train_step.trace(*transformer.make_args(24))
    yield "transformer, 72 layers", transformer.train_step.trace(*transformer.make_args(72))
    yield "MLP, 400 layers", jax.jit(mlp_step).trace(layers, array((32, 64), f32))
    yield "conv net, 400 layers", jax.jit(conv_step).trace(kernels, array((2, 8, 8, 8), f32))


def texts_of(traced):
    lowered = traced.lower()
    yield "jaxpr", "jaxpr", str(traced.jaxpr)
    yield "stablehlo", "stablehlo", lowered.as_text()
    yield "stablehlo", "stablehlo with locations", lowered.as_text(debug_info=True)
    compiled = lowered.compile().as_text()
    yield "hlo", "hlo, raw", compiled
    yield "hlo", "hlo, readable", readable(compiled)


def kernels_of_sample():
    """LLVM IR and machine code of a small program, twenty times over."""
    for language in ("llvm", "asm"):
        words = f"-m jitinspect {language} samples.mlp:normalize --shape 128,784"
        command = [sys.executable, *words.split()]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            yield language, language, done.stdout * 20


def corpus():
    """Language, title and text; from the temporary folder where they are there already."""
    made_by = f"{jax.__version__}-{zlib.crc32(Path(__file__).read_bytes()):08x}"
    folder = Path(tempfile.gettempdir()) / f"jitinspect-bench-highlight-jax-{made_by}"
    if not (folder / "complete").exists():
        folder.mkdir(exist_ok=True)
        made = [
            (language, f"{kind}: {name}", text)
            for name, traced in programs()
            for language, kind, text in texts_of(traced)
        ]
        for index, (language, title, text) in enumerate([*made, *kernels_of_sample()]):
            (folder / f"{index:02}.{language}").write_text(f"{title}\n{text}")
        (folder / "complete").touch()
    for file in sorted(folder.glob("[0-9]*")):
        title, _, text = file.read_text().partition("\n")
        yield file.suffix[1:], title, text


def split_and_join(text):
    return "\n".join(text.split("\n"))


def consume(blocks):
    for _ in blocks:
        pass


def seconds(run):
    """CPU time: on a busy machine, others are let in only during the longer of the two."""
    start = time.process_time()
    run()
    return time.process_time() - start


def measure(language, title, text, rounds):
    """Print a row; whether the limit, if there is one, holds."""
    runs = [
        (
            seconds(lambda: split_and_join(text)),
            seconds(lambda: consume(highlight(text, language, replace(TERMINAL)))),
            seconds(lambda: consume(highlight(text, language, TERMINAL))),
        )
        for _ in range(rounds + 1)
    ][1:]
    plain, first, again = (statistics.median(column) for column in zip(*runs, strict=True))
    size = len(text) / 1e6
    limit = LIMITS.get(language) if size >= 1 else None
    held = limit is None or (again <= limit * plain and first <= FIRST * plain)
    verdict = "" if limit is None else "ok" if held else "OVER"
    print(
        f"{title:<48} {size:6.2f} {plain * 1e3:8.2f} {first * 1e3:8.2f} {first / plain:6.2f}"
        f" {again / plain:6.2f} {size / first:6.1f} {limit or '-':>6} {verdict}",
        flush=True,
    )
    return held


def main(rounds=9):
    print(f"Python {sys.version.split()[0]}, jax {jax.__version__}; median of {rounds}")
    print(f"{'':<48} {'MB':>6} {'split ms':>8} {'ours ms':>8}  first  again   MB/s  limit of again")
    held = [measure(language, title, text, rounds) for language, title, text in corpus()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
