"""What differs between an entry and a call, held against entries that were made to differ in just that."""

import json
import os
import random
import subprocess
import sys
import zlib

import pytest

from jitinspect.files.cache.contents import contents_of_entry
from jitinspect.files.cache.expanding import expand
from jitinspect.files.cache.why import Search

PROGRAM = [sys.executable, "-m", "tests.support.cache_variants"]
FAST_MATH = "xla_cpu_enable_fast_math"
MADE = {
    "other process 0": [["compile_options", FAST_MATH, "True", "False"]],
    "other process 1": [],
    "shape": [["computation", "argument x", "f32[6,4]", "f32[8,4]"]],
    "dtype": [
        ["computation", "argument x", "bf16[8,4]", "f32[8,4]"],
        ["computation", "argument w", "bf16[4,4]", "f32[4,4]"],
    ],
    "constant": [["computation", "constant of mul", "3.0", "2.0"]],
    "operation": [["computation", "operations", "sin", None]],
    "results": [["computation", "results", "f32[]", "f32[], f32[8,4]"]],
    "arguments": [
        ["computation", "argument x", "f32[4,4]", "f32[8,4]"],
        ["computation", "argument w", None, "f32[4,4]"],
    ],
    "donation": [["computation", "donated", "x", "none"]],
    "mesh of 4": [
        ["compile_options", "devices", "0, 1, 2, 3", "0"],
        ["computation", "sharding of x", "4×1 tiles", "none"],
    ],
    "mesh of 2, not 4": [
        ["compile_options", "devices", "0, 1, 2, 3", "0, 1"],
        ["computation", "sharding of x", "4×1 tiles", "2×1 tiles"],
    ],
    "compiler option": [["compile_options", FAST_MATH, "True", "False"]],
    "other device": [["compile_options", "devices", "1", "0"]],
    "committed": [["compile_options", "placement of arguments", "given", "left to XLA"]],
    "precision": [["computation", "precision of dot_general", "highest", "default"]],
}
"""By variant: component, what, of the entry, of the call; all of them, and all certain."""


def run(folder, *arguments, flags=""):
    environ = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    finished = subprocess.run(
        [*PROGRAM, str(folder), *arguments], env=environ, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def told(folder):
    """The first other process has a flag that changes an option; that of the second is XLA's default."""
    entries = []
    for flag in (f"--{FAST_MATH}=true", f"--{FAST_MATH}=false"):
        run(folder, "one", flags=flag)
        entries += [str(path) for path in folder.glob("*-cache") if str(path) not in entries]
    assert len(entries) == 2
    return json.loads(run(folder, *entries))


@pytest.mark.parametrize("name", MADE)
def test_what_was_changed_is_named_and_nothing_else(told, name):
    assert told[name] == [[*one, True] for one in MADE[name]]


def test_a_call_does_not_differ_from_its_own_entry(told):
    same = {name: found for name, found in told.items() if name.startswith("same: ")}
    assert len(same) > 10 and not any(same.values()), same


def test_each_variant_is_expected(told):
    assert {name for name in told if not name.startswith("same: ")} == {*MADE}


def test_damage_is_no_fault(told, folder, tmp_path):
    """Each byte that is changed, or cut off, leaves an entry that is compared, or one that cannot be."""
    path = min(folder.glob("jit_step-*-cache"), key=lambda path: path.stat().st_size)
    whole, damaged = expand(str(path)).head, tmp_path / path.name
    sound, chosen = contents_of_entry(str(path)), random.Random(7)
    compared = refused = 0
    for _ in range(150):
        at = chosen.randrange(4, len(whole))
        changed = bytes([whole[at] ^ (1 << chosen.randrange(8))])
        content = whole[:at] + (changed + whole[at + 1 :] if chosen.random() < 0.8 else b"")
        damaged.write_bytes(zlib.compress(content))
        near = compared_with(damaged, sound)
        refused += near.why_not is not None
        compared += near.why_not is None
    assert compared > 10 and refused > 10


def compared_with(path, call):
    return Search(str(path.parent), call).compared(path.name)
