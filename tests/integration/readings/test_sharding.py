"""`sharding` against where JAX puts the arrays when it really runs, on eight CPU devices."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.compiling import CHEAPEST
from tests.support.prefork import printed

SUPPORT = Path(__file__).parents[2] / "support" / "sharded_programs.py"
FLAGS = f"--xla_force_host_platform_device_count=8 {CHEAPEST}"
MESH = ("--mesh", "data=4,model=2")


def python(*words, cwd=None, **environment):
    """The output of another Python, with eight devices: this one may have only one."""
    environment |= {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "XLA_FLAGS": FLAGS,
    }
    done = subprocess.run(
        [sys.executable, *map(str, words)], env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("shardy", "without"),
    [
        ("1", ()),
        ("0", ("split_axis", "explicit_sum")),
    ],  # which JAX itself fails to lower or compile (to 0.12.0.1)
    ids=["shardy", "gspmd"],
)
def test_rows_are_where_jax_puts_the_arrays(shardy, without):
    lines = python(SUPPORT, *without, JAX_USE_SHARDY_PARTITIONER=shardy).splitlines()
    found = dict(map(json.loads, lines))
    assert len(found) == 13 - len(without)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def sharding(*words):
    return printed(["sharding", *words], Path.cwd(), flags=FLAGS)


def rows(*words):
    report = json.loads(sharding(*words, "--json", "-q"))
    return report, {
        (row["path"], row["line"] and row["line"].rpartition(":")[2]): row for row in report["sharding"]
    }


VALUES = """
import jax
import jax.numpy as jnp

def fn(x, w):
    hidden = jnp.tanh(x @ w)
    inner = jax.shard_map(
        lambda h: jnp.sin(h),
        in_specs=jax.P("data", "model"),
        out_specs=jax.P("data", "model"),
        mesh=MESH,
    )(hidden)
    return inner.reshape(2, 8, 8) * 2

import numpy as np
MESH = jax.sharding.Mesh(np.array(jax.devices()).reshape(4, 2), ("data", "model"))
"""


def test_values_have_the_line_that_makes_them(write):
    write("valued.py", VALUES)
    x, w = "f32[16,4]@P('data')", "f32[4,8]@P(None,'model')"
    report, found = rows("valued:fn", *MESH, "-a", x, "-a", w, "--source")
    assert report["meshes"] == [
        {"names": ["data", "model"], "sizes": [4, 2], "devices": [0, 1, 2, 3, 4, 5, 6, 7]}
    ]
    dot = found["dot_general", "6"]
    assert (dot["spec"], dot["global_shape"], dot["device_shape"]) == ("P('data', 'model')", [16, 8], [4, 4])
    assert (dot["device_bytes"], dot["kind"], dot["free_axes"]) == (64, "value", [])
    sin = found["sin", "8"]
    assert (sin["spec"], sin["form"], sin["manual"]) == (None, "manual", ["data", "model"])
    assert sin["global_shape"] == sin["device_shape"] == [4, 4]
    reshaped = found["reshape", "13"]
    assert reshaped["spec"] == "P('data:(1)2', 'data:(2)2', 'model')"
    assert reshaped["device_shape"] == [1, 4, 4]


def test_what_a_free_axis_would_save(write):
    write("plain.py", "def fn(x, y):\n    return x * 2, y\n")
    x, y = "f32[16,6]@P(None,'model')", "f32[3,5]@P()"
    _, found = rows("plain:fn", *MESH, "-a", x, "-a", y)
    row = found["x", None]
    assert (row["free_axes"], row["better"]) == (["data"], "P('data', 'model')")
    assert (row["device_bytes"], row["could_save"], row["replicated"]) == (192, 144, False)
    row = found["y", None]
    assert (row["replicated"], row["could_save"], row["better"]) == (True, 0, None)


def test_without_a_mesh_one_line_says_so(write):
    write("plain.py", "def fn(x):\n    return x * 2\n")
    told = sharding("plain:fn", "-s", "8", "-q")
    assert told.splitlines()[0] == "no mesh: all of it is on one device, nothing is sharded"
    _, found = rows("plain:fn", "-s", "8", "--source")
    assert {row["form"] for row in found.values()} == {"one device"} and len(found) == 3


def test_a_sweep_has_the_rows_of_each_call(write):
    write("plain.py", "def fn(x):\n    return x * 2\n")
    report, _ = rows("plain:fn", *MESH, "-a", "f32[B,8]@P('data')", "--dim", "B=8,16")
    assert [(row["signature"], row["device_shape"]) for row in report["sharding"]] == [
        (f"fn(f32[{size},8]@P('data'))", [size // 4, 8]) for size in (8, 8, 16, 16)
    ]
