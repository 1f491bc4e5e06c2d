"""`cache why` and `cache stats`, on a folder that real programs have filled."""

import json
import re
import shutil

import pytest

from tests.e2e.conftest import KEEPING, Shell

PROGRAM = """
import sys
import jax
import jax.numpy as jnp

def args():
    return jnp.linspace(0.0, 1.0, 8), {"bias": jnp.ones(8) * 3}

def other_args():
    return jnp.cumprod(jnp.full(8, 1.5)), {"bias": jnp.ones(8) * 3}

def step(x, params):
    return (x * 2.0 + params["bias"]).sum()

if __name__ == "__main__":
    x, params = args()
    jax.jit(step)(x, params)
    jax.jit(step)(x[: int(sys.argv[1])], {"bias": params["bias"][: int(sys.argv[1])]})
"""
CALL = ("program:step", "-a", "f32[8]", "-a", "{'bias': f32[8]}")
OTHER = ("program:step", "-a", "f32[6]", "-a", "{'bias': f32[6]}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One with the cache of a program, and two recordings of it, made once for all tests."""
    shell = Shell(tmp_path_factory.mktemp("filled"))
    shell.write("program.py", PROGRAM)
    for name, size in (("one.jsonl", "4"), ("two.jsonl", "5")):
        finished = shell("run", "-q", "--record", name, "program.py", size, **KEEPING)
        assert finished.returncode == 0, finished.stderr
    return shell.folder


@pytest.fixture
def filled(folder, shell):
    """A copy of it."""
    shutil.copytree(folder, shell.folder, dirs_exist_ok=True)
    return shell


def state(shell):
    return {path.name: path.stat().st_mtime_ns for path in (shell.folder / "cache").iterdir()}


def test_the_cache_is_looked_into_and_left_as_it_is(filled):
    before = state(filled)
    found = filled("cache", "why", *CALL, **KEEPING)
    assert found.returncode == 0 and "found in cache: JAX loads it" in found.stdout
    assert "compile" not in found.stderr
    missed = filled("cache", "why", "program:step", "--args-from", "program:other_args", "--json", **KEEPING)
    (lookup,) = json.loads(missed.stdout)["lookups"]
    assert lookup["present"] is True and lookup["entry"]["loadable"] is True
    other = filled("cache", "why", *OTHER, **KEEPING)
    assert "not in cache, which has 3 of jit_step among" in other.stdout
    assert "argument x" in other.stdout and "f32[6]" in other.stdout
    assert state(filled) == before

    filled("cache", "why", *OTHER, "-o", "why.json", **KEEPING)
    shown = [re.sub(r"\d+ s old", "", text) for text in (filled("view", "why.json").stdout, other.stdout)]
    assert shown[0] == shown[1]


def test_what_cannot_be_asked(shell):
    shell.write("program.py", PROGRAM)
    assert "no cache folder is set" in (without := shell("cache", "why", *CALL)).stderr
    assert without.returncode == 2
    empty = shell("cache", "why", *CALL, "--dir", "none")
    assert empty.returncode == 0 and "not in none, which has no entries" in empty.stdout
    assert "only if its compilation takes 1 s or more" in empty.stdout
    assert not (shell.folder / "none").exists()
    assert "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 keeps it" in empty.stderr


def test_recordings_are_added_up_with_the_folder(filled):
    told = json.loads(filled("cache", "stats", "one.jsonl", "two.jsonl", "--json").stdout)
    (step,) = [one for one in told["functions"] if not one["internal"]]
    assert step["module"] == "jit_step" and step["definition"].startswith("program.py:")
    assert (step["use"]["hits"], step["use"]["misses"], step["use"]["written"]) == (1, 3, 3)
    own = [one for one in told["entries"] if one["module"] == "jit_step"]
    assert sorted(one["outcome"] for one in own) == ["hit", "written", "written"]
    assert all(one["present"] and one["bytes"] > 0 for one in own) and told["unused"] == 0
    text = filled("cache", "stats", "one.jsonl", "two.jsonl").stdout
    assert "2 recordings" in text and "jit_step" in text
    (found,) = [one["file"] for one in own if one["outcome"] == "hit"]
    (filled.folder / "cache" / found).unlink()
    again = json.loads(filled("cache", "stats", "one.jsonl", "--dir", "cache", "--json").stdout)
    assert [one["present"] for one in again["entries"] if one["file"] == found] == [False]
    assert again["unused"] == len(told["entries"]) - len(again["entries"]) > 0
    assert filled("cache", "stats", "program.py").returncode == 3
