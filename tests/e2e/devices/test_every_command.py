"""Each command that takes `--target`, once for a TPU and a GPU."""

import json
import re

import pytest

from jitinspect.model.base import SCHEMA
from tests.support.measured import one_of_three_runs

LOSS = ("samples.mlp:loss_fn", "-t", "grad", "-s", "128,784", "-s", "784,256")
COMMANDS = {
    "stablehlo": r"module @jit_loss_fn[\s\S]*stablehlo\.dot_general",
    "hlo": r"HloModule jit_loss_fn[\s\S]*ROOT ",
    "show": r"== jaxpr [\s\S]*== stablehlo [\s\S]*== hlo .* for (v5e|h100) ==",
    "source": r"return jnp\.mean\(jnp\.tanh\(x @ w\) \*\* 2\) .*\d",
    "cost": r"FLOPs +\d+(\.\d)? M[\s\S]*buffers\n",
    "fit": r"fits on (v5e|h100): [\d.]+ MB of [\d.]+ GB[\s\S]*buffers at the peak[\s\S]* x\b",
    "donation": r"x +f32\[128,784\] .* not donated; would save",
    "constants": r"no constant",
    "compile-time": r"compile, by phase[\s\S]*code generation[\s\S]*by line\n[\s\S]*samples/mlp\.py:22",
    "passes": r"algsimp[\s\S]*fusion[\s\S]*passes, \d+ changed",
}
DEVICES = pytest.mark.parametrize("device", ["v5e", "h100"])


@pytest.fixture(scope="module")
def ran():
    """What a command says for a device, in 160 columns: compiled once for all tests of it."""
    finished = {}

    def run(shell, command, device):
        if (command, device) not in finished:
            finished[command, device] = shell(command, *LOSS, "--target", device, COLUMNS="160")
        return finished[command, device]

    return run


@DEVICES
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(shell, needs, ran, command, device):
    needs(device)
    finished = ran(shell, command, device)
    assert finished.returncode == 0, finished.stderr
    assert re.search(COMMANDS[command], finished.stdout), finished.stdout
    said = finished.stdout + finished.stderr
    assert "no device was involved" in said or command == "stablehlo"


@DEVICES
@pytest.mark.parametrize("command", ["hlo", "cost", "fit", "source"])
def test_a_report_is_one_document_that_view_prints_again(shell, needs, ran, command, device):
    needs(device)
    written = shell(command, *LOSS, "--target", device, "-o", "report.json")
    assert written.returncode == 0, written.stderr
    report = json.loads((shell.folder / "report.json").read_text())
    assert report["schema"] == SCHEMA and report["target"]["devices"][0]["name"] == device
    assert shell("view", "report.json", COLUMNS="160").stdout == ran(shell, command, device).stdout != ""


@DEVICES
@one_of_three_runs
def test_the_phases_of_a_compilation_are_all_of_it(shell, needs, device):
    """Also where the compiler works in threads of its own, and is waited for."""
    needs(device)
    written = shell("compile-time", *LOSS, "--target", device, "--json")
    assert written.returncode == 0, written.stderr
    found = json.loads(written.stdout)["compile_time"]
    seconds = found["wall_seconds"]["compile"]
    assert sum(one["seconds"] for one in found["phases"]) == pytest.approx(seconds, rel=0.05)
    assert sum(one["seconds"] for one in found["kernels"]) < seconds
    if device == "v5e":  # CUDA's events do not name most kernels
        assert any("samples/mlp.py:22" in one["lines"] for one in found["kernels"])


def test_several_devices_are_inspected_in_turn(shell, tpu):
    finished = shell("hlo", *LOSS, "--target", "v5e", "--target", "v6e")
    assert re.findall(r"^== hlo .* for (\w+) ==$", finished.stdout, re.MULTILINE) == ["v5e", "v6e"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("hlo", *LOSS, "--target", "v5x"), 2, "no device is called 'v5x'"),
        (("hlo", *LOSS, "--target", "v5e:3x3"), 2, "no slice 3x3"),
        (("hlo", *LOSS, "--target", "v5e:2x2"), 2, "v5e:2x2 has 4 devices, there is no --mesh"),
        (("hlo", *LOSS, "--target", "v5e:2x2", "--mesh", "data=8"), 2, "--mesh data=8 has 8"),
        (("hlo", *LOSS, "--target", "v5e", "--mesh", "data=2"), 2, "--mesh data=2 has 2"),
        (("hlo", *LOSS, "--full"), 2, "--full needs --target"),
        (("source", *LOSS, "--target", "v5e", "--target", "v6e"), 2, "takes one --target"),
        (("fit", *LOSS), 2, "fit needs a device"),
        (("stablehlo", *LOSS, "--target", "v5e", "--platform", "tpu"), 2, "cannot be combined"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, tuple) else "",
)
def test_bad_words_are_told(shell, tpu, words, code, told):
    finished = shell(*words)
    assert (finished.returncode, finished.stdout) == (code, "") and told in finished.stderr, finished.stderr


