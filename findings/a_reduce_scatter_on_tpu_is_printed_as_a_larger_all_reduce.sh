#!/usr/bin/env bash
# jax 0.10.2 with libtpu 0.0.42.1 (also seen on 0.12.0.1 with 0.0.50.1, and for v5p): a product of 4096 x 4096 that is
# summed over four chips into sharded rows has no reduce-scatter in the compiled HLO, but an all-reduce of 4480 rows, in
# a fusion that is called all-reduce-scatter, after which each chip sends 288 rows on to the next: 4096 rows are
# cut into shards of 1120 first, and the surplus then moved to where it belongs. 1024 rows are cut into 256.
# One would look for a reduce-scatter of 4096 rows, and nothing else, as powers of two divide evenly.
# Compiled for a v5e of four chips. Prints the collectives for 1024 rows and for 4096.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 libtpu==0.0.42.1

cat > "$work/program.py" <<'PYTHON'
import re

import jax
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

mesh = Mesh(topologies.get_topology_desc("v5e:2x2", platform="tpu").devices, ("d",))
rows, columns = NamedSharding(mesh, P("d")), NamedSharding(mesh, P(None, "d"))
KINDS = "all-reduce|reduce-scatter|collective-permute-start"


def collectives(n):
    x = jax.ShapeDtypeStruct((n, n), "float32", sharding=columns)
    weight = jax.ShapeDtypeStruct((n, n), "float32", sharding=rows)
    hlo = jax.jit(lambda x, weight: x @ weight, out_shardings=rows).lower(x, weight).compile().as_text()
    found = re.findall(rf"= \(?f32\[(\d+),{n}\].* ({KINDS})\(", hlo)
    return ",".join(f"{kind}:{count}" for count, kind in found)


print(collectives(1024), collectives(4096))
PYTHON

export JAX_PLATFORMS=cpu TPU_SKIP_MDS_QUERY=1 TPU_ACCELERATOR_TYPE=v5litepod-4 TPU_WORKER_HOSTNAMES=localhost
export ALLOW_MULTIPLE_LIBTPU_LOAD=1 TPU_LOG_DIR="$work" TMPDIR="$work"
seen=$("$work/env/bin/python" "$work/program.py" 2> "$work/log") || { cat "$work/log"; exit 1; }
echo "rows in the collectives, of 1024 and of 4096: $seen"
[ "$seen" = "all-reduce:1024 all-reduce:4480,collective-permute-start:288" ] ||
    { echo "libtpu does something else now"; exit 1; }
