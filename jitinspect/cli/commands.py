"""The commands: each a few lines from options to request, core, report, emit.

A command imports what it needs when it runs, so that `--help` pays for none of it.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jitinspect.cli.help import Command
from jitinspect.cli.options import (
    CallOptions,
    DeviceOptions,
    Format,
    LimitOptions,
    OutputOptions,
    Raw,
    Recordings,
    TargetOptions,
    ViewOptions,
    Watch,
    grouped,
)
from jitinspect.errors import UsageError

if TYPE_CHECKING:
    from jitinspect.cli.work import Work

Function = Callable[..., None]

INSPECT = "Stages and cache key"
READ = "Analysis"
CALLS = "Calls and programs"
FILES = "Files"
MORE = "Other"

LIST = frozenset({"-h", "--help"})
"""The first words of a command line that ask for nothing but the list of commands."""


def jaxpr(target: TargetOptions, view: ViewOptions, output: OutputOptions, watch: Watch = False) -> None:
    """Print the traced jaxpr. Nothing is lowered."""
    print_stages("jaxpr", ("jaxpr",), target, output, watch, view=view)


def stablehlo(
    target: TargetOptions,
    device: DeviceOptions,
    view: ViewOptions,
    output: OutputOptions,
    raw: Raw = False,
    watch: Watch = False,
    platform: Annotated[
        str,
        typer.Option(
            "--platform", metavar="NAME,…", help="Lower for cpu, cuda, rocm or tpu; no device needed."
        ),
    ] = "",
) -> None:
    """Print the StableHLO module. Nothing is compiled."""
    from jitinspect.cli.requests import words_of

    platforms = words_of(platform)
    if platforms and device.device:
        raise UsageError("--platform and --target cannot be combined", hint="leave one out")
    print_stages(
        "stablehlo", ("stablehlo",), target, output, watch,
        platforms=platforms, view=view, device=device, raw=raw,
    )  # fmt: skip


def hlo(
    target: TargetOptions,
    device: DeviceOptions,
    view: ViewOptions,
    output: OutputOptions,
    raw: Raw = False,
    before: Annotated[bool, typer.Option("--before", help="Print the HLO before XLA's passes.")] = False,
    watch: Watch = False,
) -> None:
    """Print the compiled, optimized HLO, without the noise."""
    stages = ("hlo-before" if before else "hlo",)
    print_stages("hlo", stages, target, output, watch, device=device, view=view, raw=raw)


NoLibrary = Annotated[
    bool,
    typer.Option(
        "--no-library", help="Generate code instead of calling a library, such as for a small matmul."
    ),
]


def llvm(
    target: TargetOptions,
    output: OutputOptions,
    before: Annotated[bool, typer.Option("--before", help="Print the IR before LLVM's passes.")] = False,
    no_library: NoLibrary = False,
    watch: Watch = False,
) -> None:
    """Print the LLVM IR of each kernel (CPU)."""
    print_stages("llvm", ("llvm",), target, output, watch, optimized=not before, library=not no_library)


def asm(
    target: TargetOptions, output: OutputOptions, no_library: NoLibrary = False, watch: Watch = False
) -> None:
    """Print the machine code of each kernel (CPU)."""
    print_stages("asm", ("asm",), target, output, watch, library=not no_library)


def key(
    target: TargetOptions,
    output: OutputOptions,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Save the key, for a later --against.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", help="Compare with a saved key: what differs, and why."),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if --against finds a difference.")
    ] = False,
    watch: Watch = False,
) -> None:
    """Print the cache key, in memory and on disk. Nothing is compiled."""
    from jitinspect.cli.keys import inspect_key
    from jitinspect.cli.requests import parsed

    inspect_key(parsed(target, sys.argv[1:]), output, save, against, exit_code, watch)


def show(
    target: TargetOptions,
    device: DeviceOptions,
    output: OutputOptions,
    raw: Raw = False,
    watch: Watch = False,
) -> None:
    """Print everything: the compile log, jaxpr, StableHLO, HLO and, for this machine, the cache key."""
    stages = ("jaxpr", "stablehlo", "hlo")
    print_stages("show", stages, target, output, watch, key=not device.device, device=device, raw=raw)


def explore(
    target: TargetOptions,
    device: DeviceOptions,
    output: OutputOptions,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Keep the page up to date: it is made again whenever a file is saved."),
    ] = False,
    passes: Annotated[
        bool, typer.Option("--passes", help="Also what each of XLA's passes did to the chosen instruction.")
    ] = False,
    watch: Watch = False,
) -> None:
    """Open Python source, jaxpr, StableHLO, HLO and machine code side by side in a browser, linked by line.

    -o page.html writes the page instead, -o report.txt a summary, --json its data. --serve serves the page
    to browsers on this machine alone, and marks in it what a save changed; Ctrl-C ends it.
    """
    if serve:
        from jitinspect.cli import served

        served.serve(_reading_work("explore", target, served.to_serve(output), device, passes=passes))
        return
    from jitinspect.cli.explorer import opened

    with opened(output, watch) as to_page:
        print_reading("explore", target, to_page, watch, device, passes=passes)


def source(target: TargetOptions, device: DeviceOptions, output: OutputOptions, watch: Watch = False) -> None:
    """Print the Python source with the operations and cost of each line."""
    print_reading("source", target, output, watch, device)


def diff(
    call: CallOptions,
    device: DeviceOptions,
    output: OutputOptions,
    before: Annotated[
        str,
        typer.Argument(metavar="[A]", show_default=False, help="A target, a saved report, or a text file."),
    ] = "",
    after: Annotated[
        str, typer.Argument(metavar="[B]", show_default=False, help="What to compare it with.")
    ] = "",
    vs: Annotated[
        str, typer.Option("--vs", metavar="'OPTIONS'", help="B is A with these options: '-s 64,784'.")
    ] = "",
    stage: Annotated[
        str, typer.Option("--stage", metavar="NAME,…", help="Compare jaxpr, stablehlo, hlo, hlo-before.")
    ] = "",
    context: Annotated[
        int, typer.Option("-U", metavar="N", min=0, help="Show N operations around each change.")
    ] = 3,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if they differ.")] = False,
    golden: Annotated[
        Path | None,
        typer.Option(
            "--golden", metavar="DIR", help="Make the reports in DIR again; exit with 1 if one differs."
        ),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="With --golden: save what differs, and add A if given.")
    ] = False,
) -> None:
    """Compare two targets, calls, saved reports or texts."""
    from jitinspect.cli.diff import DiffRequest, diff_core, ended, golden_core
    from jitinspect.cli.output import emitted
    from jitinspect.cli.requests import stages_of

    asked = DiffRequest(before, after, call, device, vs, stages_of(stage), context, sys.argv[1:])
    with emitted(output) as emit:
        report = golden_core(golden, asked, update, output) if golden else diff_core(asked, output)
        emit(report)
    ended(report, exit_code or golden is not None)


def cost(target: TargetOptions, device: DeviceOptions, output: OutputOptions, watch: Watch = False) -> None:
    """Print FLOPs, bytes and memory by line and by op; with --dim N=64,128, how they grow."""
    print_reading("cost", target, output, watch, device)


def fit(
    target: TargetOptions,
    device: DeviceOptions,
    output: OutputOptions,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if it does not fit on one of the targets.")
    ] = False,
    watch: Watch = False,
) -> None:
    """Print whether a call fits into the memory of a device that need not be here, and what takes it.

    --dim B=1..4096 finds the largest size that fits. Of a folder of XLA's dumps, whether what is in it fits.
    """
    from jitinspect.cli.compiled_files import compiled_file
    from jitinspect.cli.devices import device_request
    from jitinspect.cli.fit import fit_work
    from jitinspect.cli.requests import parsed, searched
    from jitinspect.cli.work import carry_out

    fields = parsed(target, sys.argv[1:], may_search=True)
    devices = device_request(device, weigh=True)
    file = compiled_file(fields)
    if not devices.devices:
        known = f"cost {file} lists its buffers without" if file else "`jitinspect doctor` lists them"
        raise UsageError("fit needs a device to fit on", hint=f"--target v5e; {known}")
    carry_out(fit_work(fields, devices, output, searched(target.dim), exit_code), watch)


def collectives(
    target: TargetOptions,
    device: DeviceOptions,
    output: OutputOptions,
    exit_code: Annotated[
        bool,
        typer.Option("--exit-code", help="Exit with 1 if anything moves; with limits, if one is exceeded."),
    ] = False,
    max_bytes_moved: Annotated[
        str,
        typer.Option(
            "--max-bytes-moved", metavar="SIZE", help="The most a device may move in a call: 10MB, 1.5GiB."
        ),
    ] = "",
    forbid: Annotated[
        list[str],
        typer.Option("--forbid", metavar="KIND,…", help="Collectives that must not occur. Repeatable."),
    ] = [],  # noqa: B006 (Typer asks for a list)
    watch: Watch = False,
) -> None:
    """Print what moves between devices, how much, and which line asked for it."""
    from jitinspect.cli.collectives import check, limits_of

    limits = limits_of(exit_code, max_bytes_moved, forbid)
    print_reading("collectives", target, output, watch, device, ended=partial(check, limits=limits))


def donation(
    target: TargetOptions, device: DeviceOptions, output: OutputOptions, watch: Watch = False
) -> None:
    """Print whether the buffer of each array argument is reused, and if not, why."""
    print_reading("donation", target, output, watch, device)


def constants(
    target: TargetOptions, device: DeviceOptions, output: OutputOptions, watch: Watch = False
) -> None:
    """Print the arrays that the function closes over, and where it uses them."""
    print_reading("constants", target, output, watch, device)


def passes(
    target: TargetOptions,
    device: DeviceOptions,
    output: OutputOptions,
    name: Annotated[
        str, typer.Option("--pass", metavar="NAME|INDEX", help="Show what one pass changed.")
    ] = "",
    op: Annotated[
        str,
        typer.Option(
            "--op", metavar="NAME", help="Show the history of an instruction, or those of an opcode."
        ),
    ] = "",
    watch: Watch = False,
) -> None:
    """Print XLA's passes: which ones changed the module, and how."""
    from jitinspect.cli.output import wants_page

    print_reading("passes", target, output, watch, device, pass_name=name, op=op, page=wants_page(output))


