"""A JAX that is too old, too new, broken or missing is told in one line. A package of that name stands for
it: what is refused is refused before anything of JAX is used.
"""

import json
import os

import pytest

from jitinspect.jaxapi import version
from tests.e2e.test_every_command import COMMANDS, MADE_BEFORE

WORKS = "jax 0.8 to 0.12"
NO_JAX_NEEDED = {"summary", "view", "ls", "cache"}
"""Recordings, saved reports and entries of the cache are read without JAX, and what is jitted is told by the
names of types.
"""
OLD = '__version__ = "0.7.2"'
NEW = '__version__ = "99.0"'
MISSING = 'raise ModuleNotFoundError("No module named \'jax\'", name="jax")'
WITHOUT_JAXLIB = 'raise ModuleNotFoundError("jax requires jaxlib to be installed. See …", name="jaxlib")'
MISMATCHED = (
    'raise RuntimeError("jaxlib version 0.7.2 is newer than and incompatible with jax version 0.7.1")'
)


@pytest.fixture
def with_jax(shell):
    """The command, with a `jax` of the test's own; `number` is what its `version.py` says."""

    def make(text, number=None):
        (shell.folder / "other" / "jax").mkdir(parents=True)
        shell.write("other/jax/__init__.py", f"{text}\n")
        if number is not None:
            shell.write("other/jax/version.py", f'_version = "{number}"\n')
        before = shell.environ.get("PYTHONPATH", "")
        shell.environ["PYTHONPATH"] = f"{shell.folder / 'other'}{os.pathsep}{before}".rstrip(os.pathsep)
        return shell

    return make


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in NO_JAX_NEEDED])
def test_an_old_jax_is_refused_by_every_command(with_jax, command):
    shell = with_jax(OLD, "0.7.2")
    finished = shell(command, *COMMANDS[command][0])
    assert finished.returncode == 6 and not finished.stdout
    assert finished.stderr == (
        f"error: jax 0.7.2 is too old for jitinspect: it works with {WORKS}\nhint:  pip install 'jax>=0.8'\n"
    )


def test_what_needs_no_jax_works_beside_an_old_one(shell, with_jax):
    assert shell(*MADE_BEFORE["view"]).returncode == 0
    assert with_jax(OLD, "0.7.2")("view", "report.json").returncode == 0


@pytest.mark.parametrize(
    ("text", "number", "said", "hint"),
    [
        (
            NEW,
            "99.0",
            f"jax 99.0 is newer than what jitinspect was tested with, {WORKS}, and does not",
            "jax<0.13",
        ),
        (
            "import jax.gone",
            "99.0",
            f"jax 99.0 is newer than what jitinspect was tested with, {WORKS}",
            "jax<0.13",
        ),
        (MISSING, None, f"jax is not installed: jitinspect works with {WORKS}", "pip install jax"),
        (WITHOUT_JAXLIB, "0.10.2", "cannot import jax 0.10.2: jax requires jaxlib", "jax jaxlib"),
        (MISMATCHED, "0.8.0", "cannot import jax 0.8.0: jaxlib version 0.7.2 is newer", "jax jaxlib"),
        (MISMATCHED, "0.7.1", f"jax 0.7.1 is too old for jitinspect: it works with {WORKS}", "jax>=0.8"),
        ("", None, "is called jax, but is not JAX", "rename"),
    ],
    ids=[
        "new",
        "new, not importable",
        "missing",
        "no jaxlib",
        "another jaxlib",
        "old, not importable",
        "not JAX",
    ],
)
def test_each_is_told_for_what_it_is(with_jax, text, number, said, hint):
    shell = with_jax(text, number)
    for command in ("hlo", "trace-cache", "doctor"):
        finished = shell(command, *COMMANDS[command][0])
        assert finished.returncode == 6, finished.stderr
        error, advice = finished.stderr.splitlines()
        assert error.startswith("error: ") and said in error
        assert advice.startswith("hint: ") and hint in advice


@pytest.mark.parametrize(
    ("text", "number"), [(OLD, "0.7.2"), (NEW, "99.0"), (MISSING, None), ("1 / 0", None)]
)
def test_a_worker_that_was_started_ahead_says_nothing_of_its_own(with_jax, text, number):
    """It meets that JAX, too; the compiler may be what is told to be missing."""
    call = (*COMMANDS["hlo"][0], "--target", "v5e")
    finished = with_jax(text, number)("hlo", *call)
    assert finished.returncode == 6 and not finished.stdout
    assert [line.partition(":")[0] for line in finished.stderr.splitlines()] == ["error", "hint"]


@pytest.mark.parametrize(("text", "number"), [(OLD, "0.7.2"), (NEW, "99.0")])
def test_with_json_it_is_a_document(with_jax, text, number):
    finished = with_jax(text, number)("cost", *COMMANDS["cost"][0], "--json")
    document = json.loads(finished.stdout)
    assert (document["command"], document["error"]["kind"]) == ("cost", "unavailable")
    assert document["error"]["exit_code"] == finished.returncode == 6
    assert f"jax {number} is" in document["error"]["message"]


@pytest.mark.parametrize("name", ["watch", "inspect"])
@pytest.mark.parametrize(("text", "number"), [(OLD, "0.7.2"), (NEW, "99.0"), (MISSING, None)])
def test_python_gets_an_error_of_jitinspects(with_jax, text, number, name):
    shell = with_jax(text, number)
    told = shell.python(
        f"from jitinspect.errors import UnavailableError\n"
        f"try:\n    from jitinspect import {name}\n"
        f"except UnavailableError as error:\n    print(error.message)\n"
    )
    assert WORKS in told and "jax" in told


PROGRAM = "import jax\nprint('ran to its end')\n"


def test_a_program_is_not_begun_where_it_could_not_be_watched(with_jax):
    shell = with_jax(OLD, "0.7.2")
    shell.write("prog.py", PROGRAM)
    finished = shell("run", "prog.py")
    assert finished.returncode == 6 and "ran" not in finished.stdout


def test_a_program_runs_though_its_jax_is_too_new_to_be_watched(with_jax):
    shell = with_jax(NEW, "99.0")
    shell.write("prog.py", PROGRAM)
    finished = shell("run", "prog.py")
    assert (finished.returncode, finished.stdout) == (0, "ran to its end\n")
    assert "error: jax 99.0 is newer" in finished.stderr and "Traceback" not in finished.stderr
    assert shell("run", "--max-compiles", "3", "prog.py").returncode == 6


def test_the_oldest_that_is_taken_is_the_one_that_is_required():
    pyproject = (version.Path(version.jitinspect.__file__).parents[1] / "pyproject.toml").read_text()
    oldest = ".".join(map(str, version.OLDEST))
    assert f'"jax>={oldest}", "jaxlib>={oldest}"' in pyproject
