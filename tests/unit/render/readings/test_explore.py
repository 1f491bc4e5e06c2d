"""`explore` as text: its panes, and how much of them is linked."""

from jitinspect.model import Target
from jitinspect.model.readings import ExploreReport
from jitinspect.render import readings
from jitinspect.render.html import render_reading
from jitinspect.render.json import from_json, to_json
from tests.support.explorations import MADE

REPORT = ExploreReport("explore", Target("net:loss", "net", "loss", "net.py", 3), MADE)


def test_each_pane_has_a_row():
    assert "".join(readings.render(REPORT, False, 80)).split("\n") == [
        "lines  linked  text",
        "    5       1  net.py",
        "    2       1  flax/dense.py:69",
        "    1       0  jaxpr",
        "    7       2  hlo",
        "               asm: no objdump",
        "linked: lines that are known to come from a line of Python, and those lines",
        "",
    ]


def test_it_is_the_same_after_json_and_makes_the_same_page():
    read = from_json(to_json(REPORT))
    assert read == REPORT
    assert [*render_reading(read)] == [*render_reading(REPORT)]
