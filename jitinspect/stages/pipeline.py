"""The text of each stage, for which JAX is run as far as needed and no further.

`Pipeline` goes from a traced function towards the executable on demand: if only
the jaxpr is needed, nothing is lowered; if only StableHLO is, nothing is
compiled. `STAGE_READERS` lists the stages; to add one, add a function.
"""

from __future__ import annotations

import hashlib
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import jax

from jitinspect.errors import CompileError, JitinspectError, UnavailableError, UsageError, UserFunctionError
from jitinspect.ir import readable_hlo
from jitinspect.jaxapi.devices import require_backend
from jitinspect.jaxapi.executables.uneven import uneven
from jitinspect.model import Artifact, DiskKey, StageText
from jitinspect.process.tracebacks import user_traceback

if TYPE_CHECKING:
    from jitinspect.jaxapi.keys.disk_key import KeyParts

Made = TypeVar("Made")
ELIDE_ABOVE = 64
"""Constants with more elements than this are elided from StableHLO, in the way of MLIR's own printer."""


LONGEST_SUMMARY = 200
"""How many characters of an error's message are shown; the traceback has all of it."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to read a stage: `raw` asks for JAX's text byte for byte; the others are only for kernels."""

    raw: bool = False
    optimized: bool = True
    library: bool = True


class Pipeline:
    """A function on its way through JAX; each step is run once, when it is first needed.

    Raises `UserFunctionError` if tracing raises, `CompileError` if lowering or XLA
    does, `UnavailableError` if JAX finds no backend.
    """

    has_jaxpr = True
    """Not where a function only stands for a module that was lowered elsewhere."""
    has_lowered = True
    """Not where it stands for one that was compiled elsewhere."""

    def __init__(
        self, trace: Callable[[], Any], platform: str | None = None, device: jax.Device | None = None
    ) -> None:
        self._trace = trace
        self._platform = platform
        self._device = device
        """Where it is lowered for if no argument is an array, and so says it; None for the default device."""

    @cached_property
    def traced(self) -> Any:
        """What `jax.jit(f).trace(…)` returns (`jax.stages.Traced`)."""
        try:
            return self._trace()
        except (Exception, SystemExit) as error:
            message, hint = _explained(error)
            raise UserFunctionError(message, detail=user_traceback(error), hint=hint) from error

    @cached_property
    def lowered(self) -> Any:
        """`jax.stages.Lowered`, for `platform` if one was given."""
        return self.lower()

    def lower(self) -> Any:
        """What `lowered` is made by."""
        traced = self.traced
        require_backend()
        try:
            if self._platform is None:
                with jax.default_device(self._device) if self._device else nullcontext():
                    return traced.lower()
            return traced.lower(lowering_platforms=(self._platform,))
        except Exception as error:
            message, hint = _explained(error)
            detail = user_traceback(error)
            raise CompileError(f"lowering failed: {message}", detail=detail, hint=hint) from error

    @cached_property
    def compiled(self) -> Any:
        """`jax.stages.Compiled`.

        A module lowered for another platform is refused: JAX would silently compile it
        for this machine's platform (seen on 0.10.2 and 0.12.0.1).
        """
        if self._platform is not None:
            raise UnavailableError(
                f"a module lowered for {self._platform!r} is not compiled here",
                hint="leave --platform out to compile for this machine",
            )
        lowered = self.lowered
        try:
            return lowered.compile()
        except JitinspectError:  # of a compiler in another process
            raise
        except Exception as error:
            message, hint = _explained(error)
            raise CompileError(f"XLA failed: {message}", hint=hint) from error

    def keep(self, compiled: Any) -> None:
        """An executable of `lowered` that was made on the way: another one need not be compiled."""
        self.__dict__.setdefault("compiled", compiled)

    def kernels_dump(self, ending: str) -> Any:
        """XLA's dump of its kernels in files of that kind, if there is one; None where it has to be made."""
        return None

    @contextmanager
    def passes_dumped(self, metadata: bool = False) -> Iterator[Mapping[str, Path]]:
        """XLA's dumps of the module after each pass, by their names; the files exist inside. Without
        `metadata` they are smaller.
        """
        from jitinspect.jaxapi.executables import dumps

        with dumps.passes_dumped(self.lowered, metadata) as (folder, compiled):
            self.keep(compiled)
            yield {path.name: path for path in folder.iterdir()}

    def recompiled(self, donated: Sequence[bool], order: Sequence[int] = ()) -> tuple[Any, Any] | None:
        """`Lowered` and `Compiled` with other leaves donated, the outputs in another `order`; None if that
        makes no difference. See `jaxapi.executables.aliasing`.
        """
        from jitinspect.jaxapi.executables import aliasing

        return aliasing.recompiled(self.traced, donated, order, self.lowered)

    def runs(self, jit: Callable[..., Any]) -> Callable[..., Any]:
        """What is called to run it; `jit` is what was traced."""
        return jit

    def disk_key(self) -> DiskKey:
        """The key of the on-disk cache. Compiles nothing."""
        from jitinspect.jaxapi.keys.disk_key import disk_key

        return self._of_key(disk_key)

    def key_parts(self) -> KeyParts:
        """The key of the on-disk cache, and what an entry has of its parts. Compiles nothing."""
        from jitinspect.jaxapi.keys.disk_key import key_parts

        return self._of_key(key_parts)

    def _of_key(self, made: Callable[[Any], Made]) -> Made:
        lowered = self.lowered
        try:
            return made(lowered)
        except UnavailableError:
            raise
        except Exception as error:
            raise CompileError(f"JAX could not make the on-disk key: {_summary(error)}") from error


