"""Which Python function an executable is of, by its name and by the Python frames in its HLO."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from jitinspect.ir.attribution import is_users
from jitinspect.ir.program import Frame, Program
from jitinspect.ir.source_files import SourceFiles

_PREFIX = re.compile(r"^(?:jit|pmap)_")
_LAMBDA = "<lambda>"
_NOT_A_NAME = re.compile(r"[^\w.-]")


def function_of(module: str) -> str:
    """`step` of `jit_step`: JAX's name for what it compiles."""
    name = _PREFIX.sub("", module)
    return _LAMBDA if name.strip("_") == "lambda" else name or module


class Definitions:
    """`of(module, program)` is `file:line` of the jitted function, as `co_firstlineno` has it."""

    def __init__(self, sources: SourceFiles) -> None:
        self._sources = sources

    def of(self, module: str, program: Program) -> str | None:
        """None where no frame has its name."""
        frames = Counter(frame for frame in self._frames(module, program))
        if not frames:
            return None
        (frame, _), *_ = frames.most_common(1)
        return f"{frame.file}:{self._first_line(frame)}"

    def _frames(self, module: str, program: Program) -> Iterator[Frame]:
        """Of each operation the outermost frame of that name, the user's before a library's; of lambdas, of
        which callers have others, the innermost.
        """
        name = function_of(module)
        for operation in program.operations():
            frames = operation.frames if name == _LAMBDA else operation.frames[::-1]
            found = [one for one in frames if _sanitized(_last(one.function)) == _sanitized(name)]
            yield from ([one for one in found if is_users(one.file)] or found)[:1]

    def _first_line(self, frame: Frame) -> int:
        """That of the innermost function around the frame's line that has its name."""
        name = _last(frame.function)
        spans = [span for span in self._sources[frame.file].named(name) if frame.line in span]
        return max((span.start for span in spans), default=frame.line)


def _last(qualified: str) -> str:
    return qualified.rpartition(".")[2]


def _sanitized(name: str) -> str:
    """As in the name of a module."""
    return _NOT_A_NAME.sub("", name).strip("_")
