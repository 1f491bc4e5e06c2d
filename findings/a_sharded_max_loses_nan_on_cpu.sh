#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU with 8 devices): jnp.max of an array with a NaN is NaN. If the array is sharded
# it is a number: each device finds NaN or its own maximum, and the all-reduce between them leaves out the device with
# the NaN, and so the other elements of its shard as well: of 0 to 62 and a NaN the maximum is 55. So are jnp.min,
# jax.lax.pmax, and the inf norm; jnp.sum and jnp.argmax see the NaN. The HLO is an all-reduce by maximum, as elsewhere.
# One would expect the sharding not to change a result, and a check such as jnp.isnan(jnp.max(x)) to work.
# Prints the maximum on one device, on eight, by pmax, and whether the argmax on eight is that of the NaN.
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

mesh = Mesh(jax.devices(), ("d",))
x = jnp.arange(64.0).at[63].set(jnp.nan)
sharded = jax.device_put(x, NamedSharding(mesh, P("d")))


@jax.shard_map(mesh=mesh, in_specs=P("d"), out_specs=P())
def pmax(x):
    return jax.lax.pmax(jnp.max(x), "d")


print(jnp.max(x), jnp.max(sharded), pmax(sharded), jnp.argmax(sharded) == 63)
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "maximum on one device, on eight, by pmax, and whether argmax finds the NaN: $seen"
[ "$seen" = "nan 55.0 55.0 True" ] || { echo "XLA does something else now"; exit 1; }
