#!/usr/bin/env bash
# jax 0.12.0.1 with jax-cuda13-plugin: a compile for a V100 that is not here fails with "ptxas too old", whatever the
# version of ptxas. It is too new: CUDA 13 no longer assembles for compute capabilities below 7.5, and XLA reads the
# refusal as that of a version which does not know them yet. One would look for a newer ptxas; an older one, of
# jax-cuda12-plugin and nvidia-cuda-nvcc-cu12, compiles the program. Prints the version of ptxas, and the error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.12.0.1 jaxlib==0.12.0.1 \
    jax-cuda13-plugin==0.12.0.1 jax-cuda13-pjrt==0.12.0.1 nvidia-cuda-nvcc==13.5.37 nvidia-nvvm==13.5.37

cat > "$work/program.py" <<'PYTHON'
import jax
from jax.experimental import topologies
from jax.sharding import SingleDeviceSharding

V100 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 threads_per_core_limit: 2048 core_count: 80 fpus_per_core: 64
  shared_memory_per_block: 49152 shared_memory_per_core: 98304 shared_memory_per_block_optin: 98304
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  thread_dim_limit_x: 1024 thread_dim_limit_y: 1024 thread_dim_limit_z: 64
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
  memory_bandwidth: 898048000000 l2_cache_size: 6291456 clock_rate_ghz: 1.53 device_memory_size: 16935682048
  driver_version: "13.0.0" runtime_version: "12.8.0" compile_time_toolkit_version: "12.8.0" dnn_version: "9.10.0"
  cuda_compute_capability { major: 7 minor: 0 feature_extension: NONE }
}
platform_name: "CUDA" dnn_version_info { major: 9 minor: 10 } device_description_str: "Tesla V100-SXM2-16GB"
"""
topology = topologies.get_topology_desc("", platform="cuda", target_config=V100, topology="1x1x1")
x = jax.ShapeDtypeStruct((64,), "float32", sharding=SingleDeviceSharding(topology.devices[0]))
try:
    jax.jit(lambda x: x + 1).lower(x).compile()
    print("compiled")
except jax.errors.JaxRuntimeError as error:
    print("ptxas too old" if "ptxas too old" in str(error) else error)
PYTHON

ptxas=$(find "$work/env" -name ptxas -type f | head -1)
version=$("$ptxas" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')
seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py" 2> "$work/log")
echo "ptxas $version for a V100: $seen"
[ "$version" = 13.5 ] && [ "$seen" = "ptxas too old" ] || { echo "XLA does something else now"; exit 1; }
