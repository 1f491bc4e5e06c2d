"""`cache`: JAX's persistent compilation cache, looked into. The commands are short, as in `cli.commands`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from jitinspect.cli.help import Command, Group
from jitinspect.cli.options import CacheOrder, OutputOptions, grouped

HELP = "Look into JAX's persistent compilation cache: what it holds, what is sound, what can go."

Folder = Annotated[
    Path | None,
    typer.Option("--dir", metavar="DIR", help="The cache folder; without it, the one that JAX would use."),
]
Module = Annotated[
    str,
    typer.Option("--module", metavar="PATTERN", help="Only these modules: jit_step, step, 'train_*'."),
]
OlderThan = Annotated[
    str, typer.Option("--older-than", metavar="TIME", help="Only entries written longer ago: 12h, 7d, 4w.")
]
LargerThan = Annotated[
    str, typer.Option("--larger-than", metavar="SIZE", help="Only entries whose file is larger: 500kB, 1MB.")
]


def ls(
    output: OutputOptions,
    folder: Folder = None,
    module: Module = "",
    older_than: OlderThan = "",
    larger_than: LargerThan = "",
    sort: Annotated[
        CacheOrder,
        typer.Option("--sort", help="By module, size, age, compile time, or last use."),
    ] = CacheOrder.module,
) -> None:
    """List the entries: module, size, age, compile time, where it came from, and whether it loads here.

    Needs no JAX.
    """
    from jitinspect.cli.cache_requests import filter_of, ls_core, tell_notes
    from jitinspect.cli.output import emitted

    chosen = filter_of(module, older_than, larger_than)
    with emitted(output) as emit:
        report = ls_core(folder, chosen, sort, output)
        emit(report)
    tell_notes(report, output)


COMMANDS: tuple[Callable[..., None], ...] = (ls,)


def group() -> typer.Typer:
    """The commands, as one of `jitinspect`'s."""
    app = typer.Typer(name="cache", help=HELP, cls=Group, rich_markup_mode=None)

    @app.callback(invoke_without_command=True)
    def shown(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help(), color=context.color)

    for command in COMMANDS:
        app.command(command.__name__, cls=Command)(grouped(command))
    return app