def compile_time(
    target: TargetOptions, device: DeviceOptions, output: OutputOptions, watch: Watch = False
) -> None:
    """Print where the time of tracing, lowering and compiling goes, by phase, kernel and line.

    With --dim N=8,16,32, which part grows faster than the program. With --target the compiler is waited for.
    -o times.html draws a flame graph.
    """
    print_reading("compile-time", target, output, watch, replace(device, full=bool(device.device)))


def sharding(
    target: TargetOptions,
    device: DeviceOptions,
    output: OutputOptions,
    lines: Annotated[
        bool, typer.Option("--source", help="Also show the values that each line of the source makes.")
    ] = False,
    watch: Watch = False,
) -> None:
    """Print how each argument and result lies on the mesh, and what it takes on a device."""
    print_reading("sharding", target, output, watch, device, lines=lines)


def profile(
    call: CallOptions,
    output: OutputOptions,
    target: Annotated[
        str,
        typer.Argument(
            metavar="[MODULE:FUNCTION|FILE]", show_default=False, help="What to run; none with --trace."
        ),
    ] = "",
    calls: Annotated[
        int | None,
        typer.Option(
            "--calls",
            metavar="N",
            min=1,
            help="Measure N calls; without it, as many as take about a second, from 3 to 100.",
            show_default=False,
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            "--trace", metavar="DIR|FILE", help="Read a trace of jax.profiler, from any machine, instead."
        ),
    ] = None,
    hlo: Annotated[
        list[Path],
        typer.Option("--hlo", metavar="FILE", help="With --trace: HLO that the trace has not. Repeatable."),
    ] = [],  # noqa: B006
    device: Annotated[list[str], typer.Option("--target", hidden=True)] = [],  # noqa: B006
    watch: Watch = False,
) -> None:
    """Run the function, and print where its time goes: measured, by line, operation and loop.

    --trace DIR reads a trace of jax.profiler instead. -o times.html draws a flame graph.
    """
    from jitinspect.cli.core import profile_core
    from jitinspect.cli.output import emitted
    from jitinspect.cli.profiles import target_of, trace_core
    from jitinspect.cli.requests import file_of, parsed
    from jitinspect.cli.work import Work, carry_out

    if device:
        raise UsageError(
            f"--target {device[0]}: profile runs the function, which needs a device that is here",
            hint="cost --target gives the least time that a device needs",
        )
    if trace is not None:
        if watch:
            raise UsageError("--watch is for a function, and a trace is of one run", hint="leave --watch out")
        with emitted(output) as emit:
            emit(trace_core(trace, hlo, target))
        return
    fields = parsed(target_of(call, target, hlo), sys.argv[1:])
    core = partial(profile_core, fields, output, calls)
    work = Work(core, command="profile", output=output, fields=fields, file=file_of(fields))
    carry_out(work, watch)


