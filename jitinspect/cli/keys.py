"""The command `key`: print a key, save it, or compare it with a saved one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from jitinspect.cli.core import inspect_core
from jitinspect.cli.options import OutputOptions
from jitinspect.cli.output import check_file, read_report, save
from jitinspect.cli.requests import file_of
from jitinspect.cli.work import Reports, Work, carry_out
from jitinspect.errors import CheckFailed, LoadError, UsageError
from jitinspect.model import CacheKey, Comparison, Report
from jitinspect.stages.key_comparison import compare


def inspect_key(
    fields: dict[str, Any],
    output: OutputOptions,
    save_to: Path | None,
    against: Path | None,
    check: bool,
    watch: bool,
) -> None:
    """Print the key of the request that `fields` make; save it; compare it.

    With `check`, raises `CheckFailed` at the end if the two differ.
    """
    saved = _saved(against, fields) if against else None
    if check and against is None:
        raise UsageError("--exit-code needs --against", hint="--against key.json --exit-code")
    save_to = check_file("--save", save_to) if save_to else None

    def compared(reports: Reports) -> Report:
        report: Report = reports[0]
        return replace(report, against=compare(saved, report.keys[0], str(against))) if saved else report

    def ended(report: Report) -> None:
        if save_to:
            save(report, save_to, output)
        if check and report.against and not report.against.same:
            raise CheckFailed(_failed(report.against))

    work = Work(
        partial(inspect_core, "key", (), fields, (), {}, output, key=True),
        command="key",
        output=output,
        fields=fields,
        file=file_of(fields),
        joined=compared,
        ended=ended,
    )
    carry_out(work, watch)


def _failed(found: Comparison) -> str:
    if found.disk_known:
        return f"the key differs from the one in {found.file}"
    return f"the key on disk cannot be compared with the one in {found.file}"


def _saved(path: Path, fields: dict[str, Any]) -> CacheKey:
    """The key of a saved report. Only a single key can be compared; a sweep has several."""
    if prod(map(len, fields["dims"].values())) != 1:
        raise UsageError("--against compares one key", hint="give each --dim one size")
    report = read_report(path)
    if not isinstance(report, Report) or not report.keys:
        raise LoadError(f"{path} has no key", hint="save one with: jitinspect key … --save key.json")
    return report.keys[0]
