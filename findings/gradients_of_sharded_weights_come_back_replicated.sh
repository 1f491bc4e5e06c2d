#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1, and for H100s; CPU with 8 devices): weights and batch are sharded over one axis, as
# in FSDP. jax.jit(jax.grad(loss))(weight, batch) gives back the gradient whole, on every device: 8 times the memory of
# the weight. The step that subtracts it within the same jit gives back a sharded weight.
# One would expect a gradient to lie as its weight does; it does if out_shardings says so, or if the axis is Explicit.
# Prints the bytes per device of the weight, of its gradient, and of the new weight.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

rows = NamedSharding(Mesh(jax.devices(), ("d",)), P("d"))
weight, batch = jax.device_put(jnp.ones((64, 64)), rows), jax.device_put(jnp.ones((128, 64)), rows)


def loss(weight, batch):
    return (jnp.tanh(batch @ weight) ** 2).sum()


def step(weight, batch):
    return weight - jax.grad(loss)(weight, batch)


def per_device(array):
    return array.addressable_shards[0].data.nbytes


print(per_device(weight), per_device(jax.jit(jax.grad(loss))(weight, batch)), per_device(jax.jit(step)(weight, batch)))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "bytes per device of the weight, its gradient, the new weight: $seen"
[ "$seen" = "2048 16384 2048" ] || { echo "XLA does something else now"; exit 1; }
