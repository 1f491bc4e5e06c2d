"""Every command of the README is run, and on the pinned JAX what it prints is compared."""

import doctest
import platform
import re
import shutil

import jax
import pytest

from tests import pictures
from tests.e2e.conftest import ROOT, Shell

PINNED = "0.10."
"""The JAX whose texts the README shows."""

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
CACHED = "JAX_COMPILATION_CACHE_DIR=cache JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0"
FAILS = ("normalise", "f32[128 784]", "samples.mlp:layer")


def sessions():
    """Pairs of a command and the output that is shown below it; empty where none is."""
    for block in BLOCKS:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command.split("  #")[0].strip(), shown


LOSS = "samples.mlp:loss_fn --shape 128,784 --shape 784,256 -q"
SESSIONS = list(sessions())
HERE = [(command, shown) for command, shown in SESSIONS if "--target" not in command]


OF_CACHE = [(command, shown) for command, shown in HERE if command.startswith("jitinspect cache")]


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """One folder for all commands on a cache, with what the README has put into it."""
    folder = tmp_path_factory.mktemp("cached")
    shutil.copytree(ROOT / "samples", folder / "samples")
    shell = Shell(folder)
    shell.sh(f"{CACHED} python samples/recompiles/last_batch.py")
    shell.sh("mkdir one; cp $(ls cache/jit_loss-*-cache | head -1) one")
    return shell


@pytest.mark.parametrize(("command", "shown"), OF_CACHE, ids=[command for command, _ in OF_CACHE])
def test_a_command_on_the_cache_does_what_the_readme_shows(cached, command, shown):
    if "cache stats" in command:
        cached.sh(f"{CACHED} jitinspect run -q --record rec.jsonl samples/recompiles/last_batch.py")
    finished = cached.typed(command)
    assert finished.returncode == 0, finished.stdout
    check_shown(shown, finished.stdout)


OTHERS = [session for session in HERE if session not in OF_CACHE]


@pytest.mark.parametrize(("command", "shown"), OTHERS, ids=[command for command, _ in OTHERS])
def test_a_command_of_the_readme_does_what_it_shows(shell, command, shown):
    if "view" in command:
        shell.typed("jitinspect jaxpr samples.mlp:normalize --shape 128,784 -o report.json")
    if "summary" in command:
        shell.forked("run", "-q", "--record", "rec.jsonl", "samples/recompiles/last_batch.py")
    if "loss.hlo" in command:
        shell.typed(f"jitinspect hlo --raw {LOSS} -o loss.hlo")
    if "dump/" in command:
        shell("hlo", *LOSS.split(), XLA_FLAGS="--xla_dump_to=dump")
    if command.endswith("loss.jaxexport"):
        shell.typed("jitinspect export samples.mlp:loss_fn -s 8,8 -s 8,8 -o loss.jaxexport")
    if "--against" in command:
        saved = command.partition("--against")[0].replace("784,255", "784,256")
        shell.sh(f"XLA_FLAGS=--xla_cpu_enable_fast_math=true {saved} --save key.json")
    finished = shell.typed(command)
    assert (finished.returncode == 0) != any(word in command for word in FAILS), finished.stdout
    check_shown(shown, finished.stdout)


def check_shown(shown, printed):
    """How long something took, `... ms` in the README, may be seconds on another machine."""
    assert printed
    if jax.__version__.startswith(PINNED) and shown:
        wanted = shown.replace("... ms", "...")
        assert doctest.OutputChecker().check_output(
            wanted, printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        ), printed


@pytest.mark.skipif(
    not jax.__version__.startswith(PINNED) or platform.machine() != "x86_64",
    reason="XLA compiles otherwise for another processor, and in another version",
)
@pytest.mark.parametrize("picture", pictures.PICTURES, ids=lambda picture: picture.name)
def test_a_picture_of_the_readme_is_current(picture):
    assert picture.path.read_text() == pictures.made(picture), "python tests/pictures.py makes it anew"
    assert f"({picture.path.relative_to(ROOT)})" in README


def test_a_picture_needs_nothing_else():
    for picture in pictures.PICTURES:
        drawn = picture.path.read_text()
        assert not re.search(r"url\(|href|@import|@font-face|<script", drawn)
        assert drawn.count("http") == 1, "the name of SVG itself"


def test_the_readme_names_every_command(shell):
    help_text = shell("--help").stdout
    named = {command.split()[1] for command, _ in SESSIONS}
    assert named == {name for name in re.findall(r"^  (\w[\w-]+)  ", help_text, re.MULTILINE)}


def test_the_readme_tells_every_exit_code():
    from jitinspect import errors

    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type)}
    table = README.partition("| exit code |")[2].partition("\n\n")[0]
    assert set(map(int, re.findall(r"^\| (\d+) \|", table, re.MULTILINE))) == codes | {0}
