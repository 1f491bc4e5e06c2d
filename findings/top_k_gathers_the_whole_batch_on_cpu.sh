#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU with 8 devices): jnp.sort of each row of a batch whose rows are sharded moves
# nothing. jax.lax.top_k of the same rows gathers the whole batch on every device, computes all of its rows there, and
# throws 7 of 8 away: on the CPU it becomes a custom call, which XLA does not partition. Compiled for a v5e or for H100s
# by 0.12.0.1 it moves nothing (by 0.10.2 the results, 3 a row). One would expect top_k to cost less than the sort.
# Prints what each moves.
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

rows = NamedSharding(Mesh(jax.devices(), ("d",)), P("d"))
batch = jax.ShapeDtypeStruct((64, 4096), "float32", sharding=rows)


def moved(f):
    hlo = jax.jit(f).lower(batch).compile().as_text()
    return ",".join(f"{op}:{shape}" for shape, op in re.findall(r"= (\S+?)\{\S* (all-\w+)\(", hlo)) or "nothing"


print(moved(lambda batch: jnp.sort(batch)[:, -3:]), moved(lambda batch: jax.lax.top_k(batch, 3)))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "moved by sort and by top_k: $seen"
[ "$seen" = "nothing all-gather:f32[64,4096]" ] || { echo "XLA does something else now"; exit 1; }
