"""Files as targets, by the installed command."""

import gzip
import json
import os
import shutil
import zlib
from pathlib import Path

import pytest

from tests.e2e.conftest import KEEPING
from tests.support import saved_entries

MESH = ("--mesh", "data=4,model=2")
STEP = (
    "samples.sharded:train_step", "-a", "{'w1': f32[64,256]@P(None,'model'), 'b1': f32[256], "
    "'w2': f32[256,8]@P('model',None), 'b2': f32[8]}", "-s", "f32[128,64]@P('data',None)",
    "-s", "f32[128,8]@P('data',None)", *MESH,
)  # fmt: skip
LOSS = ("samples.mlp:loss_fn", "-s", "128,784", "-s", "784,256")
(ENTRY, *_) = sorted(Path(saved_entries.__file__).parent.glob("*.gz"))


def test_collectives_of_a_mesh(shell):
    shell("hlo", *STEP, "-q", "--raw", "-o", "step.hlo")
    ours = json.loads(shell("collectives", "./step.hlo", *MESH, "--json").stdout)
    own = json.loads(shell("collectives", *STEP, "--json").stdout)
    assert own["collectives"] and own["by_axes"] == ours["by_axes"] and own["by_line"] == ours["by_line"]
    what = ("kind", "instruction", "line", "axes", "wire_bytes", "asked_by", "primitive", "runs", "overlaps")
    pairs = zip(ours["collectives"], own["collectives"], strict=True)
    assert all(one[name] == other[name] for one, other in pairs for name in what)


def test_an_entry_of_the_cache(shell):
    program = f"import sys; sys.path.insert(0, '.')\n{PROGRAM}"
    shell.environ |= KEEPING
    shell.python(program)
    shown = shell("cache", "show", "jit_loss_fn", "-q")
    assert shown.stdout.startswith("HloModule jit_loss_fn"), shown.stderr
    assert shown.stdout == shell("hlo", *LOSS, "-q").stdout
    (file,) = (shell.folder / "cache").glob("jit_loss_fn-*-cache")
    source = shell("cache", "show", str(file), "source")
    assert "51.4 M" in source.stdout and "eqns" not in source.stdout
    missing = shell("cache", "show", "jit_none", "--dir", "cache")
    assert missing.returncode == 3 and "no entry of cache begins with jit_none" in missing.stderr


PROGRAM = """
import numpy as np
from samples.mlp import loss_fn
loss_fn(np.zeros((128, 784), "float32"), np.zeros((784, 256), "float32"))
"""


def test_a_folder_of_dumps(shell):
    shell.environ |= {"XLA_FLAGS": "--xla_dump_to=dump"}
    shell.python(f"import sys; sys.path.insert(0, '.')\nimport jax.numpy as jnp; jnp.ones(3) + 1\n{PROGRAM}")
    del shell.environ["XLA_FLAGS"]
    listed = json.loads(shell("ls", "dump/", "--json").stdout)["dumps"]
    assert "jit_loss_fn" in [one["name"] for one in listed] and len(listed) > 1
    asked = shell("hlo", "dump/")
    assert asked.returncode == 3 and "jit_loss_fn is the largest" in asked.stderr
    fits = shell("fit", "dump/:loss_fn", "--target", "v5e", "--target", "h100", "--json")
    rows = json.loads(fits.stdout)["fit"]
    assert [(row["target"], row["fits"], row["as_compiled"]) for row in rows] == [
        ("v5e", True, True), ("h100", True, True),
    ]  # fmt: skip
    assert {one["argument"] for one in rows[0]["buffers"]} >= {"x", "w"}
    code = shell("asm", "dump/:loss_fn")
    assert "ret" in code.stdout if shutil.which("objdump") else code.returncode == 6
    none = shell("fit", "dump/:loss_fn")
    assert none.returncode == 2 and "cost dump/:loss_fn" in none.stderr


def damaged(folder):
    entry = gzip.decompress(ENTRY.read_bytes())
    (folder / "cut.entry").write_bytes(entry[:5000])
    (folder / "bomb.entry").write_bytes(zlib.compress(bytes(300 << 20), 1))
    os.mkfifo(folder / "pipe.hlo")


@pytest.mark.parametrize("name", ["cut.entry", "bomb.entry", "pipe.hlo"])
def test_what_is_damaged_is_told_in_a_line(shell, name):
    damaged(shell.folder)
    finished = shell("hlo", f"./{name}")
    assert finished.returncode == 3 and not finished.stdout
    first, *more = finished.stderr.splitlines()
    assert first.startswith("error: ") and name in first
    assert all(line.startswith("hint:") for line in more)


def test_what_a_compiled_file_cannot_give(shell):
    (shell.folder / "entry").write_bytes(gzip.decompress(ENTRY.read_bytes()))
    for command in ("stablehlo", "key"):
        refused = shell(command, "./entry")
        assert refused.returncode == 6, (command, refused.stderr)
        assert refused.stderr.startswith("error: ")
    assert shell("hlo", "./entry", "--target", "v5e").returncode == 2
