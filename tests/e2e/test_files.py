"""Files as targets, by the installed command."""

import json
import os
import signal
import subprocess
import time
from itertools import pairwise

import pytest

CALL = ("-s", "8,16", "-s", "16,4")
ARRAY = "tensor<64x64xf32>"
PRODUCT = "samples.mlp:loss_fn"


@pytest.fixture
def exported(shell):
    shown = shell("export", PRODUCT, *CALL, "-o", "loss.jaxexport", "--json")
    assert shown.returncode == 0 and "wrote loss.jaxexport" in shown.stderr
    return json.loads(shown.stdout)["exported"]


def test_a_function_is_exported_and_read_again(shell, exported):
    again = shell("export", "loss.jaxexport", "--json")
    assert json.loads(again.stdout)["exported"] == exported | {"file": "loss.jaxexport"}
    assert [one["path"] for one in exported["arguments"]] == ["x", "w"]
    shown = shell("export", "loss.jaxexport").stdout
    for text in ("function      loss_fn", "platforms     cpu", "custom calls  none", "x         f32[8,16]"):
        assert text in shown


def test_its_hlo_is_that_of_the_function(shell, exported):
    of_file, of_function = shell("hlo", "loss.jaxexport"), shell("hlo", PRODUCT, *CALL)
    assert of_file.returncode == 0 and of_file.stdout == of_function.stdout
    assert "compile" in of_file.stderr and "samples/mlp.py:19" in of_file.stderr


def test_what_cannot_be_had_is_told(shell, exported):
    (shell.folder / "damaged.jaxexport").write_bytes((shell.folder / "loss.jaxexport").read_bytes()[:-40])
    (shell.folder / "picture.mlir").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    os.mkfifo(shell.folder / "pipe.hlo")
    cases = [
        (("jaxpr", "loss.jaxexport"), 6, "a file has no jaxpr"),
        (("hlo", "los.jaxexport"), 3, "no such file: los.jaxexport\nhint:  did you mean loss.jaxexport?"),
        (("hlo", "loss.jaxexport", "-s", "8"), 2, "whose arguments are known"),
        (("hlo", "damaged.jaxexport"), 3, "damaged.jaxexport cannot be read: it is cut off"),
        (("cost", "picture.mlir"), 3, "of no kind that can be inspected"),
        (("cost", "pipe.hlo"), 3, "not a regular file"),
        (("export", "picture.mlir"), 3, "of no kind that can be inspected"),
        (("export", PRODUCT, *CALL), 2, "export writes a file\nhint:  -o step.jaxexport"),
        (("export", PRODUCT, *CALL, "-o", "x.json"), 2, "what is written is no report"),
    ]
    for words, code, told in cases:
        shown = shell(*words)
        assert (shown.returncode, shown.stdout) == (code, ""), words
        assert told in shown.stderr and "Traceback" not in shown.stderr


def test_ctrl_c_leaves_nothing(shell, exported, tmp_path_factory):
    """Also of the process that compiles the file."""
    folder = tmp_path_factory.mktemp("temporary")
    names = ["%arg0", *(f"%{at}" for at in range(4000))]
    lines = (f"{made} = stablehlo.sine {of} : {ARRAY}" for of, made in pairwise(names))
    head = f"module @jit_f {{ func.func public @main(%arg0: {ARRAY}) -> {ARRAY} {{"
    text = "\n".join([head, *lines, f"return {names[-1]} : {ARRAY} }} }}"])
    (shell.folder / "long.mlir").write_text(text)
    command = subprocess.Popen(
        [shell.command, "passes", "long.mlir"],
        cwd=shell.folder,
        env={**shell.environ, "TMPDIR": str(folder)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    while not any(folder.glob("*/jitinspect-*")):  # of XLA's dump, in that of the process
        assert command.poll() is None
        time.sleep(0.05)
    command.send_signal(signal.SIGINT)
    printed = command.communicate(timeout=300)
    assert command.returncode == 130 and b"Traceback" not in printed[1]
    assert not any(folder.iterdir())


def test_native_chatter_is_for_v(shell, exported):
    content = (shell.folder / "loss.jaxexport").read_bytes()
    at = content.index(b"ML\xefR") + 300
    (shell.folder / "changed.jaxexport").write_bytes(content[:at] + b"\xff\xff\xff" + content[at + 3 :])
    quiet, loud = shell("hlo", "changed.jaxexport"), shell("hlo", "-v", "changed.jaxexport")
    assert quiet.returncode == loud.returncode == 3
    assert len(quiet.stderr.splitlines()) == 1 and len(loud.stderr.splitlines()) > 1
