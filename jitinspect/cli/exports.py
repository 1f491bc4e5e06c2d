"""The words of `export` → what is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from jitinspect.cli.options import OutputOptions
from jitinspect.cli.output import check_file
from jitinspect.cli.requests import words_of
from jitinspect.errors import UsageError

_REPORTS = (".json", ".html", ".txt")
_PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


def artifact_of(output: OutputOptions) -> tuple[Path, OutputOptions]:
    """The file to export to, which `-o` names, and where the report on it goes. Raises `UsageError` without
    one, and for one that cannot be written.
    """
    path = output.output
    if path is None or str(path) in ("-", "/dev/stdout"):
        raise UsageError("export writes a file", hint="-o step.jaxexport")
    if path.suffix in _REPORTS:
        hint = f"-o {path.with_suffix('.jaxexport')}; --json prints the report on it"
        raise UsageError(f"-o {path}: what is written is no report", hint=hint)
    return check_file("-o", path), replace(output, output=None)


def platforms_of(text: str) -> tuple[str, ...]:
    """Raises `UsageError` for a word that is none of them."""
    names = words_of(text)
    for name in names:
        if name not in _PLATFORMS:
            raise UsageError(
                f"--platform {name}: jax.export knows no such platform", hint=", ".join(_PLATFORMS)
            )
    return names
