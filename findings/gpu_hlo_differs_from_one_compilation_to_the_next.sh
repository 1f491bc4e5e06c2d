#!/usr/bin/env bash
# jax 0.10.2 with jax-cuda12-plugin 0.10.2 (also seen on 0.12.0.1), device-less compilation for an A100: the
# optimized HLO of one and the same function is not the same text each time. By chance, instructions get other numbers
# (param_1.321, param_1.319), and computations that are alike another order. On CPU and TPU the text is the same each
# time, so one would compare or hash it. Prints how many different texts ten compilations give: 3, as a rule.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 jax-cuda12-plugin==0.10.2 \
    jax-cuda12-pjrt==0.10.2 nvidia-cuda-nvcc-cu12==12.9.86

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
from jax.experimental import topologies
from jax.sharding import SingleDeviceSharding

TARGET = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
  shared_memory_per_core: 167936 threads_per_core_limit: 2048 core_count: 108 fpus_per_core: 64
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 2039000000000 l2_cache_size: 41943040 clock_rate_ghz: 1.41
  device_memory_size: 85100068864 shared_memory_per_block_optin: 166912
  cuda_compute_capability { major: 8 } registers_per_core_limit: 65536 registers_per_block_limit: 65536
  thread_dim_limit_x: 1024 thread_dim_limit_y: 1024 thread_dim_limit_z: 64
  driver_version: "13.0.0" runtime_version: "12.8.0" compile_time_toolkit_version: "12.8.0" dnn_version: "9.10.0"
}
platform_name: "CUDA" dnn_version_info { major: 9 minor: 10 } device_description_str: "NVIDIA A100-SXM4-80GB"
"""
topology = topologies.get_topology_desc("", platform="cuda", target_config=TARGET, topology="1x1x1")
one = SingleDeviceSharding(topology.devices[0])


def norm(x):
    x = x.astype(jnp.float32)
    x = x - x.mean(-1, keepdims=True)
    return (x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5)).astype(jnp.bfloat16)


def block(params, x):
    q, k, v = (part.reshape(*x.shape[:2], 8, -1) for part in jnp.split(norm(x) @ params["qkv"], 3, axis=-1))
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * 128**-0.5
    weights = jax.nn.softmax(scores.astype(jnp.float32)).astype(x.dtype)
    x = x + jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(x.shape) @ params["out"]
    x = x + jax.nn.gelu(norm(x) @ params["up"]) @ params["down"]
    return jnp.mean(x.astype(jnp.float32) ** 2)


def bf16(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.bfloat16, sharding=one)


params = {"qkv": bf16(1024, 3072), "out": bf16(1024, 1024), "up": bf16(1024, 4096), "down": bf16(4096, 1024)}
arguments = params, bf16(8, 512, 1024)
texts = set()
for _ in range(10):
    jax.clear_caches()
    texts.add(jax.jit(jax.grad(block)).lower(*arguments).compile().as_text())
print(len(texts))
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py" 2> "$work/log") || { cat "$work/log"; exit 1; }
echo "different texts of ten compilations: $seen"
[ "$seen" -gt 1 ] || { echo "XLA for GPUs does something else now"; exit 1; }
