"""File names as reports show them: relative to the folder in which the report was made."""

from __future__ import annotations

import os
import sysconfig
from functools import cache
from typing import overload

_HERE = os.getcwd() + os.sep


@overload
def relative(place: str) -> str: ...


@overload
def relative(place: None) -> None: ...


def relative(place: str | None) -> str | None:
    """`samples/mlp.py:12` for a file below the folder that jitinspect was started in."""
    return place.removeprefix(_HERE) if place is not None else None


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
