"""Which command lines have a worker started ahead of the command."""

import typer

from jitinspect.cli import commands
from jitinspect.cli.ahead import COMMANDS


def test_all_commands_that_take_a_target():
    app = typer.Typer()
    commands.register(app)
    made = typer.main.get_command(app).commands
    takes = {
        name
        for name, command in made.items()
        for option in command.params
        if "--target" in option.opts and not option.hidden
    }
    assert takes == COMMANDS
