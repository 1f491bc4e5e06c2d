"""A small exploration written by hand, and the page of one."""

import json
from pathlib import Path

from playwright.sync_api import expect

from jitinspect.render.pages.document import document

MARKUP = "</script><img src=x onerror=\"document.title='broken'\"><b>bold</b>"

NET = f"""import jax

def layer(x, w):  # {MARKUP}
    return jax.numpy.tanh(double(x @ w))


def loss(x, w):
    '''A sum of
    layer.'''
    return layer(x, w).sum()
"""

LIB = """def double(x):
    return x * 2
"""

JAXPR = """{ lambda ; a:f32[8,4] b:f32[4,2]. let
    c:f32[8,2] = dot_general[
      dimension_numbers=(([1], [0]), ([], []))
    ] a b
    d:f32[8,2] = mul c 2.0:f32[]
    e:f32[8,2] = tanh d
    f:f32[] = reduce_sum[axes=(0, 1)] e
  in (f,) }"""

STABLEHLO = """module @jit_loss {
  func.func public @main(%arg0: tensor<8x4xf32>, %arg1: tensor<4x2xf32>) -> tensor<f32> {
    %0 = stablehlo.dot_general %arg0, %arg1 : (tensor<8x4xf32>, tensor<4x2xf32>) -> tensor<8x2xf32>
    %1 = stablehlo.multiply %0, %0 : tensor<8x2xf32>
    %2 = stablehlo.tanh %1 : tensor<8x2xf32>
    return %2 : tensor<f32>
  }
}"""

HLO = f"""HloModule jit_loss, is_scheduled=true

%fused_computation (param_0: f32[8,2]) -> f32[8,2] {{
  %param_0 = f32[8,2]{{1,0}} parameter(0)
  %mul.1 = f32[8,2]{{1,0}} multiply(%param_0, %param_0)
  ROOT %tanh.1 = f32[8,2]{{1,0}} tanh(%mul.1), metadata={{op_name="{MARKUP}"}}
}}

ENTRY %main (x: f32[8,4], w: f32[4,2]) -> f32[] {{
  %x = f32[8,4]{{1,0}} parameter(0)
  %w = f32[4,2]{{1,0}} parameter(1)
  %dot.1 = f32[8,2]{{1,0}} dot(%x, %w), lhs_contracting_dims={{1}}
  %fusion = f32[8,2]{{1,0}} fusion(%dot.1), kind=kLoop, calls=%fused_computation
  ROOT %sum.1 = f32[] reduce(%fusion), to_apply=%region
}}"""


def pane(name, language, text, origins=(), **fields):
    """A pane of the JSON, with what it has to have."""
    rest = {"file": None, "first": 1, "folds": [], "operands": [], "costs": [], "unavailable": None}
    return {"name": name, "language": language, "text": text, "origins": [*origins], **rest, **fields}


def cost(line, flops, bytes_, seconds=None):
    return {"line": line, "flops": flops, "bytes": bytes_, "seconds": seconds}


def small():
    """The loss of one layer: a line of Python that calls another file's, and a fusion of two operations."""
    dot, tanh, total, twice = (
        {"places": [0, 1], "op": "dot_general"},
        {"places": [0, 1], "op": "tanh"},
        {"places": [1], "op": "reduce_sum"},
        {"places": [2, 0, 1], "op": "mul"},
    )
    return {
        "files": ["net.py", "<b>lib</b>.py"],
        "places": [{"file": 0, "line": 4}, {"file": 0, "line": 10}, {"file": 1, "line": 41}],
        "origins": [dot, tanh, total, twice, {"places": [], "op": "copy"}],
        "sets": [[], [0], [1], [2], [3], [1, 3], [4]],
        "panes": [
            pane("net.py", "python", NET, file=0, costs=[cost(3, 128, 1_000), cost(9, 16, 250)]),
            pane("<b>lib</b>.py", "python", LIB, file=1, first=40),
            pane("jaxpr", "jaxpr", JAXPR, (0, 1, 1, 1, 4, 2, 3, 0), operands=[[4, 3], [1, 1], [1, 1]]),
            pane("stablehlo", "stablehlo", STABLEHLO, (0, 0, 1, 4, 2, 0, 0, 0), folds=[[0, 7], [1, 6]]),
            pane(
                "hlo", "hlo", HLO, (0, 0, 0, 0, 4, 2, 0, 0, 0, 6, 6, 1, 5, 3, 0),
                folds=[[2, 6], [8, 14]], operands=[[5, 1], [-1, 1], [7, 2, 1], [1, 1], [1, 1]],
                costs=[cost(11, 104_000_000, 3_990_000, 1.58e-3), cost(12, 52_000_000, 400), cost(13, 16, 0)],
            ),
            pane("llvm", "llvm", "define void @f() {\n  ret void\n}", (0, 1, 0)),
            pane("asm", "asm", "", unavailable="no machine code is known for <b>TPUs</b>"),
        ],
    }  # fmt: skip


def write(folder: Path, exploration, **more) -> str:
    """A file with the page, and its address; `more` is what else its script is told."""
    data = {
        "title": f"net:loss {MARKUP}",
        "signature": f"loss(f32[8,4], f32[4,2]) {MARKUP}",
        "about": "jax 0.12, cpu",
        "command": "jitinspect explore net:loss -o x.html",
        "exploration": exploration,
        **more,
    }
    file, packed = folder / "x.html", json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    file.write_text("".join(document(data["title"], "explorer", packed)), encoding="utf-8")
    return file.as_uri()


def expected(exploration, chosen, line):
    """What a chosen line marks in a pane, by the JSON as its contract has it: strong and weak lines."""
    origins, places = exploration["origins"], exploration["places"]

    def place(pane, index):
        return pane["file"], index + pane["first"]

    def at(origin):
        return [(places[one]["file"], places[one]["line"]) for one in origins[origin]["places"]]

    everything = range(len(origins))
    if chosen["file"] is not None:
        here = place(chosen, line)
        own = {one for one in everything if here in at(one)}
        same, near = {one for one in own if at(one)[0] == here}, own
    else:
        own = same = set(exploration["sets"][chosen["origins"][line]])
        heads = {at(one)[0] for one in own if at(one)}
        near = {one for one in everything if at(one) and at(one)[0] in heads}
    inner, outer = {at(one)[0] for one in own if at(one)}, {spot for one in own for spot in at(one)}

    def marks(pane):
        every = range(pane["text"].count("\n") + 1)
        if pane["file"] is not None:
            strong = {index for index in every if place(pane, index) in inner}
            return strong, {index for index in every if place(pane, index) in outer} - strong
        sets = [{*exploration["sets"][pane["origins"][index]]} for index in every]
        strong = {index for index in every if sets[index] & same}
        return strong, {index for index in every if sets[index] & near} - strong

    return marks


def click(page, line):
    """At the beginning of a line. What has come up meanwhile at the line of the last click, as it does where
    the mouse rests, could lie above it.
    """
    page.mouse.move(0, 0)
    expect(page.locator(".cm-tooltip")).to_have_count(0)
    line.click(position={"x": 12, "y": 6})


def lines(page, name):
    """Those of a pane that are drawn."""
    return page.get_by_role("region", name=name, exact=True).locator(".cm-line")
