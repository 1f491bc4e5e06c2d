"""File names as a report tells them: relative to the folder in which it was made."""

from __future__ import annotations

import os

_HERE = os.getcwd() + os.sep


def relative(place: str | None) -> str | None:
    """`samples/mlp.py:12` for what lies below the folder that jitinspect was started in."""
    return place.removeprefix(_HERE) if place is not None else None
