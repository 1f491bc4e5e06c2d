"""`inspect` and `read`: stages, keys and readings of a function in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from jitinspect.errors import UsageError
from jitinspect.model import Artifact, CacheKey, CompileEvent, Report, Target
from jitinspect.process.paths import with_cell_named
from jitinspect.render.json import to_json
from jitinspect.stages import inspection
from jitinspect.stages.pipeline import Options
from jitinspect.targets.arguments.build import Call

if TYPE_CHECKING:
    from jitinspect.render.json import AnyReading

Made = TypeVar("Made", bound=Any)


class Inspection:
    """What a function becomes: the result of `jitinspect.inspect`.

    Each stage that was asked for is an attribute, a `jitinspect.model.Artifact`: `inspection.jaxpr.text`,
    `inspection.hlo.text`; its text is empty where `unavailable` says why there is none. Prints as
    `jitinspect show` does, and shows itself in a notebook.
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
        from jitinspect.render import fragments

        return fragments.of_inspection(self.report)


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
    return inspected(
        fn, (args, kwargs), stages=stages, static=static, donate=donate, transforms=transforms, key=key,
        target=target, full=full, timeout=timeout,
    )  # fmt: skip


def inspected(
    fn: Any,
    call: Call,
    *,
    stages: Sequence[str],
    static: Sequence[str | int] = (),
    donate: Sequence[str | int] = (),
    transforms: Sequence[str] = (),
    key: bool = False,
    target: str | None = None,
    full: bool = False,
    timeout: float | None = None,
) -> Inspection:
    """`inspect` for arguments of any names."""
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
    return Inspection(_made(inspection.inspect_call, fn, call, request, target, timeout))


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
        from jitinspect.render import fragments

        return fragments.of_reading(self.report)


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
    return reading_of(
        reading, fn, (args, kwargs), static=static, donate=donate, transforms=transforms, target=target,
        full=full, timeout=timeout,
    )  # fmt: skip


def reading_of(
    reading: str,
    fn: Any,
    call: Call,
    *,
    static: Sequence[str | int] = (),
    donate: Sequence[str | int] = (),
    transforms: Sequence[str] = (),
    target: str | None = None,
    full: bool = False,
    timeout: float | None = None,
) -> Reading:
    """`read` for arguments of any names."""
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
    return Reading(_made(_read_call, fn, call, request, target, timeout))


READINGS = (
    "source", "cost", "fit", "collectives", "sharding", "donation", "constants", "passes",
    "compile-time", "profile",
)  # fmt: skip


def _made(
    work: Callable[[Any, Any, inspection.Request], Made],
    fn: Any,
    call: Call,
    request: inspection.Request,
    target: str | None,
    timeout: float | None,
) -> Made:
    """`work(fn, call, request)`, in a worker if there is a target."""
    if target is None:
        return _with_cells_named(work(fn, call, request))
    from jitinspect.devices.names import parse_device
    from jitinspect.stages.elsewhere import carry_out_elsewhere

    weigh = request.command == "fit"
    return carry_out_elsewhere(work, fn, call, request, parse_device(target), timeout, weigh)


def _with_cells_named(report: Made) -> Made:
    """The function, and the lines of events, by the cell of a notebook that they are in, if they are."""
    target = report.target
    events = tuple(
        replace(event, source=with_cell_named(event.source)) if event.source else event
        for event in report.events
    )
    file = with_cell_named(target.file) if target.file else None
    return replace(report, target=replace(target, file=file), events=events)


def _read_call(fn: Any, call: Call, request: inspection.Request) -> Any:
    """The report of the reading that the request names."""
    reader = import_module(f"jitinspect.readings.{request.command.replace('-', '_')}").read
    if request.command == "fit":
        reader = partial(reader, devices=[request.device], full=request.full)
    return inspection.read_call(fn, call, request, reader)
