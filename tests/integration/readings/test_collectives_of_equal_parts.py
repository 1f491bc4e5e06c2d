"""Sums of XLA's partitioner that add equal parts: what `collectives` says, beside what a run gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ON_EIGHT = """
import json
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
import jitinspect

def loss(kernel, images):
    out = jax.lax.conv_general_dilated(
        images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return (out**2).sum()

def gradient(mesh):
    return jax.jit(jax.grad(loss))

def of_images(mesh):
    return jax.jit(lambda kernel, images: jax.grad(loss, 1)(kernel, images).sum())

def asked_for(mesh):
    def local(kernel, images):
        return jax.lax.psum(images.sum(), ("d", "m"))
    specs = (P(), P(None, "d"))
    return jax.jit(jax.shard_map(local, mesh=mesh, in_specs=specs, out_specs=P(), check_vma=False))

def told(make, sizes, spec):
    mesh = Mesh(np.reshape(jax.devices(), sizes), ("d", "m"))
    kernel, images = jnp.ones((3, 3, 1, 2)), jnp.ones((2, 16, 16, 1))
    one_device = Mesh(np.reshape(jax.devices()[:1], (1, 1)), ("d", "m"))
    sharded = jax.device_put(images, NamedSharding(mesh, spec))
    found = jitinspect.read("collectives", make(mesh), kernel, sharded)
    on_eight, on_one = make(mesh)(kernel, sharded), make(one_device)(kernel, images)
    ratio = np.ravel(on_eight)[0] / np.ravel(on_one)[0]
    sums = [one for one in found.report.collectives if one.kind == "all-reduce"]
    return {"repeats": [one.repeats for one in sums], "ratio": float(ratio), "text": str(found)}

rows = P(None, "d")
print(json.dumps({
    "4 x 2": told(gradient, (4, 2), rows),
    "2 x 4": told(gradient, (2, 4), rows),
    "other axis": told(gradient, (2, 4), P(None, "m")),
    "8 x 1": told(gradient, (8, 1), rows),
    "batch too": told(gradient, (4, 2), P("m", "d")),
    "rows over both": told(gradient, (4, 2), P(None, ("d", "m"))),
    "images": told(of_images, (4, 2), rows),
    "asked for": told(asked_for, (4, 2), rows),
}))
"""
TIMES = {"4 x 2": 2, "2 x 4": 4, "other axis": 2}
"""How often each part is added, by construction: so many devices are along the axis that is not used."""


@pytest.fixture(scope="module")
def said():
    environ = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"
    command = [sys.executable, "-c", ON_EIGHT]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", [*TIMES, "8 x 1", "batch too", "rows over both", "images"])
def test_a_sum_is_as_much_too_large_in_a_run_as_it_is_said_to_be(said, case):
    assert max(said[case]["repeats"]) == TIMES.get(case, 1)
    assert said[case]["ratio"] == pytest.approx(TIMES.get(case, 1))


def test_what_the_program_adds_itself_is_as_it_asked(said):
    assert said["asked for"]["repeats"] == [1]
    assert said["asked for"]["ratio"] == pytest.approx(2)


def test_the_text_warns_with_the_line_and_what_to_do(said):
    [warning] = [one for one in " ".join(said["4 x 2"]["text"].split()).split("warning ")[1:]]
    assert "XLA adds each part 2 times" in warning and "over every axis of the mesh" in warning
    assert "warning" not in said["8 x 1"]["text"]
