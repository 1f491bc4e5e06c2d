#!/usr/bin/env bash
# optax 0.2.8 with jax 0.10.2 (also seen on 0.12.0.1; CPU with 8 devices): optax.adam(...).init(params) gives moments
# that are sharded as the weights are. jax.jit(optimizer.init)(params) puts all of them, whole, on the first device:
# zeros_like needs nothing of its argument, which jit drops, and its sharding with it. There is no warning.
# One would expect jit not to change where the state lies. Prints on how many devices the moments of a weight lie.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 optax==0.2.8

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

rows = NamedSharding(Mesh(jax.devices(), ("d",)), P("d"))
params = {"w": jax.device_put(jnp.ones((64, 16)), rows)}
optimizer = optax.adam(1e-3)


def devices(state):
    return len(state[0].mu["w"].sharding.device_set)


print(devices(optimizer.init(params)), devices(jax.jit(optimizer.init)(params)))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "devices of the moments, by init and by jit(init): $seen"
[ "$seen" = "8 1" ] || { echo "JAX or optax does something else now"; exit 1; }
