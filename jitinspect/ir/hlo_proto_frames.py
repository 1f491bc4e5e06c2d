"""The tables of stack frames in an `HloModuleProto` → where in the Python source the module came from.

`ir.hlo_stack_frames` reads the same tables of a module's text. The fields are those of XLA's
`StackFrameIndexProto`, whose tables follow each other (jaxlib 0.8.3 to 0.12.0.1). Expressions read them ten
times as fast as a loop would, which a folder of thousands of modules is worth.
"""

from __future__ import annotations

import re

from jitinspect.ir.program import Frame
from jitinspect.ir.wire_format import Place, varint, varint_at

_FILE_NAME, _FUNCTION_NAME = 1 << 3 | 2, 2 << 3 | 2
_NUMBER = rb"([\x80-\xff]*[\x00-\x7f])"
_LOCATION = re.compile(rb"\x1a.\x08%b\x10%b(?:\x18%b)?(?:[\x20\x28\x30]%b)*" % ((_NUMBER,) * 4), re.DOTALL)
"""A row of file locations: the numbers of its file and its function, from 1, its line, and columns."""
_FRAME = re.compile(rb"\x22.\x08%b(?:\x10%b)?" % ((_NUMBER,) * 2), re.DOTALL)
"""A row of stack frames: the numbers of its location and its parent, from 1."""
_MARKS = re.compile(r"\W|_")


def origin(message: bytes, tables: Place, module: str) -> Frame | None:
    """The function that the module is named after, at its first line that left an instruction. For a module
    that JAX made for itself (`jit_iota`) it is the line that called for it. None if the tables are empty.
    """
    files, at = _names(message, _FILE_NAME, *tables)
    functions, at = _names(message, _FUNCTION_NAME, at, tables[1])
    rows = list(_LOCATION.finditer(message, at, tables[1]))
    wanted = _letters(module.partition("_")[2])
    named = {n for n, name in enumerate(functions, 1) if _letters(name.rpartition(".")[2]) == wanted}
    frames = [_frame(row, files, functions) for row in rows if varint(row[2]) in named]
    if frames or not rows:
        return min(filter(None, frames), key=lambda frame: frame.line, default=None)
    callers_first = _FRAME.findall(message, rows[-1].end(), tables[1])
    last = varint(callers_first[-1][0]) if callers_first else 0
    return _frame(rows[last - 1], files, functions) if 0 < last <= len(rows) else None


def _names(message: bytes, key: int, at: int, end: int) -> tuple[list[str], int]:
    """The table that begins here, and where it ends."""
    names = []
    while at < end and message[at] == key:
        length, begin = varint_at(message, at + 1)
        at = min(begin + length, end)
        names.append(message[begin:at].decode(errors="replace"))
    return names, at


def _frame(row: re.Match[bytes], files: list[str], functions: list[str]) -> Frame | None:
    """None for a row that names no file, or no function, of the tables."""
    file, function = varint(row[1]), varint(row[2])
    if not (0 < file <= len(files) and 0 < function <= len(functions)):
        return None
    return Frame(files[file - 1], varint(row[3] or b"\0"), functions[function - 1])


def _letters(name: str) -> str:
    """JAX writes `jit__lambda` for `<lambda>`."""
    return _MARKS.sub("", name)
