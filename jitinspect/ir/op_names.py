"""The `op_name` in the metadata of an HLO instruction: what it was made for.

`jit(f)/while/body/psum` ends in the primitive. An instruction that XLA merged may have the names of all,
`jit(f)/(a/psum:b/psum)` or `jit(f)/a;jit(f)/b` (jaxlib 0.10.2 to 0.12.0.1). That of an argument is its path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OP_NAME = re.compile(r'op_name="((?:[^"\\]|\\.)*)"')
_BETWEEN = re.compile("[:;]")
_WORD = re.compile(r"\w+")


def op_name(line: str) -> str:
    """That of an instruction, by its line or its attributes; "" if it has none."""
    found = _OP_NAME.match(line, line.find("op_name="))
    return found[1].replace("\\'", "'").replace('\\"', '"') if found else ""


def split_names(name: str) -> list[str]:
    """Each name by itself of an instruction that XLA merged: `jit(f)/(a/psum:b/psum)` are two."""
    found: list[str] = []
    for one in name.split(";"):
        before, opened, rest = one.partition("/(")
        if opened and ":" in rest and rest.endswith(")"):
            found += [f"{before}/{part}" for part in rest[:-1].split(":")]
        else:
            found.append(one)
    return found


def primitive(line: str) -> str:
    """The primitive that an instruction was made for, the first of several; "" if that is not known."""
    return next(primitives(line), "")


def primitives(line: str) -> Iterator[str]:
    """Those of all that it was made for; none for an argument, whose name has no path to it."""
    name = op_name(line)
    if "/" not in name:
        return
    for one in _BETWEEN.split(name.strip("()")):
        words = _WORD.findall(one.rpartition("/")[2])
        if words:
            yield words[-1]
