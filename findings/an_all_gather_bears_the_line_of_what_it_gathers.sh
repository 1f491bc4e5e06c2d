#!/usr/bin/env bash
# jax 0.12.0.1 (CPU with 8 devices): an all-gather that the partitioner inserts bears the metadata of what is gathered.
# In y @ w, for a sharded w, its op_name is "w", the argument's, and it has no stack frame; in y @ jnp.sin(w) it has the
# name and the line of the sine. In 0.10.2 it has those of the product in both, which wants the array whole.
# One would expect the line that asks for the gather; with the argument's there is no line at all.
# Prints the op_name of each, and whether it has a stack frame.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# jax 0.12 wants Python 3.12 or newer.
for python in python3 python3.13 python3.12 ~/.pyenv/versions/3.1[23].*/bin/python3; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2> /dev/null && break
done
"$python" -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.12.0.1 jaxlib==0.12.0.1

cat > "$work/program.py" <<'PYTHON'
import re

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

rows = NamedSharding(Mesh(jax.devices(), ("d",)), P("d"))
x = jax.ShapeDtypeStruct((64, 64), "float32", sharding=rows)


def product(w, y):
    return y @ w


def product_of_sine(w, y):
    return y @ jnp.sin(w)


def gathered_for(f):
    hlo = jax.jit(f).lower(x, x).compile().as_text()
    name, rest = re.search(r' all-gather\(.*metadata=\{op_name="(.*?)"(.*?)\}', hlo).groups()
    return f"{name},{'stack_frame_id' in rest}"


print(gathered_for(product), gathered_for(product_of_sine))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py")
echo "op_name of the all-gather, and whether it has a stack frame, for y @ w and y @ sin(w): $seen"
[ "$seen" = "w,False jit(product_of_sine)/sin,True" ] || { echo "XLA does something else now"; exit 1; }
