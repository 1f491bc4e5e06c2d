"""Inspect, read and watch from Python: what the command line says, as objects that print as it prints.

`inspect` goes by `stages`, `read` by `readings`, `watch` by `programs`, and all print by `render`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from jitinspect.errors import UsageError
from jitinspect.model import Artifact, CacheKey, CompileEvent, Report, Target
from jitinspect.model.program_profiles import ProgramProfile
from jitinspect.model.runs import Compilation, FunctionCost, RunReport, RunTotals, Site, Span
from jitinspect.programs.limits import Warmup, parse_warmup
from jitinspect.programs.watch import Watch
from jitinspect.readings.profiling.whole_program import ProgramRecorder
from jitinspect.render.json import to_json
from jitinspect.render.text import Painter
from jitinspect.stages import inspection
from jitinspect.stages.pipeline import Options

if TYPE_CHECKING:
    from jitinspect.render.json import AnyReading

Made = TypeVar("Made")
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


class Profiling:
    """What `with jitinspect.profile() as p:` gives: once the `with` has ended, where the time in it went.

    Prints as `jitinspect run --profile` tells it, and shows as a page in Jupyter.
    """

    def __init__(self) -> None:
        self._recorder = ProgramRecorder()
        self._watch = Watch()

    def __enter__(self) -> Profiling:
        self._watch.__enter__()
        try:
            self._recorder.start()
        except BaseException:
            self._watch.__exit__()
            raise
        return self

    def __exit__(self, *exception: Any) -> None:
        self._recorder.stop()
        self._watch.__exit__(*exception)

    @cached_property
    def report(self) -> RunReport:
        """What was compiled, and as its `profile` what ran. Raises RuntimeError inside the `with`."""
        if not self._recorder.has_ended:
            raise RuntimeError("the time is told once the with block has ended")
        if self._recorder.failure is not None:
            raise RuntimeError("nothing more was recorded") from self._recorder.failure
        report = replace(self._watch.report(""), command="watch")
        return self._recorder.added_to(report)

    @property
    def profile(self) -> ProgramProfile:
        """The seconds by function, line, loop and operation."""
        assert self.report.profile is not None
        return self.report.profile

    def to_json(self) -> str:
        """The document that `jitinspect run --profile --json` prints."""
        return to_json(self.report)

    def __repr__(self) -> str:
        from jitinspect.render import program_profile

        if not self._recorder.has_ended:
            return "<a profile that has not ended>"
        return "".join(program_profile.render(self.profile, Painter(False), width=120)).rstrip("\n")

    def _repr_html_(self) -> str:
        from jitinspect.render import html

        return "".join(html.render_run(self.report))


def profile() -> Profiling:
    """A context manager: measures what jitted functions run inside, by function and by Python line.

    Wait for results inside, with `jax.block_until_ready`: what still runs at its end is not measured. A
    profile that is made inside with `jax.profiler` is as it would be alone, and not measured. Raises
    `jitinspect.errors.UnavailableError` where another profile is under way.

    >>> with jitinspect.profile() as p:  # doctest: +SKIP
    ...     jax.block_until_ready(train())
    >>> print(p)  # doctest: +SKIP
    >>> p.profile.by_line[0]  # doctest: +SKIP
    """
    return Profiling()


def inspect(
    fn: Any,
    *args: Any,
    stages: Sequence[str] = ("jaxpr", "stablehlo", "hlo"),
    static: Sequence[str | int] = (),
    donate: Sequence[str | int] = (),
    transforms: Sequence[str] = (),
    key: bool = False,
    target: str | None = None,
    full: bool = False,
    timeout: float | None = None,
    **kwargs: Any,
) -> Inspection:
    """What `jitinspect show` says of a call of `fn`: each of `stages`, and with `key` the cache key.

    Arguments are arrays, `jax.ShapeDtypeStruct`s or values. Nothing is executed; what is traced and
    compiled stays in JAX's caches, as after `jax.jit(fn).lower(…).compile()`. Raises `jitinspect.errors`.

    `target` is a device that need not be here, `v5e`, `v5e:4x4` or `h100`, as for `--target`; `fn` must then
    have a name in a module, since a worker imports it. `full` waits for the compiler's end, at most `timeout`
    seconds.

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
        key=key and target is None,
        full=full,
    )
    return Inspection(_made(inspection.inspect_call, fn, (args, kwargs), request, target, timeout))


class Reading:
    """What `jitinspect.read` finds: `report` has it as data. Prints as the command of that name does."""

    def __init__(self, report: AnyReading) -> None:
        self.report = report
        """All of it, as the data that `jitinspect.model.readings` and `jitinspect.model.fit` describe."""

    def to_json(self) -> str:
        """The document that the command prints with `--json`."""
        return to_json(self.report)

    def __repr__(self) -> str:
        from jitinspect.render import readings

        return "".join(readings.render(self.report, color=False, width=120)).rstrip("\n")

    def _repr_html_(self) -> str:
        from jitinspect.render import html

        return "".join(html.render_reading(self.report))


def read(
    reading: str,
    fn: Any,
    *args: Any,
    static: Sequence[str | int] = (),
    donate: Sequence[str | int] = (),
    transforms: Sequence[str] = (),
    target: str | None = None,
    full: bool = False,
    timeout: float | None = None,
    **kwargs: Any,
) -> Reading:
    """What `jitinspect READING` says of a call of `fn`, such as `cost` or `collectives`: those in `READINGS`.

    Arguments, `target`, `full` and `timeout` are as for `inspect`; `fit` needs a target. Raises
    `jitinspect.errors`, `UsageError` for a reading that does not exist.

    >>> jitinspect.read("fit", step, params, batch, target="v5e").report.fit[0].fits  # doctest: +SKIP
    """
    if reading not in READINGS or (reading == "fit" and target is None):
        hint = 'target="v5e"' if reading == "fit" else ", ".join(READINGS)
        raise UsageError(
            "fit needs a device to fit on" if reading == "fit" else f"no reading {reading!r}", hint=hint
        )
    if reading == "profile" and target is not None:
        raise UsageError("profile runs the function, on a device that is here", hint="leave target out")
    request = inspection.Request(
        command=reading,
        ref="",
        stages=(),
        static=tuple(static),
        donate=tuple(donate),
        transforms=tuple(transforms),
        full=full,
    )
    return Reading(_made(_read_call, fn, (args, kwargs), request, target, timeout))


READINGS = (
    "source", "cost", "fit", "collectives", "sharding", "donation", "constants", "passes",
    "compile-time", "profile",
)  # fmt: skip


def _made(
    work: Callable[[Any, Any, inspection.Request], Made],
    fn: Any,
    call: tuple[tuple[Any, ...], dict[str, Any]],
    request: inspection.Request,
    target: str | None,
    timeout: float | None,
) -> Made:
    """`work(fn, call, request)`, in a worker if there is a target."""
    if target is None:
        return work(fn, call, request)
    from jitinspect.devices.names import parse_device
    from jitinspect.stages.elsewhere import carry_out_elsewhere

    weigh = request.command == "fit"
    return carry_out_elsewhere(work, fn, call, request, parse_device(target), timeout, weigh)


def _read_call(fn: Any, call: tuple[tuple[Any, ...], dict[str, Any]], request: inspection.Request) -> Any:
    """The report of the reading that the request names."""
    reader = import_module(f"jitinspect.readings.{request.command.replace('-', '_')}").read
    if request.command == "fit":
        reader = partial(reader, devices=[request.device], full=request.full)
    return inspection.read_call(fn, call, request, reader)
