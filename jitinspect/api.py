"""Watch and inspect from Python: what the command line tells, as objects that print as it prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from jitinspect.model import Report
from jitinspect.model.runs import Compilation, RunReport, Span
from jitinspect.programs.limits import Warmup, parse_warmup
from jitinspect.programs.watch import Watch
from jitinspect.render.json import AnyReport, to_json
from jitinspect.stages import inspection
from jitinspect.stages.pipeline import Options

R = TypeVar("R", Report, RunReport)
_SINCE = " since the watch began"


class Told(Generic[R]):
    """A report: `.report` is its data, each of whose fields can be asked for here as well; it prints as in a
    terminal, and is a page of its own in Jupyter.
    """

    def __init__(self, report: R) -> None:
        self.report: R = report

    def __getattr__(self, name: str) -> Any:
        return getattr(self.report, name)

    def __repr__(self) -> str:
        return "".join(_text(self.report)).rstrip("\n")

    def _repr_html_(self) -> str:
        return "".join(_html(self.report))

    def to_json(self) -> str:
        """The document that `--json` prints."""
        return to_json(self.report)


def _text(report: AnyReport) -> Iterator[str]:
    from jitinspect.render import run, terminal

    if isinstance(report, RunReport):
        return run.render(report, color=False, width=120)
    assert isinstance(report, Report)
    return terminal.render(report, color=False)


def _html(report: AnyReport) -> Iterator[str]:
    from jitinspect.render import html

    return html.render_run(report) if isinstance(report, RunReport) else html.render(report)  # type: ignore[arg-type]


class CompileLog:
    """What `with jitinspect.watch() as log:` gives: what JAX did inside, as far as it has come.

    Only what is compiled is seen, by whomever it was jitted, and nothing is patched. With `hits` the calls of
    what `jax.jit` returns inside are counted as well. `warmup` is as for `jitinspect run`: what comes after
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

    def summary(self) -> Told[RunReport]:
        """By function and call site what was compiled, what that cost, and why."""
        if self._watch.watcher.fault is not None:
            raise RuntimeError("a fault of jitinspect, please report it") from self._watch.watcher.fault
        return Told(self.report)

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
) -> Told[Report]:
    """The report of `jitinspect show` for a call of `fn`: its text for each of `stages`, and with `key` its
    cache key. Arguments are arrays, `jax.ShapeDtypeStruct`s or values.

    Nothing is executed; what is traced and compiled stays in JAX's caches, as after
    `jax.jit(fn).lower(…).compile()`. Raises the errors of `jitinspect.errors`.
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
    return Told(inspection.inspect_call(fn, (args, kwargs), request))
