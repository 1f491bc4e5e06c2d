"""What `cost`, `source`, `fit` and `diff` say of what moves between devices: what `collectives` says."""

import json
import os
import shlex
import subprocess
import sys
from importlib.util import find_spec

import pytest

from jitinspect.render.json import from_json
from jitinspect.render.readings import render
from tests.support.compiling import UNOPTIMIZED

FLAGS = f"--xla_force_host_platform_device_count=8 {UNOPTIMIZED}"

NET = """
import jax, jax.numpy as jnp
from jax import lax
from jax.sharding import PartitionSpec as P

def loss(w, x):
    h = jnp.tanh(x @ w["a"])
    return jnp.sum(h @ w["b"])

step = jax.grad(loss)

def looped(x, ws):
    def body(c, w):
        return jnp.tanh(c @ w), None
    return lax.scan(body, x, ws)[0]

def plain(x):
    return jnp.tanh(x) @ x
"""
WEIGHTS = "{{'a': f32[64,256]@P({a}), 'b': f32[256,32]@P({b})}}"
REPLICATED, SPLIT = WEIGHTS.format(a="", b=""), WEIGHTS.format(a="None,'model'", b="'model',None")
BATCH = "f32[128,64]@P('data',None)"
GRADIENTS = 4 * (64 * 256 + 256 * 32)
DATA_PARALLEL = ["net:step", "--arg", REPLICATED, "--arg", BATCH, "--mesh", "data=8"]
BOTH = ["net:step", "--arg", SPLIT, "--arg", BATCH, "--mesh", "data=4,model=2"]
LOOPED = ["net:looped", "--arg", "f32[16,64]@P('data',None)", "--arg", "f32[7,64,64]@P(None,'data',None)"]
LOOPED += ["--mesh", "data=8"]
PLAIN = ["net:plain", "--arg", "f32[16,16]"]
CALLS = {"data parallel": DATA_PARALLEL, "both": BOTH, "looped": LOOPED, "plain": PLAIN}
VS = f'--mesh data=4,model=2 --arg "{SPLIT}" --arg "{BATCH}"'
WORKER = """
import json, sys
from jitinspect.cli.main import run
sys.exit(max(run([*argv, "-q"]) for argv in json.load(sys.stdin)))
"""
READINGS = ("cost", "source", "collectives")
each_call = pytest.mark.parametrize("name", CALLS)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """The JSON of each command on each call, and of `diff`: with eight CPU devices, all in one process."""
    folder = tmp_path_factory.mktemp("net")
    (folder / "net.py").write_text(NET)
    asked = {(what, name): [what, *call] for name, call in CALLS.items() for what in READINGS}
    asked["diff", "both"] = ["diff", *DATA_PARALLEL, "--vs", VS]
    files = {key: folder / f"{'-'.join(key)}.json" for key in asked}
    done = subprocess.run(
        [sys.executable, "-c", WORKER],
        input=json.dumps([[*argv, "-o", str(files[key])] for key, argv in asked.items()]),
        cwd=folder,
        env={**os.environ, "XLA_FLAGS": FLAGS, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return {key: path.read_text() for key, path in files.items()}


@pytest.fixture
def read(said):
    return lambda *key: json.loads(said[key])


@pytest.fixture
def text(said):
    """As in a terminal of 80 columns."""
    return lambda *key: "".join(render(from_json(said[key]), False, 80))


def by_line(rows):
    return {f"{row['file']}:{row['line']}": row["wire_bytes"] for row in rows if row["wire_bytes"]}


@each_call
def test_cost_and_source_say_of_each_line_what_collectives_says(read, name):
    found = read("collectives", name)
    expected = {row["name"]: pytest.approx(row["wire_bytes"], abs=1) for row in found["by_line"]}
    cost, source = read("cost", name)["cost"], read("source", name)["source"]
    assert by_line(cost["by_line"]) == by_line(source["lines"]) == expected
    assert cost["wire_bytes"] == found["wire_bytes"] == sum(one["wire_bytes"] for one in cost["by_op"])
    assert cost["collectives"] == len(found["collectives"])


@pytest.mark.parametrize(("name", "devices"), [("data parallel", 8), ("both", 8), ("plain", 1)])
def test_the_number_of_devices(read, name, devices):
    assert read("cost", name)["cost"]["devices"] == read("source", name)["source"]["devices"] == devices


def test_gradients_are_reduced_over_the_batch(read):
    """In a ring of eight each device sends 7/8 of them twice. Each line moves its own weights' gradient."""
    assert read("cost", "data parallel")["cost"]["wire_bytes"] == 2 * 7 * GRADIENTS // 8
    moved = by_line(read("source", "data parallel")["source"]["lines"])
    assert moved == {"net.py:7": 2 * 7 * 4 * 64 * 256 // 8, "net.py:8": 2 * 7 * 4 * 256 * 32 // 8}


def test_a_loop_moves_in_each_iteration(read):
    """The weights of one layer at a time are gathered: each device sends its part to seven others."""
    cost = read("cost", "looped")["cost"]
    [row] = [row for row in cost["by_op"] if row["wire_bytes"]]
    assert (row["op"], row["runs"], cost["wire_bytes"]) == ("all-gather", 7, 7 * 7 * 4 * 64 * 64 // 8)


def test_what_moves_nothing_says_nothing_of_it(read):
    assert read("cost", "plain")["cost"]["wire_bytes"] == read("cost", "plain")["cost"]["collectives"] == 0


def test_in_a_terminal_of_80_columns(text):
    cost, source = text("cost", "both"), text("source", "both")
    assert "all numbers are those of one device, of the 8 that it runs on\n" in cost
    assert "bytes    moved  line" in cost and "bytes    moved  share\n" in source
    assert all(len(line) <= 80 for shown in (cost, source) for line in shown.split("\n"))


def test_diff_of_two_shardings_leads_with_collectives(text):
    shown = text("diff", "both")
    assert shown.index("\ncollectives  ") < shown.index("\nhlo  ")
    assert shown.count(" on mesh data=8\n") == shown.count(" on mesh data=4,model=2\n") == 1


def test_diff_says_kind_axes_bytes_and_lines_of_both_sides(read):
    summary = read("diff", "both")["diff"]["summary"]
    for side, name in (("before", "data parallel"), ("after", "both")):
        whole = read("collectives", name)
        assert summary["wire_bytes"][side] == whole["wire_bytes"]
        changed = [one for one in summary["collectives_changed"] if one["side"] == side]
        assert {(one["kind"], one["wire_bytes"], *one["axes"], *one["lines"]) for one in changed} == {
            (one["kind"], one["wire_bytes"], *one["axes"], *one["lines"]) for one in whole["collectives"]
        }


def test_the_second_sharding_may_need_more_devices_than_the_first(tmp_path):
    (tmp_path / "net.py").write_text(NET)
    second = shlex.join([*LOOPED[1:-1], "data=4"])
    done = subprocess.run(
        [sys.executable, "-m", "jitinspect", "diff", *LOOPED[:-1], "data=2", "--vs", second],
        cwd=tmp_path,
        env={**os.environ, "XLA_FLAGS": UNOPTIMIZED, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("CPU devices") == done.stderr.count("made 4 CPU devices") == 1
    assert "collectives  1 · moved " in done.stdout


@pytest.mark.skipif(not find_spec("libtpu"), reason="no libtpu")
def test_on_a_slice_links_have_their_least_time(tmp_path):
    """Weights are gathered layer by layer: on v5e that takes longer than all else."""
    (tmp_path / "net.py").write_text(NET)
    call = [
        "net:looped",
        "--arg",
        "bf16[512,1024]@P('data',None)",
        "--arg",
        "bf16[8,1024,1024]@P(None,'data',None)",
    ]
    call += ["--mesh", "data=4", "--target", "v5e:2x2", "-q"]

    def run(*argv):
        done = subprocess.run(
            [sys.executable, "-m", "jitinspect", *argv],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    sent = 8 * 3 * 2 * 1024 * 1024 // 4
    cost = json.loads(run("cost", *call, "--json"))["cost"]
    assert (cost["wire_bytes"], cost["bound_by"], cost["devices"]) == (sent, "links", 4)
    assert cost["bound_seconds"] == cost["roofline"]["links_seconds"] == sent / 200e9
    assert cost["roofline"]["links"]["kind"] == "ICI"
    line = next(row for row in cost["by_line"] if row["wire_bytes"])
    assert line["line"] in (14, 15)  # what is sliced is gathered, or what is gathered sliced
    assert (line["bound_by"], line["bound_seconds"]) == ("links", sent / 200e9)
    [fit] = json.loads(run("fit", *call, "--json"))["fit"]
    assert (fit["wire_bytes"], fit["collectives"], fit["devices"]) == (sent, 1, 4)
    assert "collectives     1 · 12.6 MB moved to other devices, if rings carry it\n" in run("fit", *call)
