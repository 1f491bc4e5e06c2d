"""What very many lines of a `.jsonl` ask for, without reading them as JSON."""

import json

import pytest

from jitinspect.specs.scripts.jsonl_layouts import layout_of

CALL = {"fn": "samples.mlp:loss_fn", "args": ["f32[2,3]", [True, 'x, "step": 1']], "kwargs": {"n": 1}}


def line(separators=(", ", ": "), **more):
    return json.dumps({**CALL, **more}, separators=separators) + "\n"


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")])
@pytest.mark.parametrize("first", [{}, {"time": 1.5e-7}])
def test_lines_that_differ_in_what_has_no_meaning_have_one_core(separators, first):
    told = [
        json.dumps({**first, **CALL, "step": step}, separators=separators) + "\n" for step in (1, "é", None)
    ]
    layout = layout_of(told[0])
    core = layout.core(told[0])
    assert json.loads(f"{{{core}}}") == CALL
    assert layout.cores("".join(told)) == [core] * 3


def test_parts_with_a_meaning_may_stand_apart():
    apart = '{"fn": "a:f", "step": 3, "args": ["f32[2]"]}\n'
    layout = layout_of(apart)
    assert layout.core(apart) == ('"fn": "a:f"', '"args": ["f32[2]"]')
    assert layout.cores(apart + apart.replace('"step": 3', '"step": 4')) == [layout.core(apart)] * 2


@pytest.mark.parametrize(
    "stamp", ["01", "1.", "tru", '"a\tb"', '"a\\"', "[1]", "1 2", "'x'", '"\udcff"', "9" * 5000, "NaN1"]
)
def test_a_line_that_is_not_valid_has_no_core(stamp):
    layout = layout_of(line(step=1))
    damaged = line(step=1).replace('"step": 1}', f'"step": {stamp}}}')
    assert layout.core(damaged) is None and layout.cores(damaged) == []


def test_a_core_that_only_looks_like_one_belongs_to_no_line_that_was_read():
    layout = layout_of(line(step=1))
    other, broken = line(new=[2], step=1), line(step=1).replace("]]", "]")
    for one in (other, broken):
        assert layout.core(one) is None
        assert layout.cores(one) != [layout.core(line(step=1))]


@pytest.mark.parametrize("text", ["", "3\n", "[]\n", '{"step": 1}\n', '{"fn": "a:f", "fn": "a:g"}\n', "{\n"])
def test_what_asks_for_no_single_call_has_no_layout(text):
    assert layout_of(text) is None
