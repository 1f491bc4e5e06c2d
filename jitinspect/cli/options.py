"""The options that commands share, in groups: a command takes a group, and the user sees its options."""

# No `from __future__ import annotations` here: Typer would evaluate each annotation's text at every start.

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

Result = TypeVar("Result")

_ARGUMENTS = "Target arguments"
_FUNCTION = "Jit options"
_OUTPUT = "Output"
_LIMITS = "Limits"
_VIEW = "View"
_DEVICE = "Another device"


class Color(StrEnum):
    """When to use color; `auto` goes by NO_COLOR, FORCE_COLOR, TERM and whether it is a terminal."""

    auto = "auto"
    always = "always"
    never = "never"


class Format(StrEnum):
    """How to print a summary: as text, or also as annotations for GitHub."""

    text = "text"
    github = "github"


class EntryReading(StrEnum):
    """What to show of an entry of the cache."""

    hlo = "hlo"
    source = "source"
    cost = "cost"
    constants = "constants"
    collectives = "collectives"
    sharding = "sharding"


class CacheOrder(StrEnum):
    """How to sort the entries of a cache."""

    module = "module"
    size = "size"
    age = "age"
    time = "time"
    used = "used"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """The arguments of a target, and how it is jitted, as the user typed them."""

    shape: Annotated[
        list[str],
        typer.Option(
            "--shape",
            "-s",
            metavar="SHAPE",
            rich_help_panel=_ARGUMENTS,
            help="One positional array: 128,784 or f32[128,784]; '' is a scalar. Repeatable.",
        ),
    ] = field(default_factory=list)
    dtype: Annotated[
        str,
        typer.Option(
            "--dtype", metavar="DTYPE", rich_help_panel=_ARGUMENTS, help="The dtype of --shape 128,784."
        ),
    ] = "f32"
    arg: Annotated[
        list[str],
        typer.Option(
            "--arg",
            "-a",
            metavar="[NAME=]EXPR",
            rich_help_panel=_ARGUMENTS,
            help="One argument: 'f32[128,784]', 'training=True', \"{'w': f32[3]}\", 'key[]'. Repeatable.",
        ),
    ] = field(default_factory=list)
    args_from: Annotated[
        str | None,
        typer.Option(
            "--args-from",
            metavar="MODULE:FUNCTION",
            rich_help_panel=_ARGUMENTS,
            help="A function that returns the arguments: a tuple, or (args, kwargs).",
        ),
    ] = None
    values: Annotated[
        bool,
        typer.Option(
            "--values",
            rich_help_panel=_ARGUMENTS,
            help="Use the arrays that --args-from returns, not just their types.",
        ),
    ] = False
    dim: Annotated[
        list[str],
        typer.Option(
            "--dim",
            metavar="NAME=SIZE,…",
            rich_help_panel=_ARGUMENTS,
            help="The size of a named dimension; with several, run once for each. Repeatable.",
        ),
    ] = field(default_factory=list)
    mesh: Annotated[
        str,
        typer.Option(
            "--mesh",
            metavar="AXIS=SIZE,…",
            rich_help_panel=_ARGUMENTS,
            help="The mesh for f32[8,784]@P('data',None).",
        ),
    ] = ""
    static: Annotated[
        list[str],
        typer.Option(
            "--static",
            metavar="NAME|INDEX",
            rich_help_panel=_FUNCTION,
            help="Make an argument static. Repeatable, or NAME,NAME.",
        ),
    ] = field(default_factory=list)
    donate: Annotated[
        list[str],
        typer.Option(
            "--donate",
            metavar="NAME|INDEX",
            rich_help_panel=_FUNCTION,
            help="Donate an argument. Repeatable, or NAME,NAME.",
        ),
    ] = field(default_factory=list)
    transform: Annotated[
        list[str],
        typer.Option(
            "--transform",
            "-t",
            metavar="NAME",
            rich_help_panel=_FUNCTION,
            help="Apply grad, value_and_grad, vmap, jacfwd, jacrev, hessian, checkpoint; left to right.",
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOptions(CallOptions):
    """The target, and its call."""

    target: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:FUNCTION|FILE",
            show_default=False,
            help="mod:fn, pkg.mod:Class.method, path/to/file.py:fn, or a file of jax.export, MLIR or HLO.",
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOptions:
    """A device that is not here, to compile for."""

    device: Annotated[
        list[str],
        typer.Option(
            "--target",
            metavar="NAME",
            rich_help_panel=_DEVICE,
            help="Compile for a TPU or GPU that need not be here: v5e, v5e:4x4, h100. `doctor` lists them.",
        ),
    ] = field(default_factory=list)
    full: Annotated[
        bool,
        typer.Option(
            "--full", rich_help_panel=_DEVICE, help="With --target: wait for the compiler's end (minutes)."
        ),
    ] = False
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            min=0,
            rich_help_panel=_DEVICE,
            help="With --target: give up after.",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Where the report goes, and how it looks."""

    as_json: Annotated[
        bool, typer.Option("--json", rich_help_panel=_OUTPUT, help="Print one JSON document.")
    ] = False
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="Write to FILE: .json, .html, or text (.txt, .mlir, .hlo, …).",
        ),
    ] = None
    color: Annotated[Color, typer.Option("--color", rich_help_panel=_OUTPUT, help="When to use color.")] = (
        Color.auto
    )
    pager: Annotated[
        bool,
        typer.Option(
            "--pager/--no-pager", rich_help_panel=_OUTPUT, help="Page output longer than the screen."
        ),
    ] = True
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", rich_help_panel=_OUTPUT, help="Hide the compile log and notes.")
    ] = False
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", rich_help_panel=_OUTPUT, help="Show more, also JAX's own compilations."
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class LimitOptions:
    """Limits on a program's compilations."""

    max_compiles: Annotated[
        list[str],
        typer.Option(
            "--max-compiles",
            metavar="[FUNCTION=]N",
            rich_help_panel=_LIMITS,
            help="Exit with 1 after more than N compilations. Repeatable.",
        ),
    ] = field(default_factory=list)
    max_compile_seconds: Annotated[
        float | None,
        typer.Option(
            "--max-compile-seconds",
            metavar="S",
            rich_help_panel=_LIMITS,
            help="Exit with 1 if tracing, lowering and compiling take longer.",
        ),
    ] = None
    fail_on_recompile: Annotated[
        bool,
        typer.Option(
            "--fail-on-recompile",
            rich_help_panel=_LIMITS,
            help="Exit with 1 if a function compiles again, or with --warmup, if any does after it.",
        ),
    ] = False
    warmup: Annotated[
        str,
        typer.Option(
            "--warmup",
            metavar="'N calls'|MARKER",
            rich_help_panel=_LIMITS,
            help="Allow N calls of each function, or all before jitinspect.mark(MARKER), to compile.",
        ),
    ] = ""
    lock: Annotated[
        Path | None,
        typer.Option(
            "--lock",
            metavar="FILE",
            rich_help_panel=_LIMITS,
            help="Exit with 1 if something compiles that is not in FILE. Created if missing.",
        ),
    ] = None
    update_lock: Annotated[
        bool, typer.Option("--update-lock", rich_help_panel=_LIMITS, help="Rewrite the --lock file.")
    ] = False


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """Which part of a stage's text to print, or which view of it."""

    op: Annotated[
        str,
        typer.Option(
            "--op",
            metavar="REGEX",
            rich_help_panel=_VIEW,
            help="Show only operations whose kind or name matches.",
        ),
    ] = ""
    line: Annotated[
        str,
        typer.Option(
            "--line",
            metavar="[FILE:]LINE",
            rich_help_panel=_VIEW,
            help="Show only operations from a Python line, or from what it calls.",
        ),
    ] = ""
    fusion: Annotated[
        str,
        typer.Option(
            "--fusion", metavar="NAME", rich_help_panel=_VIEW, help="Show only this fusion, with its body."
        ),
    ] = ""
    neighbours: Annotated[
        int,
        typer.Option(
            "-C",
            metavar="N",
            min=0,
            rich_help_panel=_VIEW,
            help="Also show operands and users up to N steps away.",
        ),
    ] = 0
    fold: Annotated[
        bool,
        typer.Option(
            "--fold", rich_help_panel=_VIEW, help="Fold inner jaxprs and computations into one line each."
        ),
    ] = False
    source: Annotated[
        bool,
        typer.Option("--source", rich_help_panel=_VIEW, help="Show your Python lines as comments."),
    ] = False
    outline: Annotated[
        bool,
        typer.Option(
            "--outline", rich_help_panel=_VIEW, help="Show the tree of blocks and their counts instead."
        ),
    ] = False
    stats: Annotated[
        bool,
        typer.Option(
            "--stats", rich_help_panel=_VIEW, help="Show counts of operations, sizes and lines instead."
        ),
    ] = False


Watch = Annotated[
    bool,
    typer.Option(
        "--watch", help="Do it again whenever a file of yours is saved, and show what changed; Ctrl-C ends."
    ),
]
Raw = Annotated[bool, typer.Option("--raw", help="Print JAX's own text, byte for byte.")]
Recordings = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE…", help="Recordings from run --record: files, folders, globs, or URLs (s3://, gs://)."
    ),
]


def grouped(command: Callable[..., Result]) -> Callable[..., Result]:
    """Make each field of `command`'s dataclass parameters an option for Typer.

    A field is an `Annotated[type, typer.Option(…)]`; the command gets the groups filled in.
    """
    own = inspect.signature(command).parameters.values()
    groups: dict[str, Any] = {
        parameter.name: parameter.annotation for parameter in own if is_dataclass(parameter.annotation)
    }
    names = {name: [member.name for member in fields(group)] for name, group in groups.items()}

    def flat(**given: Any) -> Result:
        filled = {
            name: group(**{member: given.pop(member) for member in names[name]})
            for name, group in groups.items()
        }
        return command(**filled, **given)

    members = [_parameter(member) for group in groups.values() for member in fields(group)]
    parameters = [*members, *(p.replace(kind=p.KEYWORD_ONLY) for p in own if p.name not in groups)]
    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    flat.__name__, flat.__doc__ = command.__name__, command.__doc__
    return flat


def _parameter(member: Field[Any]) -> inspect.Parameter:
    default: Any = inspect.Parameter.empty
    if member.default is not MISSING:
        default = member.default
    elif member.default_factory is not MISSING:
        default = member.default_factory()
    return inspect.Parameter(
        member.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=member.type
    )


def second_side(
    target: TargetOptions,
    device: DeviceOptions,
    platform: Annotated[
        str, typer.Option("--platform", metavar="NAME", help="Lower for this platform.")
    ] = "",
) -> tuple[TargetOptions, DeviceOptions, str]:
    """The options in `diff --vs`."""
    return target, device, platform
