"""`sharding` as text: a pure function of its report."""

import re
from dataclasses import replace

import pytest

from jitinspect.model import Target
from jitinspect.model.communication import ArraySharding, MeshShape, ShardingReport
from jitinspect.render import html, readings
from jitinspect.render.json import from_json, to_json

TARGET = Target("t:f", "t", "f", None, None, (), (), "f()")
MESH = MeshShape(("data", "model"), (4, 2), tuple(range(8)))
W = ArraySharding(
    "params['w']", "argument", "f32", (64, 512), "P(None, 'model')", (64, 256), 65536, False,
    ("data",), 49152, "P('data', 'model')", mesh=0, axes=((), ("model",)),
)  # fmt: skip
B = ArraySharding(
    "params['b']", "argument", "f32", (16,), "P()", (16,), 64, True,
    ("data", "model"), 56, "P(('data', 'model'))", mesh=0, axes=((),),
)  # fmt: skip
X = ArraySharding(
    "result", "result", "f32", (128, 64), "P('data', None)", (32, 64), 8192, False, (), 0,
    mesh=0, axes=(("data",), ()),
)  # fmt: skip
VALUE = replace(X, path="dot_general", kind="value", line="net.py:12", count=2)
MANUAL = ArraySharding(
    "sin", "value", "f32", (4, 4), None, (4, 4), 64, False, mesh=0, line="net.py:13",
    axes=((), ()), manual=("data", "model"), form="manual",
)  # fmt: skip
ROWS = (W, B, X)


def report(*rows, meshes=(MESH,), **more):
    return ShardingReport("sharding", TARGET, rows, meshes, **more)


def text(*rows, width=80, color=False, verbose=False, **more):
    return "".join(readings.render(report(*rows, **more), color, width, verbose))


def test_the_mesh_the_arrays_and_the_sums():
    told = text(*ROWS).split("\n")
    assert told[:3] == ["mesh data=4, model=2", "       model →", "data ↓ 0 1"]
    assert "65.5 kB  params['w']  f32[64,512]  P(None, 'model')  [64,256]" in told
    assert "   64 B  params['b']  f32[16]      P()               all of it" in told
    assert any(line.startswith("65.6 kB of arguments on a device · 8.19 kB of results") for line in told)
    assert "64 B of them replicated (1 array)" in text(*ROWS)
    assert "replicated" not in text(W)


def test_big_arrays_that_could_be_sharded_are_told():
    told = text(*ROWS)
    assert "save a tenth of the first or more, and 0.1 % of all):" in " ".join(told.split())
    assert "49.2 kB  params['w']  P(None, 'model')  P('data', 'model')\n" in told
    assert "P(('data', 'model'))" not in told
    verbose = text(*ROWS, verbose=True)
    assert verbose.index("49.2 kB  params['w']") < verbose.index("   56 B  params['b']")
    assert "tenth" not in verbose and "could be" not in text(X)
    huge = replace(X, device_bytes=10**9)
    assert "could be" not in text(huge, B) and "could be" in text(huge, B, verbose=True)


def test_arrays_that_are_alike_are_one_row():
    layers = [replace(W, path=f"w{number}") for number in range(96)]
    assert "4.72 MB  w0 (+95 more)  P(None, 'model')  P('data', 'model')\n" in text(*layers)


def test_of_many_that_could_be_sharded_twelve_are_listed():
    many = [replace(W, path=f"w{number}", global_shape=(64, 512 + number)) for number in range(20)]
    listed = text(*many).partition("could be\n")[2].partition("what is")[0]
    assert listed.count("P('data', 'model')") == 12 and "8 more; -v shows all" in listed


def test_values_stand_under_their_line():
    told = text(*ROWS, VALUE, MANUAL, verbose=True).split("\n")
    at = told.index("net.py:12")
    assert told[at + 1].split() == [
        "8.19",
        "kB",
        "dot_general",
        "×2",
        "f32[128,64]",
        "P('data',",
        "None)",
        "[32,64]",
    ]
    assert told[at + 2] == "net.py:13" and " manual " in told[at + 3]
    small = text(*ROWS, VALUE, MANUAL)
    assert "1 more below 1 % of the largest; -v shows all" in small and "net.py:13" not in small


def test_arrays_that_lie_alike_have_one_picture():
    told = text(W, replace(W, path="v"), X)
    lines = told.partition("Which part each device has\n")[2].split("\n")
    assert [re.split("   +", line.strip()) for line in lines[:4]] == [
        ["P(None, 'model')", "P('data', None)"],
        ["params['w'], v", "result"],
        ["model →", "model →"],
        ["data ↓ A B", "data ↓ A A"],
    ]
    many = [replace(X, axes=(("data",),) + ((),) * rank) for rank in range(9)]
    assert "3 more shardings; -v shows all" in text(*many)


def test_axes_that_shard_map_has_taken_are_told():
    inside = replace(VALUE, manual=("data",), spec="P('model', None)", axes=(("model",), ()))
    assert "P('model', None) manual: data" in text(*ROWS, inside, width=160)


def test_without_a_mesh_there_is_one_line_and_a_hint():
    alone = replace(X, spec=None, form="one device", mesh=None, axes=())
    told = text(alone, meshes=())
    assert told.count("\n") == 2 and told.startswith("no mesh: all of it is on one device")
    assert "result" in text(alone, meshes=(), verbose=True)
    assert text(meshes=()) == "the function takes and returns no arrays\n"
    over_many = replace(alone, form="devices=[8]0,2,1,3,4,5,6,7")
    assert "devices=[8]" in text(over_many, meshes=(), width=160)


def test_each_call_of_a_sweep_has_its_heading():
    told = text(replace(X, signature="f(f32[128,64])"), replace(X, signature="f(f32[256,64])"))
    assert "\nf(f32[128,64])\n" in told and "\nf(f32[256,64])\n" in told


@pytest.mark.parametrize("width", [72, 80, 160])
def test_nothing_is_wider_than_the_terminal(width):
    long = replace(W, path="params['layers'][0]['attention']['query']['kernel_of_a_long_name']")
    told = text(
        long, B, X, replace(VALUE, line="a/rather/long/path/to/a/module/of/a/package.py:1234"), width=width
    )
    assert max(map(len, told.splitlines())) <= width


def test_a_page_has_its_tiles_filled():
    page = "".join(html.render_reading(report(*ROWS)))
    assert re.search(r'<span class="sgr-7-36">A </span>', page) and "\x1b" not in page
    assert "P(None, &#x27;model&#x27;)" in page and ".sgr-7-36 {" in page


def test_a_report_is_read_back():
    made = report(*ROWS, VALUE, MANUAL)
    assert from_json(to_json(made)) == made
