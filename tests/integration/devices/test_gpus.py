"""The catalogued GPUs, held against XLA's compiler for CUDA where it is installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jitinspect.devices import plugins
from jitinspect.devices.gpus import GPUS

CUDA = plugins.find_plugin("cuda")
pytestmark = pytest.mark.skipif(CUDA.why_not is not None, reason=str(CUDA.why_not))

PROGRAM = """
import json, sys
import jax, jax.numpy as jnp
from jax.experimental import topologies
from jax.sharding import SingleDeviceSharding
from jitinspect.devices.names import parse_device

def compiled(name):
    target = parse_device(name)
    asked = target.topology_options
    devices = topologies.get_topology_desc(target.topology, platform=target.platform, **asked).devices
    x = jax.ShapeDtypeStruct((64, 64), jnp.float32, sharding=SingleDeviceSharding(devices[0]))
    text = jax.jit(lambda x: jnp.sin(x @ x)).lower(x).compile().as_text()
    return [len(devices), devices[0].device_kind, "HloModule" in text]

json.dump({name: compiled(name) for name in sys.argv[1:]}, sys.stdout)
"""


def test_a_program_is_compiled_for_each(tmp_path):
    gpus = [gpu for gpu in GPUS if plugins.why_not(gpu, CUDA) is None]
    names = [name for gpu in gpus for name in (gpu.name, f"{gpu.name}:{gpu.most}")]
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    environ = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": path}
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names], capture_output=True, text=True, env=environ, timeout=300
    )
    assert finished.returncode == 0, finished.stderr
    expected = {
        name: [count, gpu.kind, True]
        for gpu in gpus
        for name, count in ((gpu.name, 1), (f"{gpu.name}:{gpu.most}", gpu.most))
    }
    assert json.loads(finished.stdout) == expected
