"""The entry point of the command line: parse, run, and turn every failure into its exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from jitinspect import __version__
from jitinspect.cli import commands, streams
from jitinspect.cli.help import WIDTH, Group
from jitinspect.errors import INTERRUPTED, JitinspectError, UsageError

app = typer.Typer(
    name="jitinspect",
    help="Inspect how JAX traces, lowers and compiles a function.",
    cls=Group,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"jitinspect {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _global(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Print the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), color=context.color)


commands.register(app, sys.argv[1:2])


def run(argv: list[str]) -> int:
    """Run one command line. Returns its exit code; that of the error, if any (`jitinspect.errors`)."""
    streams.replace_closed()
    try:
        return app(argv, prog_name="jitinspect", standalone_mode=False) or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except JitinspectError as error:
        return _report(error, argv)
    except Exception as error:
        return _unexpected(error, argv)


def _report(error: JitinspectError, argv: list[str]) -> int:
    from jitinspect.cli.output import report_error

    return report_error(error, argv)


def _unexpected(error: Exception, argv: list[str]) -> int:
    """Typer's own complaints about the command line are usage errors; anything else is a bug of ours."""
    if hasattr(error, "format_message"):
        command = getattr(getattr(error, "ctx", None), "command_path", "jitinspect")
        return _report(UsageError(error.format_message(), hint=f"{command} --help"), argv)
    from jitinspect.cli.faults import as_known

    return _report(as_known(error), argv)
