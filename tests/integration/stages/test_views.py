"""Parts and summaries of a stage, of functions of a user's own."""

import pytest

from jitinspect.errors import UsageError
from jitinspect.model import View
from jitinspect.stages import inspection

NET = """
import jax, jax.numpy as jnp

def layer(x, w):
    h = jnp.tanh(x @ w)
    return jax.nn.relu(h) + x

@jax.jit
def net(x, ws):
    for w in ws:
        x = layer(x, w)
    def body(carry, _):
        return jnp.sin(carry), None
    return jax.lax.scan(body, x, None, length=7)[0]

def args():
    s = jax.ShapeDtypeStruct((8, 8), "float32")
    return s, [s] * 6
"""


@pytest.fixture
def view(write, folder, monkeypatch):
    write("net.py", NET)
    monkeypatch.setattr("jitinspect.process.paths._HERE", f"{folder}/")  # as started in it

    def view(stage, **asked):
        request = inspection.Request(
            command=stage, ref="net:net", stages=(stage,), args_from="net:args", view=View(**asked)
        )
        return inspection.inspect(request).artifacts[0]

    return view


STAGES = ("jaxpr", "stablehlo", "hlo")


@pytest.mark.parametrize("stage", STAGES)
def test_a_line_shows_what_it_made_alone(view, stage):
    text = view(stage, line="net.py:5").text
    assert text.count("tanh") >= 6 and "sin" not in text.replace("single", "") and "…" in text
    called = view(stage, line="11").text  # `x = layer(x, w)`
    assert called.count("tanh") >= 6 and "add" in called


@pytest.mark.parametrize("stage", STAGES)
def test_source_lines_stand_above_what_they_made(view, stage):
    text = view(stage, source=True).text
    mark = "#" if stage == "jaxpr" else "//"
    assert f"{mark} net.py:5  h = jnp.tanh(x @ w)\n" in text
    assert f"{mark} net.py:13  return jnp.sin(carry), None\n" in text
    without = "\n".join(line for line in text.split("\n") if not line.strip().startswith(f"{mark} "))
    assert without == view(stage).text


@pytest.mark.parametrize("stage", STAGES)
def test_statistics_count_what_is_there(view, stage):
    stats = view(stage, stats=True).stats
    text = view(stage).text
    assert sum(one.count for one in stats.ops) == stats.operations
    (tanh,) = (one for one in stats.ops if one.op.endswith("tanh"))
    assert tanh.count == 6 and tanh.bytes == 6 * 8 * 8 * 4
    assert text.count("tanh") >= 6
    assert next(one for one in stats.lines if one.at == "net.py:5").count >= 12


def test_an_unrolled_loop_is_told(view):
    (told,) = view("jaxpr", stats=True).stats.unrolled
    assert (told.at, told.times, told.operations, told.text) == ("net.py:10", 6, 4, "for w in ws:")


def test_an_outline_knows_the_loop(view):
    for stage in ("jaxpr", "hlo"):
        outline = view(stage, outline=True).outline

        def runs(branch):
            return [branch.runs, *(found for one in branch.branches for found in runs(one))]

        assert 7 in runs(outline)


def test_a_fusion_is_shown_with_its_inside(view):
    whole = view("hlo").text
    name = next(line.split(" = ")[0].strip() for line in whole.split("\n") if " fusion(" in line)
    text = view("hlo", fusion=name).text
    assert text.count(" fusion(") == 1 and "parameter(0)" in text and text.startswith("…\n%")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"op": "zzz"}, "no such operation"),
        ({"op": "("}, r"--op \("),
        ({"line": "99"}, "no operation is of that line"),
        ({"line": "x"}, "not a line number"),
        ({"fusion": "q"}, "no such fusion"),
        ({"op": "tanh", "line": "13"}, "nothing of the text is selected"),
    ],
)
def test_what_selects_nothing_is_told_with_what_there_is(view, asked, told):
    with pytest.raises(UsageError, match=told) as raised:
        view("hlo", **asked)
    assert raised.value.hint
