"""`watch`: what JAX compiles inside a `with`, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jitinspect.model.runs import Compilation, FunctionCost, RunReport, RunTotals, Site, Span
from jitinspect.programs.limits import Warmup, parse_warmup
from jitinspect.programs.watch import Watch
from jitinspect.render.json import to_json

_SINCE = " since the watch began"


class CompileSummary:
    """What was compiled, by function and call site, what that cost, and why: `log.summary()` of a `watch`.

    Prints as the summary of `jitinspect run`, and shows itself in a notebook.
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
        from jitinspect.render import fragments

        return fragments.of_run(self.report)


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
