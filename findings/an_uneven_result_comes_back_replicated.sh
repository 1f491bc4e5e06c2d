#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU with 8 devices): of an array of 64 rows on 8 devices, x[8:] comes back sharded,
# and moves a part of a shard. x[1:], of 63 rows, comes back whole on every device: XLA computes it in shards, and then
# gathers all of it. with_sharding_constraint(x[1:], P("d")) changes nothing, and there is no warning.
# One would expect the asked sharding, or the error that out_shardings=P("d") raises. Prints rows per device of each.
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
x = jax.device_put(jnp.ones((64, 16)), rows)


def per_device(f, **options):
    try:
        return jax.jit(f, **options)(x).addressable_shards[0].data.shape[0]
    except ValueError:
        return "refused"


print(
    per_device(lambda x: x[8:]),
    per_device(lambda x: x[1:]),
    per_device(lambda x: jax.lax.with_sharding_constraint(x[1:], rows)),
    per_device(lambda x: x[1:], out_shardings=rows),
)
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" -W error "$work/program.py" 2> "$work/log") || { cat "$work/log"; exit 1; }
echo "rows per device of x[8:], x[1:], that with a constraint, that with out_shardings: $seen"
[ "$seen" = "7 63 63 refused" ] || { echo "JAX does something else now"; exit 1; }
[ ! -s "$work/log" ] || { cat "$work/log"; echo "JAX says something of it now"; exit 1; }
