"""`llvm` and `asm` side by side, of one compilation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

from jitinspect.errors import UnavailableError
from jitinspect.model import StageText
from jitinspect.stages import kernels
from jitinspect.stages.pipeline import Pipeline


def kernel_texts(pipeline: Pipeline) -> dict[str, StageText | UnavailableError]:
    """`llvm` and `asm`, or why there is none. Without a dump, this compiles, and keeps what it made."""
    texts: dict[str, StageText | UnavailableError] = {}
    readers = (("llvm", ".ll", kernels.llvm_of), ("asm", ".o", kernels.asm_of))
    with ExitStack() as opened:
        made = cache(lambda: opened.enter_context(_kernels_dumped(pipeline)))
        for stage, ending, read in readers:
            try:
                texts[stage] = read(pipeline.kernels_dump(ending) or made())
            except UnavailableError as error:
                texts[stage] = error
    return texts


@contextmanager
def _kernels_dumped(pipeline: Pipeline) -> Iterator[Any]:
    with kernels.dump_of(pipeline.lowered) as dump:
        pipeline.keep(dump.compiled)
        yield dump
