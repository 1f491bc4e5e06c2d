"""Each command once, on a small sample, in an interpreter of its own: what holds on every supported JAX."""

import json
import re

import jax
import pytest
import typer

from jitinspect.cli.commands import register
from tests.e2e.conftest import COMMAND

LOSS = ("samples.mlp:loss_fn", "-s", "4,784", "-s", "784,10")
SHARDED = ("samples.mlp:loss_fn", "-s", "f32[4,784]@P('data',None)", "-s", "784,10", "--mesh", "data=2")
COMMANDS = {
    "jaxpr": (LOSS, r"\{ lambda ; a:f32\[4,784\] b:f32\[784,10\]\. let"),
    "stablehlo": (LOSS, r"module @jit_loss_fn[\s\S]*stablehlo\.dot_general"),
    "hlo": (LOSS, r"HloModule jit_loss_fn[\s\S]*ROOT "),
    "llvm": (LOSS, r"; kernel \S+[\s\S]*define "),
    "asm": (LOSS, r"; kernel \S+[\s\S]*\bret\b"),
    "key": (LOSS, r"argument +x: f32\[4,784\][\s\S]*on disk +jit_loss_fn-[0-9a-f]{64}"),
    "show": (LOSS, r"== jaxpr [\s\S]*== stablehlo [\s\S]*== hlo [\s\S]*in memory"),
    "explore": ((*LOSS, "-o", "/dev/stdout"), r"\d+ +\d+  samples/mlp\.py\n[\s\S]*  jaxpr\n[\s\S]*  asm\n"),
    "source": (LOSS, r"return jnp\.mean\(jnp\.tanh\(x @ w\) \*\* 2\)"),
    "diff": (("samples.mlp:predict", *LOSS), r"hlo +\d+ → \d+ instructions"),
    "cost": (LOSS, r"FLOPs +62\.8 k +62\.8 k[\s\S]*buffers"),
    "collectives": (SHARDED, r"each device moves [\s\S]*all-reduce +data"),
    "sharding": (SHARDED, r"x +f32\[4,784\] +P\('data', None\) +\[2,784\]"),
    "donation": (LOSS, r"x +f32\[4,784\] .* not donated"),
    "constants": (LOSS, r"no constant"),
    "passes": (LOSS, r"algsimp[\s\S]*fusion"),
    "compile-time": (LOSS, r"compile +\S+ \S+ +\d+%[\s\S]*by phase[\s\S]*LLVM[\s\S]*by kernel"),
    "profile": (LOSS, r"the rest [\s\S]*return jnp\.mean\(jnp\.tanh\(x @ w\) \*\* 2\)[\s\S]*by operation"),
    "trace-cache": (("samples/seed.calls",), r"6 calls · 4 compilations · 4 cache entries · 2 cache hits"),
    "run": (("samples/recompiles/settings.py",), r"5 compilations[\s\S]*jax_enable_x64: False → True"),
    "summary": (("run.jitrec",), r"5 compilations"),
    "export": ((*LOSS, "-o", "loss.jaxexport"), r"function +loss_fn[\s\S]*x +f32\[4,784\]"),
    "ls": (("samples.mlp",), r"predict +jax\.jit +training"),
    "doctor": ((), rf"jax +{re.escape(jax.__version__)}\n"),
    "view": (("report.json",), r"\{ lambda ; a:f32\[4,784\]"),
    "cache": (("ls", "--dir", "samples"), r"0 entries · 0 B · \d+ other files"),
}
"""Arguments, and what must stand in the output: on stderr for `run`, whose stdout is the program's."""

LACKING: dict[str, tuple[str, ...]] = {}
"""The beginning of a version → the commands for which that JAX has not what they read: exit code 6."""

FOR_ABSENT_DEVICES = {"fit"}
"""Tested where there is a compiler for one."""
MADE_BEFORE = {
    "summary": ("run", "--record", "run.jitrec", "samples/recompiles/settings.py"),
    "view": ("jaxpr", *LOSS, "-o", "report.json"),
}


def is_lacking(command):
    return any(jax.__version__.startswith(begin) and command in told for begin, told in LACKING.items())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(shell, command):
    if command in MADE_BEFORE:
        assert shell(*MADE_BEFORE[command]).returncode == 0
    arguments, essential = COMMANDS[command]
    finished = shell.run([str(COMMAND), command, *arguments], COLUMNS="160")
    if is_lacking(command):
        assert finished.returncode == 6 and finished.stderr.startswith("error: ")
        return
    assert finished.returncode == 0, finished.stderr
    assert re.search(essential, finished.stderr if command == "run" else finished.stdout), finished.stdout


def test_no_command_is_left_out():
    app = typer.Typer()
    register(app)
    names = {command.name for command in app.registered_commands}
    names |= {group.typer_instance.info.name for group in app.registered_groups}
    assert names == {*COMMANDS, *FOR_ABSENT_DEVICES}


def test_the_doctor_finds_no_reading_missing(shell):
    readings = json.loads(shell("doctor", "--json").stdout)["readings"]
    assert readings and not [one for one in readings if not one["available"]]


def test_the_doctor_lists_the_devices_that_can_be_targets(shell):
    targets = {one["name"]: one for one in json.loads(shell("doctor", "--json").stdout)["targets"]}
    assert {"v5e", "tpu7x", "h100"} <= {*targets}
    assert targets["v5e"]["kind"] == "TPU v5 lite" and targets["v5e"]["memory"] == 2**34
    for one in targets.values():
        assert one["available"] == (one["why"] is None) == (one["install"] is None)
        assert one["available"] or one["install"].startswith("pip install 'jitinspect[")
    text = shell("doctor").stdout
    for one in targets.values():
        assert re.search(
            rf"^--target {one['name']} +{'yes' if one['available'] else 'no'} ", text, re.MULTILINE
        )
        assert one["available"] or f"\n  {one['install']}\n" in text
