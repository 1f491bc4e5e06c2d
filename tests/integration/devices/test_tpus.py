"""The catalogued TPUs, held against libtpu where it is installed. Nothing is run on a device."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jitinspect.devices.names import parse_device, shape_text
from jitinspect.devices.tpus import TPUS

pytestmark = pytest.mark.skipif(importlib.util.find_spec("libtpu") is None, reason="libtpu is not installed")

NAMES = [f"{tpu.name}:{shape_text(shape)}" for tpu in TPUS for shape in tpu.shapes]
LARGEST = {"v4": "16x16x16", "v5p": "16x16x24", "tpu7x": "16x24x24"}
ABOVE = 32 * 2**20
"""More than what the versions of libtpu differ in."""
QUIET = {
    "JAX_PLATFORMS": "cpu",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
}
PROGRAM = """
import json, sys
import jax, jax.numpy as jnp
from jax.experimental import topologies
from jax.sharding import SingleDeviceSharding
from jitinspect.devices.names import parse_device

def devices(name):
    target = parse_device(name)
    return topologies.get_topology_desc(
        target.topology, platform=target.platform, **target.topology_options
    ).devices

def why_refused(device, size):
    here = SingleDeviceSharding(device)
    x = jax.ShapeDtypeStruct((size // 2**21, 256, 1024), jnp.float32, sharding=here)
    try:
        jax.jit(lambda x: x + 1).lower(x).compile()
    except jax.errors.JaxRuntimeError as error:
        return str(error)

asked = json.load(sys.stdin)
found = {name: [len(found), found[0].device_kind] for name in asked["names"] if (found := devices(name))}
sizes = [why_refused(devices(name)[0], size) for name, size in asked["sizes"]]
json.dump({"found": found, "sizes": sizes}, sys.stdout)
"""


def in_a_process(folder, **asked):
    """What PROGRAM answers. libtpu writes to the temporary folder, in whatever way it is told not to."""
    environ = {**os.environ, **QUIET, "TPU_LOG_DIR": str(folder), "TMPDIR": str(folder)}
    environ["PYTHONPATH"] = os.pathsep.join([str(Path.cwd()), environ.get("PYTHONPATH", "")])
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps({"names": [], "sizes": [], **asked}),
        capture_output=True,
        text=True,
        env=environ,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_libtpu_accepts_each_slice_and_counts_its_devices_alike(tmp_path):
    names = NAMES + [f"{name}:{shape}" for name, shape in LARGEST.items()]
    found = in_a_process(tmp_path, names=names)["found"]
    expected = {name: [(target := parse_device(name)).count, target.device.kind] for name in names}
    assert found == expected


def test_libtpu_refuses_what_is_above_the_usable_memory_and_nothing_below(tmp_path):
    sizes = [[tpu.name, size] for tpu in TPUS for size in (tpu.usable, tpu.usable + ABOVE)]
    refused = in_a_process(tmp_path, sizes=sizes)["sizes"]
    assert refused[::2] == [None] * len(TPUS)
    assert all("exceeds available HBM" in why for why in refused[1::2])
