"""Stacks as an interactive flame graph: a section of a page, with its script and its style, nothing from
elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources

from jitinspect.render.flames.reports import Flames
from jitinspect.render.flames.tree import boxes, tree

_SECTION = """<section class="flames">
<h2>Flame graph</h2>
<noscript>The graph needs JavaScript. The text below has the same figures.</noscript>
<div class="flames-tools">
<input type="search" class="flames-search" placeholder="Search" aria-label="Search the boxes">
<button type="button" class="flames-reset" disabled>Show all</button>
<output class="flames-found"></output>
</div>
<p class="flames-told"></p>
<div class="flames-graph" role="tree" aria-label="Time by stack"></div>
<p class="muted">A box is as wide as the time it took, and lies below the one around it: the widest are on the
left, which is not an order in time. Click one to enlarge it. <kbd>←</kbd> <kbd>↑</kbd> <kbd>↓</kbd>
<kbd>→</kbd> move, <kbd>Enter</kbd> enlarges, <kbd>Esc</kbd> shows all, <kbd>/</kbd> searches.</p>
"""


def style() -> str:
    """The style sheet that `graph` needs."""
    return _text("graph.css")


def graph(flames: Flames) -> Iterator[str]:
    """The section, with the name in the box around all others."""
    yield _SECTION
    yield f'<script type="application/json" class="flames-data">{_data(flames)}</script>\n'
    yield f"<script>{script()}</script>\n</section>\n"


def script() -> str:
    """What each section runs, as it stands there."""
    return f"\n{_text('graph.js')}"


def _data(flames: Flames) -> str:
    """Columns with an item for each box, those inside a box after it. No name can end the script."""
    all_boxes = list(boxes(tree(flames.stacks, flames.name)))
    frames = {frame: at for at, frame in enumerate(dict.fromkeys(box.frame for box in all_boxes))}
    columns = {
        "frames": list(frames),
        "frame": [frames[box.frame] for box in all_boxes],
        "depth": [box.depth for box in all_boxes],
        "seconds": [float(f"{box.seconds:.6g}") for box in all_boxes],
    }
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _text(file: str) -> str:
    return resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
