#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1, and for a TPU v5e; CPU with 8 devices): of a table whose rows are sharded,
# jnp.take(table, i, axis=0) sums one masked row over the devices: 64 bytes. table[i], with the same scalar i, gathers
# the whole table on every device to read one row of it: it is a dynamic-slice, where jnp.take is a gather.
# One would expect two spellings of one row to cost the same. Prints what each moves.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import re

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

mesh = Mesh(jax.devices(), ("d",))
table = jax.ShapeDtypeStruct((4096, 16), "float32", sharding=NamedSharding(mesh, P("d")))
index = jax.ShapeDtypeStruct((), "int32", sharding=NamedSharding(mesh, P()))


def moved(f):
    hlo = jax.jit(f).lower(table, index).compile().as_text()
    return ",".join(f"{op}:{shape}" for shape, op in re.findall(r"= (\S+?)\{\S* (all-\w+)\(", hlo))


print(moved(lambda table, i: jnp.take(table, i, axis=0)), moved(lambda table, i: table[i]))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "moved by jnp.take(table, i, axis=0) and by table[i]: $seen"
[ "$seen" = "all-reduce:f32[16] all-gather:f32[4096,16]" ] || { echo "XLA does something else now"; exit 1; }
