"""Values that need no conversion, and the others."""

import subprocess
import sys

import pytest
import typer
from typer.core import TyperCommand
from typer.main import get_command

from jitinspect.cli.help import Command
from jitinspect.cli.options import Color, DeviceOptions, OutputOptions, TargetOptions, grouped


def test_options_are_read_without_importing_pydantic():
    words = [sys.executable, "-X", "importtime", "-m", "jitinspect", "ls", "not_there"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "| typer" in done.stderr
    assert "pydantic" not in done.stderr


def everything(target: TargetOptions, device: DeviceOptions, output: OutputOptions, times: int = 3):
    received.append((target, device, output, times))


received = []
LINES = [
    "m:f",
    "m:f -s 8,8 --shape f32[3] -a x=1 --dtype bf16 --values --timeout 2 --times 7",
    "m:f --color never -o out.html --no-pager --json -q",
    "m:f --color NEVER",
    "m:f --color blue",
    "m:f --timeout -1",
    "m:f --times x",
    "m:f -s 8…8 --mesh däta=2",
    "m:\udcff",
    "-s 8,8",
    "m:f --output",
    "m:f extra",
]


@pytest.mark.parametrize("line", LINES)
def test_values_that_are_not_converted_are_those_that_typer_would_give(line):
    ours, typers = (outcome(kind, line.split()) for kind in (Command, TyperCommand))
    assert ours == typers


def test_values_have_the_types_that_the_options_say():
    outcome(Command, LINES[1].split())
    target, device, output, times = received[-1]
    assert (target.shape, target.dim, target.args_from) == (["8,8", "f32[3]"], [], None)
    assert (device.timeout, output.color, times) == (2.0, Color.auto, 7)


def outcome(kind, words):
    """What the command got, or the error, with the type of each value."""
    app = typer.Typer()
    app.command(cls=kind)(grouped(everything))
    received.clear()
    try:
        get_command(app).main(words, "jitinspect", standalone_mode=False)
    except Exception as error:
        return type(error).__name__, str(getattr(error, "message", error))
    return repr(received)
