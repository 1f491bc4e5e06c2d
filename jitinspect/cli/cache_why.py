"""`cache why`: from its options to the core, where JAX is imported, and back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from jitinspect.cli.cache_requests import notes_on
from jitinspect.cli.core import listening, prepare_for_user_code
from jitinspect.cli.options import OutputOptions
from jitinspect.cli.output import needs_environment
from jitinspect.errors import UsageError
from jitinspect.files.kinds import is_file_target
from jitinspect.jaxapi.version import import_jax

if TYPE_CHECKING:
    from jitinspect.model.cache_lookups import CacheWhyReport


def why_core(fields: dict[str, Any], given: str | None, output: OutputOptions) -> CacheWhyReport:
    """Raises `UsageError` if no folder is known, and what the stage commands raise."""
    if is_file_target(fields["ref"]):
        raise UsageError(f"{fields['ref']} is a file: cache why is about the call of a function")
    import_jax()
    from jitinspect.files.cache.why import Folder, read
    from jitinspect.jaxapi.devices import environment
    from jitinspect.jaxapi.keys import disk_cache
    from jitinspect.stages import inspection

    prepare_for_user_code()
    request = inspection.Request(command="cache why", stages=(), **fields)
    with disk_cache.no_folder() as usual, listening(output) as listeners:
        folder = Folder(given, usual)
        report = inspection.read(request, partial(read, folder=folder), listeners)
        settings = disk_cache.settings()
    known = {notes for one in report.lookups for notes in notes_on(one.folder, settings)}
    report = replace(report, notes=tuple(known))
    return replace(report, environment=environment()) if needs_environment(output) else report
