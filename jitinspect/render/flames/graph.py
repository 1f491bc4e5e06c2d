"""Stacks as an interactive flame graph: a section of a page, with its script and its style, nothing from
elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from jitinspect.render.flames.reports import Flames
from jitinspect.render.flames.tree import boxes, tree

_WITHOUT_SCRIPT = "The graph needs JavaScript. The text below has the same figures."


def style() -> str:
    """The style sheet that `graph` needs."""
    return _text("flames.css")


def graph(flames: Flames) -> Iterator[str]:
    """The section, with the name in the box around all others."""
    yield f'<section class="flames">\n<noscript>{_WITHOUT_SCRIPT}</noscript>\n'
    data = json.dumps(columns(flames), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    yield f'<script type="application/json" class="flames-data">{data}</script>\n'
    yield f"<script>{script()}</script>\n</section>\n"


def script() -> str:
    """What each section runs, as it stands there."""
    return f"\n{_text('flames.js')}"


def columns(flames: Flames) -> dict[str, list[Any]]:
    """An item for each box, those inside a box after it."""
    all_boxes = list(boxes(tree(flames.stacks, flames.name)))
    frames = {frame: at for at, frame in enumerate(dict.fromkeys(box.frame for box in all_boxes))}
    return {
        "frames": list(frames),
        "frame": [frames[box.frame] for box in all_boxes],
        "depth": [box.depth for box in all_boxes],
        "seconds": [float(f"{box.seconds:.6g}") for box in all_boxes],
    }


def _text(file: str) -> str:
    return resources.files("jitinspect.render.pages").joinpath(file).read_text(encoding="utf-8")
