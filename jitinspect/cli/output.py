"""A report → stdout, a file or a pager, as text, JSON or HTML."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from jitinspect.cli import streams
from jitinspect.cli.options import OutputOptions
from jitinspect.errors import CheckFailed, JitinspectError, LoadError, UsageError
from jitinspect.model import CallReport, Diagnosis, Listing, Report
from jitinspect.render.errors import error_text
from jitinspect.render.json import (
    AnyReport,
    error_to_json,
    from_json,
    is_of_cache,
    is_of_program,
    is_reading,
    to_json,
)
from jitinspect.render.text import WIDE, shown_path

TRACE = "trace.json"
"""A file name with this ending asks for a timeline in Chrome's trace format."""
SPEEDSCOPE = ".speedscope.json"
"""One with this ending asks for a profile in the format of speedscope."""
_STDOUT = (Path("-"), Path("/dev/stdout"))


@contextmanager
def emitted(options: OutputOptions, shared: bool = False) -> Iterator[Callable[..., None]]:
    """Keep stdout for the report while a command works. The report goes to the yielded function, with
    `pager=False` for one that must not wait for the user.

    With `shared`, the user's program prints to stdout too, unless one JSON document is to stand there.
    Raises `UsageError` at the start if the report cannot be written to its file.
    """
    if options.output in _STDOUT:
        options = replace(options, output=None, pager=False)
    if options.output is not None:
        options = replace(options, output=check_file("-o", options.output))
    shared = shared and not (options.as_json and options.output is None)
    stdout = streams.shared_stdout() if shared else streams.own_stdout()
    yield lambda report, pager=True: _emit(report, replace(options, pager=options.pager and pager), stdout)
    if shared and stdout is not sys.stdout:
        stdout.close()


def read_report(path: Path) -> AnyReport:
    """The report saved at `path`. Raises `LoadError` if there is none."""
    text = read_text(path)
    try:
        return from_json(text)
    except LoadError as error:
        raise LoadError(f"{path}: {error.message}", hint=error.hint) from None


def read_text(path: Path) -> str:
    """Raises `LoadError` for a file that cannot be read, or is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise LoadError(f"{path} cannot be read: {reason}") from None


def _emit(report: AnyReport, options: OutputOptions, stdout: TextIO) -> None:
    """Print `report`, or write it to `options.output` in the format of that suffix."""
    if options.output is not None:
        _write_file("-o", options.output, _in_format_of(options.output, report, options))
        if not options.quiet:
            with suppress(OSError, ValueError, AttributeError):  # a program may have closed or replaced it
                sys.stderr.write(f"wrote {shown_path(str(options.output))}\n")
    elif options.as_json:
        streams.write(stdout, [to_json(report), "\n"])
    else:
        color = streams.wants_color(options.color.value, stdout)
        paged = options.pager and stdout.isatty()
        (streams.write_paged if paged else streams.write)(
            stdout, as_text(report, color, columns(stdout), options.verbose, options.quiet)
        )


def needs_environment(options: OutputOptions) -> bool:
    """Only JSON and HTML say where they were made; finding that out starts the backend."""
    return is_data(options)


def is_data(options: OutputOptions) -> bool:
    """Whether all of the report is asked for, as JSON or HTML, and not the text that is made of it."""
    return options.as_json or (options.output is not None and options.output.suffix in (".json", ".html"))


def wants_page(options: OutputOptions) -> bool:
    """Whether the report becomes HTML."""
    return not options.as_json and options.output is not None and options.output.suffix == ".html"


def columns(stdout: TextIO) -> int:
    """Columns of the terminal, or of COLUMNS if it is set."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal():
        return int(asked)
    return os.get_terminal_size(stdout.fileno()).columns if stdout.isatty() else WIDE


def as_text(
    report: AnyReport, color: bool, width: int = WIDE, verbose: bool = False, quiet: bool = False
) -> Iterator[str]:
    """Any report, as the terminal shows it."""
    if isinstance(report, Report):
        from jitinspect.render.terminal import render

        yield from render(report, color, verbose, width)
        return
    if isinstance(report, CallReport):
        from jitinspect.render import calls

        yield from calls.render(report, color, width, verbose, quiet)
        return
    if is_of_program(report):
        from jitinspect.render import run

        yield from run.render(report, color, width, verbose)  # never quiet: the summary was asked for
        return
    if is_reading(report):
        from jitinspect.render import readings

        yield from readings.render(report, color, width, verbose)
        return
    if is_of_cache(report):
        from jitinspect.render import cache

        yield from cache.render(report, color, width, verbose)
        return
    from jitinspect.render import tables

    if isinstance(report, Listing):
        yield tables.listing(report, color, width)
    elif isinstance(report, Diagnosis):
        yield tables.diagnosis(report, color, width)


