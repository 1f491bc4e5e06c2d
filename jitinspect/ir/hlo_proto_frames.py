"""The tables of stack frames in an `HloModuleProto` → where in the Python source the module came from.

`ir.hlo_stack_frames` reads the same tables of a module's text. The fields are those of XLA's
`StackFrameIndexProto`, whose tables follow each other (jaxlib 0.8.3 to 0.12.0.1).

A folder may hold thousands of modules. So the tables are looked for from the end of a module, where they are,
and not by a walk through all that is before them; expressions read them ten times as fast as a loop would;
and those of a function that was compiled for several shapes, which are alike, are read once.
"""

from __future__ import annotations

import re
from functools import lru_cache

from jitinspect.ir.program import Frame
from jitinspect.ir.wire_format import varint, varint_at

_TABLES = b"\x8a\x01"
"""The key of the tables in a module, field 17."""
_TRIES = 16
"""Places that look like that key, and are none, before it is given up: a file that is not ours may have any
number of them.
"""
_FILE_NAME, _FUNCTION_NAME = 1 << 3 | 2, 2 << 3 | 2
_NUMBER = rb"(?:[\x80-\xff]*[\x00-\x7f])"
_LOCATION = rb"\x1a.\x08(%b)\x10(%b)(?:\x18(%b))?(?:[\x20\x28\x30]%b)*" % ((_NUMBER,) * 4)
"""A row of file locations: the numbers of its file and its function, from 1, its line, and columns."""
_FRAME = rb"\x22.\x08(%b)(?:\x10%b)?" % (_NUMBER, _NUMBER)
"""A row of stack frames: the numbers of its location and its parent, from 1."""
_LOCATIONS, _FRAMES = re.compile(_LOCATION, re.DOTALL), re.compile(_FRAME, re.DOTALL)
_ROWS = re.compile(rb"(?P<locations>(?:%b)*)(?P<frames>(?:%b)*)" % (_LOCATION, _FRAME), re.DOTALL)
_MARKS = re.compile(r"\W|_")

Row = tuple[bytes, ...]
"""Numbers as they are encoded, empty if they are left out."""


def origin(message: bytes, begin: int, end: int, module: str) -> Frame | None:
    """The function that a module is named after, at its first line that left an instruction; of a module that
    JAX made for itself (`jit_iota`) the line that called for it. None if the module has no tables.
    """
    at = end
    for _ in range(_TRIES):
        at = message.rfind(_TABLES, begin, at)
        if at < 0:
            break
        try:
            length, start = varint_at(message, at + len(_TABLES))
            if start + length <= end:
                return _origin(message[start : start + length], module)
        except ValueError:
            continue
    return None


@lru_cache(1024)
def _origin(tables: bytes, module: str) -> Frame | None:
    """Raises `ValueError` if these are no tables."""
    files, at = _names(tables, _FILE_NAME, 0)
    functions, at = _names(tables, _FUNCTION_NAME, at)
    rows = _ROWS.fullmatch(tables, at)
    if rows is None or not functions:
        raise ValueError("no tables of stack frames")
    locations = _LOCATIONS.findall(rows["locations"])
    wanted = _letters(module.partition("_")[2])
    named = {n for n, name in enumerate(functions, 1) if _letters(name.rpartition(".")[2]) == wanted}
    inside = [row for row in locations if varint(row[1]) in named]
    row = min(inside, key=_line) if inside else _of_last(_FRAMES.findall(rows["frames"]), locations)
    file, function = (varint(number) for number in row[:2])
    if not (0 < file <= len(files) and 0 < function <= len(functions)):
        return None
    return Frame(files[file - 1], _line(row), functions[function - 1])


def _names(tables: bytes, key: int, at: int) -> tuple[list[str], int]:
    """The table of names that begins here, and where it ends."""
    names = []
    while at < len(tables) and tables[at] == key:
        length, begin = varint_at(tables, at + 1)
        at = begin + length
        names.append(tables[begin:at].decode(errors="replace"))
    return names, at


def _of_last(frames: list[bytes], locations: list[Row]) -> Row:
    """The location of the last stack's innermost frame: callers come before those that they call."""
    last = varint(frames[-1]) if frames else 0
    return locations[last - 1] if 0 < last <= len(locations) else _NOWHERE


_NOWHERE = (b"\0", b"\0", b"")


def _line(row: Row) -> int:
    return varint(row[2]) if row[2] else 0


def _letters(name: str) -> str:
    """JAX writes `jit__lambda` for `<lambda>`."""
    return _MARKS.sub("", name)
