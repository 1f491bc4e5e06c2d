"""`cache`: its commands on a folder, as they are typed: exit codes, streams, JSON, and JAX left alone."""

import json
import os
import re
import sys

import pytest

from tests.support.cache_entries import tables, write
from tests.support.cached import cache_in


@pytest.fixture
def folder(shell):
    made = shell.folder / "cache"
    made.mkdir()
    write(made, "jit_step", "0" * 64, age=3 * 86400, seconds=2, index=tables())
    write(made, "jit_loss", "1" * 64, age=40 * 86400, platform="rocm", filling=bytes(range(256)) * 40)
    write(made, "jit_cut", "2" * 64, age=60 * 60, content=b"\x78\x9c\x01")
    os.mkfifo(made / "odd-cache")
    os.utime(made / "odd-cache", (1e9, 1e9))
    return made


def test_ls_prints_the_table_and_tells_on_stderr_what_jax_does_not(shell, folder):
    finished = shell("cache", "ls", "--dir", "cache")
    assert finished.returncode == 0
    assert re.search(r"3 d +2 s +yes +cpu +jit_step +/a/train\.py:8\n", finished.stdout)
    assert "4 entries · " in finished.stdout and "odd-cache: it is a FIFO" in finished.stdout
    assert "note  what compiles in less than 1 s is not written" in finished.stderr
    assert not shell("cache", "ls", "--dir", "cache", "-q").stderr


def test_ls_filters_sorts_and_gives_json(shell, folder):
    told = shell("cache", "ls", "--dir", "cache", "--json", "--sort", "age", "--older-than", "2h")
    assert told.returncode == 0 and not told.stderr
    document = json.loads(told.stdout)
    assert document["command"] == "cache ls" and document["cache"]["folder"] == "cache"
    assert [entry["module"] for entry in document["cache"]["entries"]] == ["jit_step", "jit_loss", "odd"]
    assert {"file", "module", "bytes", "age_seconds", "compile_seconds", "platform", "loadable", "why_not",
            "source"} <= {*document["cache"]["entries"][0]}  # fmt: skip
    assert document["cache"]["totals"]["entries"] == 3
    assert document["cache"]["whole"]["entries"] == 4


def test_the_folder_is_the_one_that_jax_would_use_and_jax_is_not_imported(shell, folder):
    program = (
        "import sys; from jitinspect.cli.main import run; code = run(['cache', 'ls', '-q']);"
        "sys.exit(code or 10 * any(name in sys.modules for name in ('jax', 'jaxlib', 'numpy')))"
    )
    finished = shell.run([sys.executable, "-c", program], JAX_COMPILATION_CACHE_DIR=str(folder))
    assert finished.returncode == 0 and "jit_step" in finished.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("ls",), 2, "JAX_COMPILATION_CACHE_DIR"), (("ls", "--dir", "none"), 3, "none: no such file"),
        (("ls", "--dir", "cache", "--sort", "colour"), 2, "colour"),
        (("prune", "--dir", "cache"), 2, "say which"), (("nonsense",), 2, "nonsense"),
        (("ls", "--dir", "file:///cache"), 6, "etils.epath does not know"),
        (("ls", "--dir", "cache", "-o", "page.html"), 2, "no HTML"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_has_its_exit_code(shell, folder, words, code, said):
    finished = shell("cache", *words, JAX_COMPILATION_CACHE_DIR="")
    assert finished.returncode == code and said in finished.stderr and not finished.stdout


def test_an_error_is_a_document_too(shell):
    document = json.loads(shell("cache", "ls", "--dir", "none", "--json").stdout)
    assert document["error"]["exit_code"] == 3 and document["command"] == "cache ls"


def test_prune_says_what_would_go_and_does_it_when_told_to(shell, folder):
    words = ("cache", "prune", "--dir", "cache", "--older-than", "30d")
    before = sorted(os.listdir(folder))
    asked = shell(*words)
    assert asked.returncode == 0 and "1 entry would go" in asked.stdout and "--yes" in asked.stdout
    assert sorted(os.listdir(folder)) == before
    done = json.loads(shell(*words, "--yes", "--json").stdout)
    assert [row["outcome"] for row in done["pruned"]] == ["removed"] and done["left"]["entries"] == 3
    assert before == sorted([*os.listdir(folder), f"jit_loss-{'1' * 64}-cache"])


def test_verify_opens_what_jax_wrote_and_fails_for_the_rest(shell, folder):
    import jax

    sound = shell.folder / "sound"
    with cache_in(sound):
        jax.jit(lambda x: x * 3 + 1).lower(jax.ShapeDtypeStruct((6,), "float32")).compile()
    well = shell("cache", "verify", "--dir", "sound")
    assert well.returncode == 0 and re.search(r"(\d+) entr(y|ies) · \1 opened by JAX", well.stdout), (
        well.stderr
    )
    badly = shell("cache", "verify", "--dir", "cache", "--module", "[!s]*")
    assert badly.returncode == 1 and "cannot be loaded here" in badly.stderr
    assert "jit_cut-22222222…: it is cut off" in badly.stdout
    foreign = ("cache", "verify", "--dir", "cache", "--module", "loss")
    assert shell(*foreign).returncode == 1 and shell(*foreign, "--allow-foreign").returncode == 0


def test_a_saved_report_is_printed_again(shell, folder):
    listed = shell("cache", "ls", "--dir", "cache", "-q").stdout
    assert shell("cache", "ls", "--dir", "cache", "-o", "listed.json").returncode == 0
    assert shell("view", "listed.json").stdout == listed
