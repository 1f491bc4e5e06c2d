"""Two explorations as one: what is the same in both has one number."""

from dataclasses import replace

from jitinspect.model.explorations import Exploration, Origin, Pane, Place
from jitinspect.readings.exploring.two_sides import side_by_side
from tests.support.explorations import MADE

SOURCE = Pane("net.py", "python", MADE.panes[0].text, file=1)
OTHER = Exploration(
    files=("before.py", "net.py"),
    places=(Place(0, 1), Place(1, 4)),
    origins=(Origin((0,), "exp"), Origin((1,), "reduce_sum"), Origin((1,), "dot_general")),
    sets=((), (0, 1), (2,)),
    panes=(
        SOURCE,
        Pane("jaxpr", "jaxpr", "{ lambda ; }", origins=(0,)),
        Pane("hlo", "hlo", "ENTRY\nsum\ndot", origins=(0, 1, 2)),
        Pane("asm", "asm", "", origins=(0,), unavailable="no objdump"),
    ),
)


def origins(exploration, name):
    """Of each line of a pane: lines of Python and name of each origin."""
    (pane,) = (one for one in exploration.panes if one.name == name)
    return [
        [told(exploration, exploration.origins[at]) for at in exploration.sets[number]]
        for number in pane.origins
    ]


def told(exploration, origin):
    places = [exploration.places[at] for at in origin.places]
    return [(exploration.files[place.file], place.line) for place in places], origin.op


def test_each_line_has_the_origins_that_it_had():
    both = side_by_side(MADE, OTHER)
    for side, word in ((MADE, "before"), (OTHER, "after")):
        for name in ("jaxpr", "hlo", "asm"):
            found = [sorted(line) for line in origins(both, f"{name} {word}")]
            assert found == [sorted(line) for line in origins(side, name)]


def test_the_same_operation_of_both_is_one_origin():
    both = side_by_side(MADE, OTHER)
    assert len(both.origins) == len({*both.origins}) == len(MADE.origins) + 1
    assert all(list(found) == sorted(found) for found in both.sets)
    assert both.sets[0] == () and len({*both.sets}) == len(both.sets)


def test_stages_stand_in_pairs_behind_the_sources_which_are_there_once():
    before = replace(MADE, panes=(replace(MADE.panes[0], costs=MADE.panes[3].costs), *MADE.panes[1:]))
    both = side_by_side(before, OTHER)
    assert [pane.name for pane in both.panes] == [
        "net.py", "flax/dense.py:69", "jaxpr before", "jaxpr after", "hlo before", "hlo after", "asm before",
        "asm after",
    ]  # fmt: skip
    assert [both.files[pane.file] for pane in both.panes[:2]] == list(MADE.files)
    assert not any(pane.costs for pane in both.panes[:2]), "each side has its own"
    assert both.panes[4].costs == MADE.panes[3].costs and both.panes[4].operands == MADE.panes[3].operands


def test_another_source_of_the_same_name_is_there_as_well():
    changed = replace(OTHER, panes=(replace(SOURCE, text="import numpy"), *OTHER.panes[1:]))
    assert [pane.name for pane in side_by_side(MADE, changed).panes].count("net.py") == 2
