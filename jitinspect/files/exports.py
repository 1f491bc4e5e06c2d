"""`export`: a function → a file of `jax.export`; such a file → what it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from jitinspect.errors import LoadError, UnavailableError, UsageError
from jitinspect.files.kinds import Kind, kind_of
from jitinspect.files.modules import HeldExport, held_export
from jitinspect.files.worker import reading, understood
from jitinspect.jaxapi.modules import exported as exports
from jitinspect.jaxapi.modules.given import GivenArray
from jitinspect.model import Target
from jitinspect.model.exports import CustomCall, Exported, ExportedArray, ExportReport
from jitinspect.specs.describe import describe
from jitinspect.stages.inspection import Subject


def written(
    target: Target,
    subjects: Iterator[Subject],
    path: Path,
    platforms: Sequence[str],
    unchecked: Sequence[str],
) -> ExportReport:
    """Exports the only subject to `path`, and says what is in it. `unchecked` are custom calls that JAX would
    refuse, because it does not promise that they go on to work.

    Raises `UsageError` for a sweep, the errors of tracing, and what `exports.serialized` raises.
    """
    subject, *others = subjects
    if others:
        raise UsageError("a single call is exported", hint="give each --dim one size")
    if subject.jitted.kind != "jax.jit":
        told = f"{target.ref} is a {subject.jitted.kind}, which jax.export does not take"
        raise UnavailableError(told, hint="export a function that calls it")
    _ = subject.pipeline.traced  # whose errors say more
    with subject.muted():
        content = exports.serialized(subject.jitted.call, subject.call, platforms, unchecked)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"-o {path} cannot be written: {error.strerror}") from None
    found = held(path, held_export(content))
    return ExportReport("export", replace(target, signature=subject.signature), found)


def read(path: Path) -> ExportReport:
    """What a file holds. Raises `LoadError` for one that is damaged, or is no exported function."""
    reading()
    kind = kind_of(path)
    if kind is not Kind.EXPORTED:
        raise LoadError(f"{path} is no exported function: it is an {kind}", hint="jitinspect hlo reads it")
    try:
        found = held_export(path.read_bytes())
    except ValueError as error:
        raise LoadError(f"{path} cannot be read: {error}") from None
    understood()
    name = found.exported.fun_name
    target = Target(str(path), found.first.name, name, None, None)
    return ExportReport("export", target, held(path, found))


def held(path: Path, found: HeldExport) -> Exported:
    content, exported = path.read_bytes(), found.exported
    form = exports.form_of(content, exported)
    kept = tuple(exported.module_kept_var_idx)
    return Exported(
        function=exported.fun_name,
        file=str(path),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        platforms=found.platforms,
        devices=exported.nr_devices,
        calling_convention=exported.calling_convention_version,
        supported=exports.SUPPORTED,
        schema=form.schema,
        written_by=form.jax,
        stablehlo=form.stablehlo,
        has_vjp=exported.has_vjp(),
        dims=found.dims,
        arguments=tuple(_arguments(found, kept)),
        results=tuple(_results(found)),
        effects=tuple(map(str, (*exported.ordered_effects, *exported.unordered_effects))),
        custom_calls=tuple(CustomCall(name, exports.is_stable(name)) for name in found.first.custom_calls),
        disabled_checks=tuple(map(str, exported.disabled_safety_checks)),
    )


def _arguments(found: HeldExport, kept: tuple[int, ...]) -> Iterator[ExportedArray]:
    """By the names that the module has; those of unused ones follow from the tree."""
    given = dict(zip(kept, found.given(), strict=True))
    paths = exports.paths_in(found.exported)
    for at, (path, aval) in enumerate(zip(paths, found.exported.in_avals, strict=True)):
        one = given.get(at)
        name = one.name if one and one.name else path
        is_donated = one is not None and one.donated
        yield ExportedArray(name, describe(aval), _sharding(one), at in given, is_donated)


def _results(found: HeldExport) -> Iterator[ExportedArray]:
    paths = exports.paths_out(found.exported)
    results = found.first.results
    for path, aval, one in zip_longest(paths, found.exported.out_avals, results):
        yield ExportedArray(path, describe(aval), _sharding(one))


def _sharding(one: GivenArray | None) -> str | None:
    """`P('data', None)`, or XLA's text."""
    if one is None or one.laid is None:
        return None
    if one.laid.text:
        return one.laid.text
    entries = [axes[0] if len(axes) == 1 else axes or None for axes in one.laid.axes]
    return f"P({', '.join(map(repr, entries))})"