def test_two_devices_are_compared(shell, tpu):
    finished = shell("diff", *LOSS, "--target", "v5e", "--vs", "--target v2")
    assert finished.returncode == 0, finished.stderr
    assert re.match(r"- \S+.* for v5e\n\+ \S+.* for v2\n\nhlo  \d+ → \d+ instructions", finished.stdout)
    assert finished.stderr.count("no device was involved") == 2
    assert shell("diff", *LOSS, "--target", "v5e", "--vs", "--target v5e", "--exit-code").returncode == 0


def test_a_golden_report_is_made_again_for_its_device(shell, tpu):
    for more in ((), ("--target", "v5e")):
        assert shell("diff", *LOSS, *more, "--golden", "golden", "--update").returncode == 0
    assert len(list((shell.folder / "golden").iterdir())) == 2
    finished = shell("diff", "--golden", "golden")
    assert finished.returncode == 0 and finished.stdout.count("same ") == 2, finished.stdout


def test_costs_of_devices_stand_side_by_side(shell, needs, tpu):
    needs("h100")
    finished = shell("cost", *LOSS, "--target", "v5e", "--target", "h100")
    assert re.findall(r"(v5e|h100)$", finished.stdout, re.MULTILINE) == ["v5e", "h100"]
    assert finished.stdout.count("no device was involved") == 2 and "not a prediction" in finished.stdout


LAYERS = """
import jax, jax.numpy as jnp
def step(w, x):
    return jax.grad(lambda w: jnp.sum(jnp.tanh(jnp.tanh(x @ w) @ w)))(w)
"""
SEARCH = ("layers:step", "-s", "f32[8192,8192]", "-s", "f32[B,8192]", "--target", "v5e", "--dim")


def test_the_largest_size_fits_and_the_next_one_is_refused(shell, tpu):
    shell.write("layers.py", LAYERS)
    found = json.loads(shell("fit", *SEARCH, "B=1024..1048576:1024", "--json").stdout)["fit"][0]
    largest, refused = found["largest"]["B"], found["refused_size"]
    assert refused == largest + 1024 and len(found["steps"]) <= 12
    assert {step["size"]: step["fits"] for step in found["steps"]}.items() >= {
        largest: True,
        refused: False,
    }.items()
    for size, fits in ((largest, True), (refused, False)):
        one = shell("fit", *SEARCH, f"B={size}", "--full", "--json", "--exit-code")
        assert one.returncode == (not fits) and json.loads(one.stdout)["fit"][0]["fits"] == fits


def test_what_does_not_fit_is_told_with_what_takes_the_memory(shell, tpu):
    shell.write("layers.py", LAYERS)
    refused = shell("fit", *SEARCH, "B=1048576", COLUMNS="140")
    assert refused.returncode == 0 and "does not fit on v5e: " in refused.stdout
    assert "the compiler says: " in refused.stdout and re.search(
        r"f32\[1048576,8192\] .*layers.py:4", refused.stdout
    )
    other = shell("hlo", *SEARCH, "B=1048576")
    assert other.returncode == 5 and "jitinspect fit" in other.stderr and other.stderr.count("\n") < 6


@DEVICES
@pytest.mark.parametrize("call", [("none",), ("twice", "-a", "2.0")], ids=["no argument", "a number"])
def test_without_an_array_it_is_compiled_for_the_device_too(shell, needs, device, call):
    needs(device)
    shell.write(
        "plain.py",
        "import jax.numpy as jnp\ndef none(): return jnp.ones((8, 8)) * 2\ndef twice(x): return x * 2\n",
    )
    text = shell("hlo", f"plain:{call[0]}", *call[1:], "--target", device, "--raw").stdout
    assert {"v5e": "T(", "h100": "fingerprint_before_lhs"}[
        device
    ] in text and "wrapped_" not in text.partition("ENTRY")[2]
