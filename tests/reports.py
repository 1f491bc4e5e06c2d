"""What many commands say of many functions, kept as JSON: whether a change of design changed a result.

    python tests/reports.py capture FOLDER [REGEX]
    python tests/reports.py compare BEFORE NOW

The first writes the `--json` of readings of the samples, and of functions of JAX and of other libraries, one
file for each command: of this checkout, with this Python. REGEX chooses among them by name
(`mlp-loss_fn/cost`). The second compares two such folders byte for byte, but for seconds, says which files
differ and how, and exits 1 if one does. The functions lie in a folder named after their contents, so that two
checkouts have the same paths in their reports.
"""

import difflib
import os
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUPPORT = ("library_targets.py", "program_samples.py")
"""Copied beside the samples."""
TIMEOUT, SHOWN = 900, 12

SAMPLES = {
    "mlp-normalize": "samples.mlp:normalize -s B,784",
    "mlp-loss_fn": "samples.mlp:loss_fn -s B,784 -s 784,10",
    "mlp-grad": "samples.mlp:loss_fn -s B,784 -s 784,10 --transform grad --donate 0",
    "mlp-predict": "samples.mlp:predict -s B,784 -s 784,10 -a training=True",
    "mlp-sgd_step": "samples.mlp:sgd_step --args-from samples.mlp:make_args",
    "transformer-attention": "samples.transformer:attention -s B,16,256 "
    "-a {'qkv':f32[256,768],'out':f32[256,256]}",
    "transformer-train_step": "samples.transformer:train_step "
    "--args-from library_targets:transformer_arguments",
    "block-step": "samples.block:step --args-from samples.block:make_params -s bf16[B,16,1024]",
    "sharded-train_step": "samples.sharded:train_step --args-from samples.sharded:make_args "
    "--mesh data=4,model=2",
    "sharded-loss_fn": "samples.mlp:loss_fn -s f32[B,784]@P('data',None) -s f32[784,16]@P(None,'model') "
    "--mesh data=4,model=2",
}  # fmt: skip
OTHERS = {
    "layers": "program_samples:layers -s 8,8 -a [f32[8,8],f32[8,8],f32[8,8]]",
    "loops": "program_samples:loops -s 8,8",
    "grad-of-loops": "program_samples:loops_summed -s 8,8 --transform grad",
    "branches": "program_samples:branches -s 8,8 -s i32[]",
    "indexing": "program_samples:indexing -s 8,8 -s i32[]",
    "random": "program_samples:random -a key[] -s 8,8",
    "customs": "program_samples:customs -s 8,8",
    "signals": "program_samples:signals -s 8,8 -s 3,3",
    "dtypes": "program_samples:dtypes -s 8,8",
    "linen-step": "library_targets:linen_step --args-from library_targets:linen_arguments --donate 0,1",
    "linen-cnn": "library_targets:linen_cnn -s B,8,8,3",
    "linen-attention": "flax.linen:dot_product_attention -s B,8,2,16 -s B,8,2,16 -s B,8,2,16",
    "nnx-mlp": "library_targets:nnx_mlp -s B,16",
    "equinox-attention": "library_targets:equinox_attention -s B,8,16",
    "equinox-gru": "library_targets:equinox_gru -s B,8 --transform jacrev",
    "diffrax-solve": "library_targets:diffrax_solve -s B",
    "optax-ctc": "library_targets:optax_ctc -s B,8,5 -s i32[B,3] --transform grad",
    "optax-cross_entropy": "optax:softmax_cross_entropy -s B,10 -s B,10",
    "optax-huber_loss": "optax:huber_loss -s B,10 -s B,10",
    "optax-global_norm": "optax:global_norm -a {'w':f32[B,64],'b':f32[64]}",
    "optax-simplex": "optax.projections:projection_simplex -s 32",
    "nn-softmax": "jax.nn:softmax -s B,128",
    "nn-gelu": "jax.nn:gelu -s bf16[B,128] --donate 0",
    "nn-attention": "jax.nn:dot_product_attention -s B,16,4,8 -s B,16,4,8 -s B,16,4,8",
    "scipy-gammainc": "jax.scipy.special:gammainc -s B -s B",
    "scipy-expm": "jax.scipy.linalg:expm -s 8,8",
    "scipy-logpdf": "jax.scipy.stats.norm:logpdf -s B",
    "scipy-convolve": "jax.scipy.signal:convolve -s 64 -s 5",
    "numpy-svd": "jax.numpy.linalg:svd -s B,4",
    "numpy-rfft2": "jax.numpy.fft:rfft2 -s B,16",
    "numpy-interp": "jax.numpy:interp -s B -s 16 -s 16",
    "numpy-median": "jax.numpy:median -s B,9",
}
"""name → a target and its arguments. `B` is 8, and 16 in the second call of a comparison."""