def _explained(error: BaseException) -> tuple[str, str | None]:
    """What is wrong, in one line, and what to do instead, if that is known."""
    return uneven(_safe_text(error)) or (_summary(error), _static_hint(error))


def _summary(error: BaseException) -> str:
    """The error in one line, as Python would print it: `TypeError: …`."""
    if isinstance(error, SystemExit):
        return f"the function called sys.exit({error.code!r}) while it was traced"
    line = _safe_text(error).strip().split("\n")[0]
    return line if len(line) <= LONGEST_SUMMARY else f"{line[:LONGEST_SUMMARY]}…"


def _static_hint(error: BaseException) -> str | None:
    """Which parameter to make static, if JAX says that a value depends on it (0.10.2, 0.12.0.1)."""
    names = re.search(r"depends on the values? of the arguments? (\w+)", _safe_text(error))
    concrete = isinstance(error, jax.errors.ConcretizationTypeError)
    return f"--static {names[1]}, if it is not an array" if concrete and names else None


def _safe_text(error: BaseException) -> str:
    """`str(error)`, even if that raises."""
    return "".join(traceback.format_exception_only(error))


def jaxpr(pipeline: Pipeline, options: Options) -> StageText:
    """As `str` gives it, but without the colors that JAX adds in a notebook and on a terminal."""
    return StageText(pipeline.traced.jaxpr.pretty_print(use_color=False))


def require_jaxpr(pipeline: Pipeline) -> None:
    """Raises `UnavailableError` if there is none."""
    if not pipeline.has_jaxpr:
        raise UnavailableError(
            "a file has no jaxpr", hint="stablehlo, or hlo; a function MODULE:FUNCTION has one"
        )


def stablehlo(pipeline: Pipeline, options: Options) -> StageText:
    if options.raw:
        return StageText(pipeline.lowered.as_text())
    module = pipeline.lowered.compiler_ir("stablehlo")
    text = module.operation.get_asm(large_elements_limit=ELIDE_ABOVE)
    elided = text.count("dense_resource<__elided__>")
    notes = (f"{elided} large constant(s) elided; --raw prints them",) if elided else ()
    return StageText(text, notes=notes)


def compiled_text(pipeline: Pipeline) -> str:
    """JAX's own text. Raises `UnavailableError` if there is none."""
    text: str | None = pipeline.compiled.as_text()
    if text is None:
        raise UnavailableError("this backend does not print its compiled HLO")
    return text


def hlo(pipeline: Pipeline, options: Options) -> StageText:
    text = compiled_text(pipeline)
    return StageText(text if options.raw else readable_hlo.readable(text))


def hlo_before(pipeline: Pipeline, options: Options) -> StageText:
    """The HLO that XLA is given; compiles nothing."""
    text = pipeline.lowered.as_text(dialect="hlo")
    return StageText(text if options.raw else readable_hlo.readable(text))


def llvm(pipeline: Pipeline, options: Options) -> StageText:
    from jitinspect.stages import kernels  # which most commands do not need

    if (dump := pipeline.kernels_dump(".ll")) is not None:
        return kernels.llvm_of(dump, options.optimized)
    return kernels.llvm(pipeline.lowered, optimized=options.optimized, expose_library=not options.library)


def asm(pipeline: Pipeline, options: Options) -> StageText:
    from jitinspect.stages import kernels

    if (dump := pipeline.kernels_dump(".o")) is not None:
        return kernels.asm_of(dump)
    return kernels.asm(pipeline.lowered, expose_library=not options.library)


STAGE_READERS: dict[str, Callable[[Pipeline, Options], StageText]] = {
    "jaxpr": jaxpr,
    "stablehlo": stablehlo,
    "hlo": hlo,
    "hlo-before": hlo_before,
    "llvm": llvm,
    "asm": asm,
}


def artifact(stage: str, stage_text: StageText) -> Artifact:
    """The stage's text as part of a report."""
    digest = hashlib.sha256(stage_text.text.encode()).hexdigest()
    return Artifact(stage, stage_text.text, digest, kernels=stage_text.kernels)


def unavailable(stage: str, why: str) -> Artifact:
    """Stands for a stage that is not available. It is a value, so that the other stages are still shown."""
    return Artifact(stage, "", hashlib.sha256(b"").hexdigest(), unavailable=why)


def platform_error(platform: str) -> UnavailableError | UsageError | None:
    """An error unless JAX can lower for `platform`: cpu, cuda, rocm or tpu, whatever is installed. A word
    that names no platform at all is a `UsageError`.
    """
    known = ("cpu", "cuda", "rocm", "tpu")
    if platform in known:
        return None
    message = f"JAX cannot lower for platform {platform!r}"
    if platform in ("gpu", "nvidia", "amd"):
        return UnavailableError(message, hint="cuda or rocm")
    return UsageError(message, hint=", ".join(known))