def near_file(path: Path, suffixes: Iterable[str]) -> str | None:
    """A hint for a missing file: a similar name beside it, with one of these suffixes."""
    from difflib import get_close_matches

    beside = [str(found) for suffix in suffixes for found in path.parent.glob(f"*{suffix}")]
    near = get_close_matches(str(path), beside, n=1)
    return f"did you mean {near[0]}?" if near else None


def check_file(option: str, path: Path) -> Path:
    """The absolute path of a file to write: the user's module may change the folder meanwhile.

    Raises `UsageError`, before the work is done, if it cannot be written.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: no such folder: {path.parent}")
    if path.is_dir():
        raise UsageError(f"{option} {path}: is a folder", hint=f"{option} {path / 'report.json'}")
    if option == "--save" and path.suffix not in ("", ".json"):
        hint = f"{option} {path.with_suffix('.json')}, or -o {path}"
        raise UsageError(f"{option} {path}: the key is saved as JSON", hint=hint)
    return path.absolute()


def save(report: AnyReport, path: Path, options: OutputOptions) -> None:
    """Also write `report` as JSON."""
    _write_file("--save", path, [to_json(report), "\n"])
    if not options.quiet:
        sys.stderr.write(f"wrote {shown_path(str(path))}\n")


def report_error(error: JitinspectError, argv: list[str]) -> int:
    """Print the error on stderr, or under `--json` as a document on stdout. Returns the exit code."""
    if "--json" in argv and not isinstance(error, CheckFailed):  # whose report is already there
        streams.write(streams.own_stdout(), [error_to_json(_command(argv), error), "\n"])
    else:
        color = streams.wants_color(_color_choice(argv), sys.stderr)
        sys.stderr.write(error_text(error, color))
    return error.exit_code


def report_ending(report: CallReport, error: JitinspectError | None, options: OutputOptions) -> None:
    """Print on stderr, after the rows, the tracebacks of failed calls and what ended the script early."""
    if options.as_json:
        return
    for call in report.calls:
        if call.traceback and report.command == "trace-cache" and not report.script.endswith(".py"):
            sys.stderr.write(f"call {call.index} at {call.at} raised\n{call.traceback}\n")
    if error is not None:
        color = streams.wants_color(options.color.value, sys.stderr)
        sys.stderr.write(error_text(error, color))


def _command(argv: list[str]) -> str | None:
    """Of `cache` with the word that follows it."""
    words = [word for word in argv if not word.startswith("-")]
    return " ".join(words[: 2 if words[:1] == ["cache"] else 1]) or None


def _color_choice(argv: list[str]) -> str:
    """The `--color` of a command line that may not have parsed."""
    for word, following in zip(argv, [*argv[1:], "auto"], strict=True):
        if word.startswith("--color="):
            return word.partition("=")[2]
        if word == "--color":
            return following
    return "auto"


def _in_format_of(path: Path, report: AnyReport, options: OutputOptions) -> Iterable[str]:
    if is_of_program(report) and path.name.endswith(TRACE):
        from jitinspect.render import chrome

        return [chrome.to_trace(report), "\n"]
    if path.name.endswith(SPEEDSCOPE):
        return [_speedscope(path, report), "\n"]
    if options.as_json or path.suffix == ".json":
        return [to_json(report), "\n"]
    if path.suffix != ".html":
        return as_text(report, options.color.value == "always", verbose=options.verbose, quiet=options.quiet)
    if isinstance(report, CallReport) or is_of_program(report):
        from jitinspect.render.pages import programs

        return programs.page(report)
    from jitinspect.render import html

    if is_reading(report):
        return html.render_reading(report)
    if not isinstance(report, Report):
        raise UsageError(
            f"-o {path}: {report.command} has no HTML output", hint="-o report.json or report.txt"
        )
    return html.render(report)


def _speedscope(path: Path, report: AnyReport) -> str:
    from jitinspect.render.flames.reports import flames_of
    from jitinspect.render.flames.speedscope import to_speedscope

    if not (graphs := flames_of(report)):
        hint = "compile-time and profile have one; -o report.json saves any report"
        raise UsageError(f"-o {path.name}: {report.command} has no flame graph", hint=hint)
    return to_speedscope(graphs)


def _write_file(option: str, path: Path, blocks: Iterable[str]) -> None:
    """Write a file beside it and rename that, so that a reader never sees half a report.

    Anything but a plain file (`/dev/stdout`, a pipe, a link) is written in place.
    """
    in_place = path.is_symlink() or (path.exists() and not path.is_file())
    unfinished = path if in_place else path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            stream.writelines(blocks)
        if path.exists() and not in_place:
            shutil.copymode(path, unfinished)
        unfinished.replace(path)
    except BrokenPipeError:  # the reader of a named pipe went away
        return
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror}") from None
    finally:
        if not in_place:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
