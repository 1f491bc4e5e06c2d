"""Inspect and watch from Python: what the command line says, as objects that print as it prints.

`inspect` goes by `stages`, `watch` by `programs`, and both print by `render`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from jitinspect.model import Artifact, CacheKey, CompileEvent, Report, Target
from jitinspect.model.runs import Compilation, FunctionCost, RunReport, RunTotals, Site, Span
from jitinspect.programs.limits import Warmup, parse_warmup
from jitinspect.programs.watch import Watch
from jitinspect.render.json import to_json
from jitinspect.stages import inspection
from jitinspect.stages.pipeline import Options

_SINCE = " since the watch began"


class Inspection:
    """What a function becomes: the result of `jitinspect.inspect`.

    Each stage that was asked for is an attribute, a `jitinspect.model.Artifact`: `inspection.jaxpr.text`,
    `inspection.hlo.text`; its text is empty where `unavailable` says why there is none. Prints as
    `jitinspect show` does, and shows as a page in Jupyter.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        """All of it, as the data that `jitinspect.model` describes."""

    @property
    def jaxpr(self) -> Artifact:
        """The traced jaxpr. Like every stage, raises AttributeError if it was not asked for."""
        return self.stage("jaxpr")

    @property
    def stablehlo(self) -> Artifact:
        """The StableHLO module."""
        return self.stage("stablehlo")

    @property
    def hlo(self) -> Artifact:
        """The compiled, optimized HLO."""
        return self.stage("hlo")

    @property
    def llvm(self) -> Artifact:
        """LLVM IR, kernel by kernel (CPU)."""
        return self.stage("llvm")

    @property
    def asm(self) -> Artifact:
        """Machine code, kernel by kernel (CPU)."""
        return self.stage("asm")

    def stage(self, name: str) -> Artifact:
        """A stage by its name, also `hlo-before`. Raises AttributeError if it was not asked for."""
        for artifact in self.artifacts:
            if artifact.stage == name:
                return artifact
        made = ", ".join(artifact.stage for artifact in self.artifacts) or "none"
        raise AttributeError(f"no stage {name!r}: stages=[…] of inspect asked for {made}")

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """All stages, in the order in which they were asked for."""
        return self.report.artifacts

    @property
    def target(self) -> Target:
        """The function: where it is defined, its static and donated arguments, the call's signature."""
        return self.report.target

    @property
    def events(self) -> tuple[CompileEvent, ...]:
        """Each trace, lowering and compilation that this took, with its seconds."""
        return self.report.events

    @property
    def key(self) -> CacheKey | None:
        """The cache key, in memory and on disk; None unless `inspect(…, key=True)` asked for it."""
        return self.keys[0] if self.keys else None

    @property
    def keys(self) -> tuple[CacheKey, ...]:
        """The key, as the report has it: one, or none."""
        return self.report.keys

    def to_json(self) -> str:
        """The document that `jitinspect show --json` prints."""
        return to_json(self.report)

    def __repr__(self) -> str:
        from jitinspect.render import terminal

        return "".join(terminal.render(self.report, color=False)).rstrip("\n")

    def _repr_html_(self) -> str:
        from jitinspect.render import html

        return "".join(html.render(self.report))


class CompileSummary:
    """What was compiled, by function and call site, what that cost, and why: `log.summary()` of a `watch`.

    Prints as the summary of `jitinspect run`, and shows as a page in Jupyter.
    """

    def __init__(self, report: RunReport) -> None:
        self.report = report
        """All of it, as the data that `jitinspect.model.runs` describes."""

    @property
    def functions(self) -> tuple[FunctionCost, ...]:
        """What each function cost, the dearest first."""
        return self.report.functions

    @property
    def sites(self) -> tuple[Site, ...]:
        """What each call site cost, and the causes there."""
        return self.report.sites

    @property
    def totals(self) -> RunTotals:
        """All of it together."""
        return self.report.totals

    def to_json(self) -> str:
        """The document that `jitinspect run --json` prints."""
        return to_json(self.report)

    def __repr__(self) -> str:
        from jitinspect.render import run

        return "".join(run.render(self.report, color=False, width=120)).rstrip("\n")

    def _repr_html_(self) -> str:
        from jitinspect.render import html

        return "".join(html.render_run(self.report))


class CompileLog:
    """What `with jitinspect.watch() as log:` gives: what JAX has done inside so far.

    Compilations are seen whoever jitted the function, and nothing is patched. With `hits`, calls of what
    `jax.jit` returns inside are counted as well. `warmup` is as for `jitinspect run`: what comes after
    it is `late`.
    """

    def __init__(self, hits: bool = False, warmup: str | None = None) -> None:
        asked: Warmup | None = parse_warmup(warmup) if warmup else None
        self._watch = Watch(hits=hits, warmup=asked, since=_SINCE)

    def __enter__(self) -> CompileLog:
        self._watch.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._watch.__exit__(*exception)

    @property
    def events(self) -> tuple[Span, ...]:
        """Each stage, JAX's own work included, in the order of their ends; the first 30,000."""
        return tuple(self._watch.summary.spans)

    @property
    def calls(self) -> tuple[Compilation, ...]:
        """Each call, or other work of the program's, in which JAX traced, lowered or compiled, where and why;
        the first 10,000.
        """
        return tuple(self._watch.summary.compilations)

    @property
    def late(self) -> tuple[Compilation, ...]:
        """Those that compiled after the warm-up."""
        return tuple(self._watch.late)

    @property
    def compilations(self) -> int:
        """How many there were of the program's own."""
        return self.report.totals.compilations

    @property
    def report(self) -> RunReport:
        return replace(self._watch.report(""), command="watch")

    def summary(self) -> CompileSummary:
        """By function and call site what was compiled, what that cost, and why."""
        if self._watch.watcher.fault is not None:
            raise RuntimeError("bug in jitinspect, please report it") from self._watch.watcher.fault
        return CompileSummary(self.report)

    def __repr__(self) -> str:
        return repr(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def watch(hits: bool = False, warmup: str | None = None) -> CompileLog:
    """A context manager: what JAX traces, lowers and compiles inside, and why.

    >>> with jitinspect.watch() as log:  # doctest: +SKIP
    ...     train()
    >>> print(log.summary())  # doctest: +SKIP
    """
    return CompileLog(hits, warmup)


def inspect(
    fn: Any,
    *args: Any,
    stages: Sequence[str] = ("jaxpr", "stablehlo", "hlo"),
    static: Sequence[str | int] = (),
    donate: Sequence[str | int] = (),
    transforms: Sequence[str] = (),
    key: bool = False,
    **kwargs: Any,
) -> Inspection:
    """What `jitinspect show` says of a call of `fn`: each of `stages`, and with `key` the cache key.

    Arguments are arrays, `jax.ShapeDtypeStruct`s or values. Nothing is executed; what is traced and
    compiled stays in JAX's caches, as after `jax.jit(fn).lower(…).compile()`. Raises `jitinspect.errors`.

    >>> inspection = jitinspect.inspect(step, params, batch)  # doctest: +SKIP
    >>> inspection.hlo.text  # doctest: +SKIP
    """
    request = inspection.Request(
        command="show",
        ref="",
        stages=tuple(stages),
        static=tuple(static),
        donate=tuple(donate),
        transforms=tuple(transforms),
        options=Options(),
        key=key,
    )
    return Inspection(inspection.inspect_call(fn, (args, kwargs), request))