def trace_cache(
    script: Annotated[
        Path, typer.Argument(metavar="SCRIPT", help="A call script (.calls, .jsonl) or a program (.py).")
    ],
    output: OutputOptions,
    arguments: Annotated[
        list[str], typer.Argument(metavar="[ARGS]…", help="Arguments for the program, after --.")
    ] = [],  # noqa: B006 (Typer asks for a list)
    plan: Annotated[
        bool, typer.Option("--plan", help="Decide from the keys alone; trace, compile and run nothing.")
    ] = False,
    pad: Annotated[
        list[str],
        typer.Option(
            "--pad", metavar="PATH.AXIS=pow2|N", help="With --plan: count compilations after padding."
        ),
    ] = [],  # noqa: B006
    bucket: Annotated[
        list[str],
        typer.Option(
            "--bucket", metavar="PATH.AXIS=32,64,…", help="With --plan: count compilations after bucketing."
        ),
    ] = [],  # noqa: B006
    mesh: Annotated[
        str, typer.Option("--mesh", metavar="AXIS=SIZE,…", help="The mesh for f32[8,784]@P('data',None).")
    ] = "",
    dim: Annotated[
        list[str],
        typer.Option("--dim", metavar="NAME=SIZE", help="The size of a named dimension. Repeatable."),
    ] = [],  # noqa: B006
    stop: Annotated[bool, typer.Option("--stop", help="Stop at the first call that raises.")] = False,
) -> None:
    """Print whether each call of a script was CACHED or COMPILED, and why."""
    from jitinspect.cli.calls import fields_of, trace_cache_core
    from jitinspect.cli.output import emitted, report_ending

    fields = fields_of(script, arguments, plan, (pad, bucket), mesh, dim)
    with emitted(output, shared=script.suffix == ".py") as emit:
        result = trace_cache_core(script, fields, output, stop, emit)
        emit(result.report)
    report_ending(result.report, result.error, output)
    raise typer.Exit(result.report.exit_code)


