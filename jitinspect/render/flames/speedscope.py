"""Stacks in the file format of speedscope (https://www.speedscope.app/file-format-schema.json), version 1."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from jitinspect import __version__
from jitinspect.model.flames import Stack
from jitinspect.render.flames.reports import Flames
from jitinspect.render.flames.tree import boxes, tree

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_PLACE = re.compile(r"(?P<file>\S+\.py):(?P<line>\d+)\b")
"""A line of a source file, as frames have it."""


def to_speedscope(graphs: Sequence[Flames]) -> str:
    """A sampled profile for each graph: one sample a stack, widest first, whose weight is its seconds."""
    frames: dict[str, int] = {}
    profiles = [_profile(flames, frames) for flames in graphs]
    document = {
        "$schema": _SCHEMA,
        "name": graphs[0].name,
        "exporter": f"jitinspect {__version__}",
        "activeProfileIndex": 0,
        "shared": {"frames": list(map(_frame, frames))},
        "profiles": profiles,
    }
    return json.dumps(document, ensure_ascii=False)


def _profile(flames: Flames, frames: dict[str, int]) -> dict[str, Any]:
    """Adds its frames to those that all profiles share, each with its index."""
    samples = list(_samples(flames.stacks))
    return {
        "type": "sampled",
        "name": flames.name,
        "unit": "seconds",
        "startValue": 0,
        "endValue": sum(weight for _, weight in samples),
        "samples": [[frames.setdefault(frame, len(frames)) for frame in path] for path, _ in samples],
        "weights": [weight for _, weight in samples],
    }


def _samples(stacks: Iterable[Stack]) -> Iterator[tuple[tuple[str, ...], float]]:
    """The frames of each box in which time was spent itself, and that time."""
    path: list[str] = []
    for box in boxes(tree(stacks)):
        path[max(box.depth - 1, 0) :] = [box.frame] if box.depth else []
        if box.own > 0:
            yield tuple(path), box.own


def _frame(frame: str) -> dict[str, Any]:
    place = _PLACE.search(frame)
    return {"name": frame} | ({"file": place["file"], "line": int(place["line"])} if place else {})
