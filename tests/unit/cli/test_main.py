"""What a command line that asks for little does not pay for."""

import subprocess
import sys

import typer
from typer.main import get_command

from jitinspect.cli import commands
from jitinspect.cli.help import Group

TELLS = "import sys; before = {*sys.modules}; from jitinspect.__main__ import main; main(); "
ADDED = {"__future__", "jitinspect", "jitinspect.__main__"}


def test_the_version_is_told_without_any_other_import():
    words = [sys.executable, "-c", TELLS + "print(*{*sys.modules} - before)", "--version"]
    version, added = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    assert version.startswith("jitinspect ")
    assert {*added.split()} == ADDED


def group_for(*first):
    app = typer.Typer(name="jitinspect", cls=Group, rich_markup_mode=None)
    app.callback()(lambda: None)
    commands.register(app, first)
    return get_command(app)


def test_the_list_of_commands_is_the_same_without_their_options():
    everything, listed = group_for(), group_for("--help")
    texts = [group.get_help(group.make_context("jitinspect", [])) for group in (everything, listed)]
    assert texts[0] == texts[1] and "compile-time" in texts[0] and "cache" in texts[0]
    assert any(len(command.params) > 10 for command in everything.commands.values())
    assert not any(command.params for name, command in listed.commands.items() if name != "cache")
    assert not listed.commands["cache"].commands