Listing = Annotated[
    Format, typer.Option("--format", help="github: also annotate the lines of a pull request.")
]


def run(
    program: Annotated[
        str, typer.Argument(metavar="SCRIPT", help="A program, run as python would.", show_default=False)
    ],
    limits: LimitOptions,
    output: OutputOptions,
    arguments: Annotated[
        list[str], typer.Argument(metavar="[ARGS]…", help="Arguments for the program.")
    ] = [],  # noqa: B006 (Typer asks for a list)
    module: Annotated[bool, typer.Option("-m", help="Run a module, as python -m does.")] = False,
    hits: Annotated[
        bool, typer.Option("--hits", help="Count all calls, not only those that compile.")
    ] = False,
    profile: Annotated[
        bool,
        typer.Option("--profile", help="Also measure where the time goes, by function and by line."),
    ] = False,
    compile_time: Annotated[
        bool,
        typer.Option("--compile-time", help="Also tell where each compilation of over a second spent it."),
    ] = False,
    record: Annotated[
        str,
        typer.Option(
            "--record",
            metavar="FILE.jsonl",
            help="Write each event as it happens; {pid} and {host} are filled in.",
        ),
    ] = "",
    otlp: Annotated[
        str,
        typer.Option(
            "--otlp", metavar="URL", help="Send each compilation as a span to an OpenTelemetry collector."
        ),
    ] = "",
    listing: Listing = Format.text,
) -> None:
    """Run a program, and report what it compiled, what that cost, and why; with --profile, also what ran.

    The summary goes to stderr. -o trace.json writes a timeline for ui.perfetto.dev.
    """
    from jitinspect.cli.output import emitted
    from jitinspect.cli.run import ended, fields_of, report_run, run_core
    from jitinspect.cli.streams import own_stderr

    fields = fields_of(program, arguments, module, hits, record, limits, profile, compile_time, otlp)
    lock = fields["lock"]
    is_new = lock is not None and (limits.update_lock or not lock.exists())
    with emitted(output, shared=True) as emit, own_stderr() as stderr:
        result = run_core(fields, output, stderr)
        report_run(result.report, output, listing, emit, stderr)
        code = ended(result, lock, is_new, output, stderr)
    raise typer.Exit(code)


