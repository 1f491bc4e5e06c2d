"""What `fit` finds: whether a call fits into the memory of a device, and what takes it.

Sizes are in bytes, those of one device. `line` is a line of the user's code, `file:line`. A step is an
index in the schedule: the order in which the compiled program's instructions run, bodies of loops once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from jitinspect.model.base import SCHEMA, Environment
from jitinspect.model.explorations import Exploration
from jitinspect.model.stages import CompileEvent, Target


@dataclass(frozen=True, slots=True)
class LiveBuffer:
    """What takes memory at the peak. `live` is the first and the last step at which its value is alive, None
    if XLA does not tell; `argument` is the path of an argument, `params['w']`.

    `is_alive` is False if the memory is only kept: for an output that is not written yet, or for an argument
    that is no longer needed. `shares` is how many values lie in it at the peak, such as the state of a loop.
    """

    bytes: int
    type: str
    line: str | None
    argument: str | None
    live: tuple[int, int] | None
    kind: Literal["argument", "output", "constant", "temp"]
    instruction: str
    is_alive: bool = True
    shares: int = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """The step of the peak, of `steps`, and the instruction that runs then."""

    step: int
    steps: int
    instruction: str
    line: str | None


@dataclass(frozen=True, slots=True)
class Rematerialized:
    """Instructions that XLA runs again to save memory, of one line: their names, and their results' bytes."""

    line: str | None
    instructions: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class FitStep:
    """A size that was tried in the search for the largest. `needed_bytes` is None if it is not known;
    `certain` is as in `Fit`.
    """

    size: int
    fits: bool
    needed_bytes: int | None
    limit_bytes: int
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the compiler said when it refused: its first line, and its own figures, rounded as it rounds them;
    None where it gives none. `memory` is what overflowed: `HBM`, `VMEM`.
    """

    message: str
    needed_bytes: int | None = None
    limit_bytes: int | None = None
    memory: str | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """One call on one device, `target`.

    `needed_bytes` is all that the program reserves in the device's memory, of which there are `limit_bytes`;
    the difference is `left_bytes`, negative if it does not fit. `peak_bytes` is what it holds at its fullest
    moment: arguments, outputs, constants and the temporaries that are alive; `unused_bytes` is the rest, gaps
    between temporaries. `code_bytes` is the machine code, which takes memory too; it is known only if `full`.

    `taken_bytes` is what JAX takes of a GPU's memory by default, None for other devices.

    `full` is whether it was compiled to the end, otherwise only until memory is assigned. `elsewhere` is what
    it takes in other memories: `{"VMEM": 1024}`. `xla` has the sums of `memory_analysis()` if `full`.

    `certain` is False if the full compile may decide otherwise: what is left, or lacks, is less than the code
    may take, and the compiler, which can refuse a program, was not asked to the end.

    `searched` is the dimension whose largest size was looked for. `largest` has it, None if none fits or none
    was searched; `refused_size` is the next one, which does not fit; `steps` are all sizes that were tried.
    All else is about the largest size, or if none fits, the first one.

    `as_compiled` says that it was read from a file, and that nothing was compiled for `target`.

    Figures are None if the compiler did not say where it puts what; `unknown` says why.

    The program runs on so many `devices`, of which all figures are those of one. That sends `wire_bytes` to
    others, in so many `collectives`; None if the program is not known.
    """

    target: str
    fits: bool
    limit_bytes: int
    peak_bytes: int | None
    argument_bytes: int | None
    output_bytes: int | None
    temporary_bytes: int | None
    full: bool
    buffers: tuple[LiveBuffer, ...]
    largest: Mapping[str, int] | None = None
    needed_bytes: int | None = None
    left_bytes: int | None = None
    unused_bytes: int | None = None
    aliased_bytes: int | None = None
    constant_bytes: int | None = None
    code_bytes: int | None = None
    taken_bytes: int | None = None
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    moment: Moment | None = None
    rematerialized: tuple[Rematerialized, ...] = ()
    refusal: Refusal | None = None
    refused_size: int | None = None
    steps: tuple[FitStep, ...] = ()
    searched: str | None = None
    xla: Mapping[str, int] = field(default_factory=dict)
    unknown: str | None = None
    certain: bool = True
    signature: str = ""
    dims: Mapping[str, int] = field(default_factory=dict)
    devices: int = 1
    collectives: int | None = None
    wire_bytes: int | None = None
    as_compiled: bool = False


@dataclass(frozen=True, slots=True)
class FitReport:
    """`fit` has an element for each call and each device. No device was involved in any of them."""

    command: str
    target: Target
    fit: tuple[Fit, ...]
    events: tuple[CompileEvent, ...] = ()
    environment: Environment | None = None
    exploration: Exploration | None = None
    schema: int = SCHEMA
