#!/usr/bin/env bash
# jax 0.10.2 with libtpu 0.0.42.1 (also seen on 0.12.0.1 with 0.0.50.1): a sharded weight of f32 that is gathered for a
# product of f32, as in FSDP, crosses a TPU's links as bf16: by default the product rounds its operands to bf16, and
# the compiler does so in front of the gather. With precision="highest" f32 is gathered, twice the bytes; and so it is
# at the default precision where one column of the gathered weight is used for something else as well.
# One would reckon with the bytes of f32 in each case. Compiled for a v5e of four chips. Prints what is gathered.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 libtpu==0.0.42.1

cat > "$work/program.py" <<'PYTHON'
import re

import jax
import jax.numpy as jnp
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

mesh = Mesh(topologies.get_topology_desc("v5e:2x2", platform="tpu").devices, ("d",))
rows = jax.ShapeDtypeStruct((256, 256), "float32", sharding=NamedSharding(mesh, P("d")))


def used_twice(x, weight):
    weight = jax.lax.with_sharding_constraint(weight, NamedSharding(mesh, P()))
    return x @ weight + weight[:, 0]


def gathered(f):
    hlo = jax.jit(f).lower(rows, rows).compile().as_text()
    return ",".join(re.findall(r"= (\w+\[\S+?\])\S* all-gather\(", hlo))


highest = gathered(lambda x, weight: jnp.dot(x, weight, precision="highest"))
print(gathered(lambda x, weight: x @ weight), highest, gathered(used_twice))
PYTHON

export JAX_PLATFORMS=cpu TPU_SKIP_MDS_QUERY=1 TPU_ACCELERATOR_TYPE=v5litepod-4 TPU_WORKER_HOSTNAMES=localhost
export ALLOW_MULTIPLE_LIBTPU_LOAD=1 TPU_LOG_DIR="$work" TMPDIR="$work"
seen=$("$work/env/bin/python" "$work/program.py" 2> "$work/log") || { cat "$work/log"; exit 1; }
echo "gathered for a product, for one of highest precision, for one beside another use: $seen"
[ "$seen" = "bf16[256,256] f32[256,256] f32[256,256]" ] || { echo "libtpu does something else now"; exit 1; }