def summary(
    recordings: Recordings,
    output: OutputOptions,
    listing: Listing = Format.text,
) -> None:
    """Summarize a recorded program, or all processes of a job. Needs no JAX."""
    from jitinspect.cli.output import emitted
    from jitinspect.cli.run import annotate, summarize

    with emitted(output) as emit:
        report = summarize(recordings, output)
        emit(report)
    annotate(report, listing, sys.stderr)


def ls(
    module: Annotated[
        str, typer.Argument(metavar="MODULE", help="pkg.mod, path/to/file.py, or a folder of XLA's dumps.")
    ],
    output: OutputOptions,
    imported: Annotated[bool, typer.Option("--imported", help="Also list what the module imports.")] = False,
) -> None:
    """List a module's callables: which are jitted, and their static and donated arguments.

    Of a folder of XLA's dumps, the modules in it.
    """
    from jitinspect.cli.core import resume_collection
    from jitinspect.cli.output import emitted
    from jitinspect.files.kinds import is_file_target
    from jitinspect.jaxapi.version import import_jax

    with emitted(output) as emit:
        if is_file_target(module):
            from jitinspect.files.dumps import listing_of

            emit(listing_of(module))
            return
        import_jax()
        from jitinspect.jaxapi.devices import skip_missing_accelerators
        from jitinspect.targets.listing import ls as listing

        skip_missing_accelerators()
        resume_collection()
        emit(listing(module, imported=imported))


def doctor(output: OutputOptions) -> None:
    """Print versions, devices, flags, the cache folder, which readings this JAX supports, and the targets."""
    from jitinspect.cli.output import emitted
    from jitinspect.jaxapi.version import import_jax

    with emitted(output) as emit:
        import_jax()
        from jitinspect.jaxapi.devices import skip_missing_accelerators
        from jitinspect.stages.doctor import diagnose

        skip_missing_accelerators()
        emit(diagnose())


def export(
    target: TargetOptions,
    output: OutputOptions,
    platform: Annotated[
        str, typer.Option("--platform", metavar="NAME,…", help="Export for cpu, cuda, rocm or tpu.")
    ] = "",
    disable_check: Annotated[
        list[str],
        typer.Option(
            "--disable-check", metavar="NAME", help="Allow a custom call that JAX promises nothing for."
        ),
    ] = [],  # noqa: B006
) -> None:
    """Write a function as a file of jax.export (-o step.jaxexport), or print what such a file holds."""
    from jitinspect.cli.core import export_core, exported_core
    from jitinspect.cli.devices import guarded
    from jitinspect.cli.exports import artifact_of, platforms_of
    from jitinspect.cli.output import emitted
    from jitinspect.cli.requests import file_of, parsed

    fields = parsed(target, sys.argv[1:])
    platforms = platforms_of(platform)
    if (file := file_of(fields)) is not None:
        if platforms or disable_check:
            raise UsageError(f"{file} is exported already", hint="leave --platform and --disable-check out")
        with emitted(output) as emit:
            emit(guarded(partial(exported_core, file, output), output, file))
        return
    path, printed = artifact_of(output)
    with emitted(printed) as emit:
        emit(export_core(fields, printed, path, platforms, tuple(disable_check)))


def view(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A report saved with -o FILE.json.")],
    output: OutputOptions,
) -> None:
    """Print a saved report again. Needs no JAX."""
    from jitinspect.cli.output import emitted, read_report

    with emitted(output) as emit:
        emit(read_report(report))


