"""Record the dumps again: `python -m tests.support.dumps.record v5e:2x2` where libtpu is installed, or
`h100` where a CUDA plugin is. A program that only CUDA does not refuse is recorded like the others.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

for name, value in {
    "JAX_PLATFORMS": "cpu",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "TPU_LOG_DIR": tempfile.mkdtemp(),
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
}.items():
    os.environ[name] = value

import jax  # noqa: E402
from jax.experimental import topologies  # noqa: E402
from jax.sharding import SingleDeviceSharding  # noqa: E402

from tests.support.dumps import FOLDER, Texts  # noqa: E402
from tests.support.dumps.functions import CALLS  # noqa: E402

_GPU = """gpu_device_info { threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
 shared_memory_per_core: 233472 threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128
 block_dim_limit_x: 2147483647 block_dim_limit_y: 65535
 block_dim_limit_z: 65535 memory_bandwidth: 3352320000000
 l2_cache_size: 52428800 clock_rate_ghz: 1.98 device_memory_size: 84942979072
 shared_memory_per_block_optin: 232448
 cuda_compute_capability { major: 9 minor: 0 feature_extension: ACCELERATED_FEATURES }
 registers_per_core_limit: 65536 registers_per_block_limit: 65536
 thread_dim_limit_x: 1024 thread_dim_limit_y: 1024 thread_dim_limit_z: 64
 driver_version: "13.0.0" runtime_version: "12.8.0" compile_time_toolkit_version: "12.8.0"
 dnn_version: "9.10.0" }
platform_name: "CUDA" dnn_version_info { major: 9 minor: 10 } device_description_str: "NVIDIA H100 80GB HBM3"
"""


def _device(target: str) -> Any:
    if target.startswith("v"):
        return topologies.get_topology_desc(target, platform="tpu").devices[0]
    options = {"target_config": _GPU, "topology": "1x1x1"}
    return topologies.get_topology_desc("", platform="cuda", **options).devices[0]


def _types(shapes: Any, device: Any) -> Any:
    if isinstance(shapes, dict):
        return {name: _types(one, device) for name, one in shapes.items()}
    if isinstance(shapes, list):
        return [_types(one, device) for one in shapes]
    return jax.ShapeDtypeStruct(*shapes, sharding=SingleDeviceSharding(device))


def _record(name: str, device: Any) -> dict[str, Any]:
    function, arguments = CALLS[name]
    lowered = function.lower(*(_types(one, device) for one in arguments))
    memory, refused = None, None
    with tempfile.TemporaryDirectory() as folder:
        try:
            compiled = lowered.compile(compiler_options={"xla_dump_to": folder})
            memory = _sums(compiled.memory_analysis())
        except jax.errors.JaxRuntimeError as error:
            refused = str(error)
        texts = Texts(*(_one(folder, suffix) for suffix in ("", "-buffer-assignment", "-live-range")))
    return {"texts": vars(texts), "memory": memory, "refused": refused}


def _one(folder: str, suffix: str) -> str:
    (path,) = Path(folder).glob(f"*after_optimizations{suffix}.txt")
    return path.read_text().replace(str(FOLDER), "/dumps")


def _sums(stats: Any) -> dict[str, int]:
    return {name: getattr(stats, name) for name in dir(stats) if name.endswith("_in_bytes")}


def main(target: str) -> None:
    device = _device(target)
    for name in CALLS:
        text = json.dumps(_record(name, device), indent=1)
        path = FOLDER / f"{name}-{target.partition(':')[0]}-{jax.__version__}.json.gz"
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1])
