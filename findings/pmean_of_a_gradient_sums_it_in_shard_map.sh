#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU with 8 devices): the classic step of data parallelism, pmean(grad(local loss)),
# gives the same gradient under jax.pmap, under jax.vmap and without devices. Under jax.shard_map, as it is by default,
# it is 8 times as large: grad of a weight that is the same everywhere already sums over the devices, and the pmean
# is a mean of equal sums, and a second all-reduce. With check_vma=False it is as under pmap. No warning, no error.
# One would expect a check not to change a result, and a step to survive the move from pmap. Prints the gradients.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

weight, batch = jnp.float32(1), jnp.arange(64.0).reshape(8, 8)


def gradient(weight, batch):
    return jax.lax.pmean(jax.grad(lambda weight: (batch * weight).mean())(weight), "d")


sharded = dict(mesh=Mesh(jax.devices(), ("d",)), in_specs=(P(), P("d")), out_specs=P())
print(
    jax.grad(lambda weight: (batch * weight).mean())(weight),
    jax.pmap(gradient, axis_name="d", in_axes=(None, 0))(weight, batch)[0],
    jax.shard_map(gradient, check_vma=False, **sharded)(weight, batch),
    jax.shard_map(gradient, **sharded)(weight, batch),
)
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "gradient on one device, by pmap, by shard_map unchecked, by shard_map: $seen"
[ "$seen" = "31.5 31.5 31.5 252.0" ] || { echo "JAX does something else now"; exit 1; }