def register(app: typer.Typer, first: Sequence[str] = ()) -> None:
    """Add the commands to `app`, in the order of the help. Each has some twenty options to build: if the
    `first` word of the command line is a command, add only that one; if it asks for the list of them, add
    them without.
    """
    inspecting: tuple[Function, ...] = (jaxpr, stablehlo, hlo, llvm, asm, key, show, explore)
    reading: tuple[Function, ...] = (
        source, diff, cost, fit, collectives, sharding, donation, constants, passes,
        compile_time,
        profile,
    )  # fmt: skip
    watching: tuple[Function, ...] = (trace_cache, run, summary)
    looking: tuple[Function, ...] = (export, ls, doctor, view)
    panels = {INSPECT: inspecting, READ: reading, CALLS: watching, MORE: looking}
    named = {
        command.__name__.replace("_", "-"): (command, panel) for panel in panels for command in panels[panel]
    }
    is_list = bool(LIST.intersection(first))
    for name in [word for word in first if word in named] or named:
        command, panel = named[name]
        # options after the program are the program's
        settings = {"allow_interspersed_args": False} if command is run else None
        made = app.command(name, cls=Command, rich_help_panel=panel, context_settings=settings)
        made(_only_listed(command.__doc__) if is_list else grouped(command))
    if not any(word in named for word in first):
        from jitinspect.cli import cache

        app.add_typer(cache.group(is_list), rich_help_panel=FILES)


def _only_listed(help_text: str | None) -> Function:
    """A command without options, for the list of commands."""

    def command() -> None: ...

    command.__doc__ = help_text
    return command


def print_stages(
    command: str,
    stages: tuple[str, ...],
    target: TargetOptions,
    output: OutputOptions,
    watch: bool = False,
    *,
    platforms: tuple[str, ...] = (),
    key: bool = False,
    view: ViewOptions | None = None,
    device: DeviceOptions | None = None,
    **options: Any,
) -> None:
    """The driver of all stage commands."""
    from jitinspect.cli.compiled_files import compiled_file, refuse_devices
    from jitinspect.cli.core import inspect_core
    from jitinspect.cli.devices import device_request, one_report, tell_devices
    from jitinspect.cli.requests import file_of, parsed, viewed
    from jitinspect.cli.work import Work, carry_out

    asked = viewed(view or ViewOptions(), options)
    fields = parsed(target, sys.argv[1:])
    devices = device_request(device or DeviceOptions())
    refuse_devices(fields, devices)
    key = key and compiled_file(fields) is None
    work = Work(
        partial(inspect_core, command, stages, fields, platforms, options, output, key, asked),
        command=command,
        output=output,
        fields=fields,
        file=file_of(fields),
        devices=devices,
        joined=one_report,
        introduced=partial(tell_devices, output=output),
        compares_text=not asked.is_whole,
    )
    carry_out(work, watch)


def print_reading(
    command: str,
    target: TargetOptions,
    output: OutputOptions,
    watch: bool = False,
    device: DeviceOptions | None = None,
    ended: Callable[[Any], None] = lambda report: None,
    **asked: Any,
) -> None:
    """The driver of all readings: `jitinspect.readings.COMMAND` makes the report, which is printed. `ended`
    is called with it then.
    """
    from jitinspect.cli.work import carry_out

    carry_out(replace(_reading_work(command, target, output, device, **asked), ended=ended), watch)


def _reading_work(
    command: str, target: TargetOptions, output: OutputOptions, device: DeviceOptions | None, **asked: Any
) -> "Work":
    from jitinspect.cli.compiled_files import refuse_devices
    from jitinspect.cli.core import reading_core
    from jitinspect.cli.devices import device_request, one_reading
    from jitinspect.cli.requests import file_of, parsed
    from jitinspect.cli.work import Work

    fields = parsed(target, sys.argv[1:])
    devices = device_request(device or DeviceOptions(), several=command == "cost")
    refuse_devices(fields, devices)
    return Work(
        partial(reading_core, command, fields, output, **asked),
        command=command,
        output=output,
        fields=fields,
        file=file_of(fields),
        devices=devices,
        joined=one_reading,
    )
