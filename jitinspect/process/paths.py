"""File names as reports show them: relative to the folder in which the report was made."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Callable
from functools import cache
from typing import overload

_HERE = os.getcwd() + os.sep


def no_cell(file: str) -> str | None:
    """For `name_cells`: nothing is a cell."""
    return None


_name_of_cell: Callable[[str], str | None] = no_cell


def name_cells(name: Callable[[str], str | None]) -> None:
    """From now on `name(file)` says what to call the cell of a notebook that Python calls `file`, and
    returns None for anything else. There is no such file: `linecache` has its lines.
    """
    global _name_of_cell
    _name_of_cell = name


def is_cell(file: str) -> bool:
    """Whether it is the source of a cell, or something else that was typed in and is no file."""
    return file.startswith("<") or _name_of_cell(file) is not None


@overload
def relative(place: str) -> str: ...


@overload
def relative(place: None) -> None: ...


def relative(place: str | None) -> str | None:
    """`samples/mlp.py:12` for a file below the folder that jitinspect was started in, `cell [3]:2` for a line
    of a notebook's cell.
    """
    return with_cell_named(place).removeprefix(_HERE) if place is not None else None


def with_cell_named(place: str) -> str:
    """A file, or a line of one, under the name that readers know if it is a cell."""
    file, colon, line = place.rpartition(":")
    if not line.isdigit():
        file, colon, line = place, "", ""
    name = _name_of_cell(file)
    return f"{name}{colon}{line}" if name is not None else place


@cache
def is_installed(path: str) -> bool:
    """Whether the file belongs to Python itself or to an installed package."""
    folders = (sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib", "platlib"))
    return path.startswith((*folders, "<frozen"))


@cache
def package(path: str) -> str | None:
    """Which installed package the file belongs to, by the name of its folder or file; None for Python's own
    files and for those that are not installed.
    """
    folders = (sysconfig.get_path(name) + os.sep for name in ("purelib", "platlib"))
    found = next((folder for folder in folders if path.startswith(folder)), None)
    return path.removeprefix(found).split(os.sep)[0].removesuffix(".py") if found else None