READINGS = (
    "explore --passes", "source", "cost", "donation", "passes --op fusion", "diff", "hlo --stats",
    "stablehlo --stats", "jaxpr --stats", "hlo --op dot|fusion -C 1",
)  # fmt: skip
OF_SAMPLES = (
    "show", "key", "constants", "passes", "sharding", "collectives", "hlo --raw", "hlo --outline --before",
    "stablehlo --outline", "jaxpr --source", "cost --dim",
)  # fmt: skip
PROGRAMS = {
    "calls/trace-cache": "trace-cache samples/seed.calls",
    "calls/plan": "trace-cache --plan samples/seed.calls",
    "calls/plan-batches": "trace-cache --plan samples/batches.jsonl",
    "calls/ls": "ls samples.transformer",
    **{
        f"programs/{path.stem}": f"trace-cache samples/recompiles/{path.name}"
        for path in sorted((ROOT / "samples" / "recompiles").glob("*.py"))
    },
}

Commands = dict[str, list[str]]


def commands() -> Commands:
    """name → words of the command line."""
    made = {name: command.split() for name, command in PROGRAMS.items()}
    for name, call in {**SAMPLES, **OTHERS}.items():
        for reading in (*READINGS, *(OF_SAMPLES if name in SAMPLES else ())):
            if words := command(reading, call):
                made[f"{name}/{re.sub(r'[^a-z0-9]+', '-', reading)}"] = words
    return made


def command(reading: str, call: str) -> list[str] | None:
    """None for what compares calls of several sizes, where the call has one."""
    has_sizes = "B" in re.split(r"\W", call)
    several = reading in ("diff", "cost --dim")
    if several and not has_sizes:
        return [*reading.split(), *call.split(), "--vs", "--dtype bf16"] if "-s 8,8" in call else None
    sizes = ["--dim", "B=8,16" if several else "B=8"] if has_sizes else []
    return [*reading.removesuffix(" --dim").split(), *call.split(), *sizes]


def prepared() -> Path:
    """A folder with the functions: it has the same path for all checkouts that have the same functions."""
    files = [
        *sorted((ROOT / "samples").rglob("*.*")),
        *(ROOT / "tests" / "support" / name for name in SUPPORT),
    ]
    digest = 0
    for file in files:
        digest = zlib.crc32(file.read_bytes(), digest) if "__pycache__" not in file.parts else digest
    folder = Path(tempfile.gettempdir()) / f"jitinspect-reports-{digest:08x}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            shutil.copytree(ROOT / "samples", Path(made, "all", "samples"))
            for name in SUPPORT:
                shutil.copy(ROOT / "tests" / "support" / name, Path(made, "all"))
            Path(made, "all").rename(folder)
    return folder


def capture(folder: Path, chosen: str = "") -> int:
    """Runs the commands, as many at a time as there are processors; whether one failed without a document."""
    wanted = {name: words for name, words in commands().items() if re.search(chosen, name)}
    for name in [name for name in os.environ if name.startswith(("JAX_", "XLA_"))]:
        del os.environ[name]
    os.environ["PYTHONPATH"] = str(ROOT)
    names, where, size = iter(wanted), prepared(), os.cpu_count() or 1
    with ThreadPoolExecutor(size) as pool:
        failed = sum(pool.map(lambda _: capture_some(names, wanted, where, folder), range(size)))
    print(f"{len(wanted) - failed} reports in {folder}; {failed} commands failed without one")
    return int(failed > 0)


def capture_some(names: Iterator[str], wanted: Commands, where: Path, folder: Path) -> int:
    """Those that no other thread has taken, by a process that is forked for each; how many failed."""
    from tests.support.prefork import Prefork

    started = Prefork(Path(sys.executable).with_name("jitinspect"))
    failed = 0
    try:
        for name in names:
            file = folder / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            done = started.run([*wanted[name], "--json", "-q"], where, dict(os.environ), TIMEOUT)
            file.write_text(done.stdout)
            if not done.stdout:
                failed += 1
                print(f"{name}: exit code {done.returncode}\n{done.stderr}", file=sys.stderr)
    finally:
        started.close()
    return failed


_SECONDS = re.compile(r'("\w*seconds\w*": )(?:\{[^{}]*\}|-?\d[\d.e+-]*)')


def timeless(text: str) -> str:
    """A document without its seconds."""
    return _SECONDS.sub(r"\1…", text)


def compare(before: Path, now: Path) -> int:
    """Prints what differs; whether something does. What was captured in one folder only is named."""
    first, second = (
        {str(one.relative_to(folder)) for one in folder.rglob("*.json")} for folder in (before, now)
    )
    for name in sorted(first ^ second):
        print(f"{name}: only in {before if name in first else now}")
    different = 0
    for name in sorted(first & second):
        texts = [timeless((folder / name).read_text()) for folder in (before, now)]
        if texts[0] != texts[1]:
            different += 1
            print(f"{name}: differs")
            lines = difflib.unified_diff(*(text.splitlines() for text in texts), lineterm="", n=1)
            print(*(f"    {line[:200]}" for line in islice(lines, 2, 2 + SHOWN)), sep="\n")
    print(f"{len(first & second)} reports compared, {different} differ")
    return int(different > 0 or not first & second)


def main(words: list[str]) -> int:
    match words:
        case ["capture", folder, *chosen] if len(chosen) < 2:
            return capture(Path(folder), *chosen)
        case ["compare", before, now]:
            return compare(Path(before), Path(now))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
