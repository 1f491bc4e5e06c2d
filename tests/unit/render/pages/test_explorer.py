"""The explorer's page, as HTML: what its script does with it, other tests see to."""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import asdict

from jitinspect.model.explorations import Exploration
from jitinspect.model.flames import Stack
from jitinspect.render.decode import reader
from jitinspect.render.flames.reports import Flames
from jitinspect.render.pages.explorer import page, with_text
from tests.support.explorations import MADE, MARKUP


def data(html):
    packed = re.search(r'<script type="application/gzip" id="data">([^<]*)</script>', html)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def named(*lines):
    """The origins of each line of a text in front."""
    made = with_text(MADE, "cost", "\n".join(lines))
    assert made.panes[1:] == MADE.panes and made.panes[0].language == "text"
    return [made.sets[number] for number in made.panes[0].origins]


def test_the_script_gets_the_whole_exploration():
    found = data("".join(page("net:loss", "loss()", "jax", "jitinspect cost net:loss", MADE)))
    assert reader(Exploration)(found["exploration"]) == MADE
    assert {**found, "exploration": 0} == {
        "title": "net:loss", "signature": "loss()", "about": "jax", "command": "jitinspect cost net:loss",
        "exploration": 0,
    }  # fmt: skip


def test_markup_in_a_program_stays_text():
    html = "".join(page(MARKUP, MARKUP, MARKUP, MARKUP, MADE))
    assert MARKUP not in html and "<img" not in html
    assert MARKUP in data(html)["exploration"]["panes"][0]["text"]


def test_every_script_may_run_and_no_other():
    html = "".join(page("t", "s", "a", "c", MADE, [Flames("t", (Stack(("compile", MARKUP), 1.0),))]))
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = re.findall(r"'sha256-([^']+)'", re.search(r"script-src ([^;]+);", html)[1])
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    assert sorted(digests) == sorted(hashes) and len(scripts) == 2
    assert html.index('class="flames"') < html.index('id="data"')


def test_without_flame_graphs_there_is_one_script():
    html = "".join(page("t", "s", "a", "c", MADE))
    assert len(re.findall("'sha256-", html)) == len(re.findall("<script>", html)) == 1
    assert "flames" not in html


def test_a_line_of_a_text_has_the_origins_of_the_place_that_it_names():
    assert named("dot  8 FLOPs  net.py:4", "other.py:4", "net.py:40", "net.py:3") == [(0, 1), (), (), ()]
    assert named("in flax/dense.py:70") == [(2,)]


def test_a_line_of_a_text_has_the_origins_of_the_instructions_that_it_names():
    assert named("%dot.1 and %sum", "%dot", "dot.1", "HLO %sum, 8 B") == [(0, 1), (), (), (1,)]


def test_a_line_of_a_table_is_known_by_its_number_and_its_text():
    rows = (
        "      net.py   FLOPs",
        " 3 def loss(x, w):",
        " 4 ╭  return (x @ w).sum()  # <…",
        " 4 of 7",
        "4  other",
    )
    assert named(*rows) == [(), (), (0, 1), (), ()]
    assert named("4  return (x @ w).sum()  # <…") == [()]


def test_sets_that_are_there_are_used_again():
    assert len(with_text(MADE, "cost", "%dot.1\n%sum\n%dot.1").sets) == len(MADE.sets)
    assert asdict(MADE)["sets"][0] == ()
