"""`cache`: JAX's persistent compilation cache, looked into. The commands are short, as in `cli.commands`."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from jitinspect.cli.help import Command, Group
from jitinspect.cli.options import (
    CacheOrder,
    EntryReading,
    OutputOptions,
    Raw,
    Recordings,
    TargetOptions,
    ViewOptions,
    grouped,
)
from jitinspect.errors import UsageError

HELP = "Look into JAX's persistent compilation cache: what it holds, what is sound, what can go."

Folder = Annotated[
    str | None,
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


def show(
    output: OutputOptions,
    view: ViewOptions,
    entry: Annotated[
        str,
        typer.Argument(
            metavar="ENTRY", help="A file, or the beginning of an entry's name.", show_default=False
        ),
    ],
    reading: Annotated[
        EntryReading,
        typer.Argument(metavar="[READING]", help="hlo, source, cost, constants, collectives or sharding."),
    ] = EntryReading.hlo,
    folder: Folder = None,
    raw: Raw = False,
) -> None:
    """Print the optimized HLO of an entry, or a reading of it. Entries for TPUs and GPUs hold none."""
    from jitinspect.cli.cache_requests import entry_file
    from jitinspect.cli.commands import print_reading, print_stages

    target = TargetOptions(target=entry_file(entry, folder))
    if reading is EntryReading.hlo:
        print_stages("hlo", ("hlo",), target, output, view=view, raw=raw)
        return
    if raw or view != ViewOptions():
        raise UsageError(f"cache show … {reading.value} has no such options", hint="they are for hlo")
    print_reading(reading.value, target, output)


def verify(
    output: OutputOptions,
    folder: Folder = None,
    module: Module = "",
    older_than: OlderThan = "",
    larger_than: LargerThan = "",
    allow_foreign: Annotated[
        bool,
        typer.Option("--allow-foreign", help="Do not fail for entries of other platforms and CPUs."),
    ] = False,
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=0, help="How long one entry may take to open."),
    ] = 60,
) -> None:
    """Open each entry with this machine's JAX; exit with 1 if one cannot be opened.

    Done in another process, which a damaged entry may crash, with limits on time and memory.
    """
    from jitinspect.cli.cache_requests import filter_of, require_sound, tell_notes, verify_core
    from jitinspect.cli.output import emitted

    chosen = filter_of(module, older_than, larger_than)
    with emitted(output) as emit:
        report = verify_core(folder, chosen, timeout, output)
        emit(report)
    tell_notes(report, output)
    require_sound(report, allow_foreign)


def prune(
    output: OutputOptions,
    folder: Folder = None,
    module: Module = "",
    older_than: OlderThan = "",
    larger_than: LargerThan = "",
    damaged: Annotated[bool, typer.Option("--damaged", help="Only damaged entries.")] = False,
    foreign: Annotated[
        bool, typer.Option("--foreign", help="Only entries that are not for this machine's JAX.")
    ] = False,
    keep: Annotated[
        str,
        typer.Option(
            "--keep",
            metavar="SIZE",
            help="Only as many as needed for the folder to take no more; least recently used first.",
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes/--dry-run", help="Remove them; else only say which.")] = False,
) -> None:
    """Remove entries, also while JAX processes use the folder. Without --yes, print which would go.

    An entry goes if all of the options choose it; --damaged and --foreign together choose both.
    """
    from jitinspect.cli.cache_requests import choice_of, prune_core, require_removed, tell_notes
    from jitinspect.cli.output import emitted

    choice = choice_of((module, older_than, larger_than), damaged, foreign, keep)
    with emitted(output) as emit:
        report = prune_core(folder, choice, yes, output)
        emit(report)
    tell_notes(report, output)
    require_removed(report)


def why(target: TargetOptions, output: OutputOptions, folder: Folder = None) -> None:
    """Print which entry a call would take, or what differs from the nearest ones. Nothing is compiled.

    The folder is only looked into: nothing is written, and no entry counts as used.
    """
    from jitinspect.cli.cache_requests import tell_notes
    from jitinspect.cli.cache_why import why_core
    from jitinspect.cli.output import emitted
    from jitinspect.cli.requests import parsed

    fields = parsed(target, sys.argv[2:])
    with emitted(output) as emit:
        report = why_core(fields, folder, output)
        emit(report)
    tell_notes(report, output)


def stats(
    recordings: Recordings,
    output: OutputOptions,
    folder: Annotated[
        str | None,
        typer.Option("--dir", metavar="DIR", help="The cache folder; without it, the recorded one, if here."),
    ] = None,
) -> None:
    """Add up what recorded programs found in the cache and wrote to it, and the seconds saved and lost.

    Needs no JAX.
    """
    from jitinspect.cli.cache_requests import stats_core, tell_notes
    from jitinspect.cli.output import emitted

    with emitted(output) as emit:
        report = stats_core(recordings, folder)
        emit(report)
    tell_notes(report, output)


COMMANDS: tuple[Callable[..., None], ...] = (ls, show, verify, prune, why, stats)


def group(is_empty: bool = False) -> typer.Typer:
    """The commands, as one of `jitinspect`'s; without them where it is only to be listed."""
    app = typer.Typer(name="cache", help=HELP, cls=Group, rich_markup_mode=None)

    @app.callback(invoke_without_command=True)
    def shown(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help(), color=context.color)

    for command in () if is_empty else COMMANDS:
        app.command(command.__name__, cls=Command)(grouped(command))
    return app
