#!/usr/bin/env bash
# jax 0.10.2 with libtpu 0.0.42.1 (also seen on 0.12.0.1 with 0.0.50.1, and for v5p and v6e): jax.lax.psum_scatter of a
# vector, such as the flat gradient of a sharded optimizer, is compiled for a TPU into an all-reduce of the whole
# vector, twice the traffic, of which each device then keeps its part. The same elements as a matrix of 1024 columns
# are a reduce-scatter. One would expect the one-dimensional case to be the easy one. Compiled for a v5e of four chips.
# Prints the collective of each.
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


def collectives(*shape):
    x = jax.ShapeDtypeStruct(shape, "float32", sharding=NamedSharding(mesh, P()))

    @jax.jit
    @jax.shard_map(mesh=mesh, in_specs=P(), out_specs=P("d"), check_vma=False)
    def scattered(x):
        return jax.lax.psum_scatter(x, "d", tiled=True)

    hlo = scattered.lower(x).compile().as_text()
    assert "calls=%all-reduce-scatter" not in hlo  # such a fusion would be a reduce-scatter after all
    found = re.findall(r"= (f32\[\S+?\])\S* (all-reduce|reduce-scatter)\(", hlo)
    return ",".join(f"{op}:{size}" for size, op in found)


print(collectives(1024 * 1024), collectives(1024, 1024))
PYTHON

export JAX_PLATFORMS=cpu TPU_SKIP_MDS_QUERY=1 TPU_ACCELERATOR_TYPE=v5litepod-4 TPU_WORKER_HOSTNAMES=localhost
export ALLOW_MULTIPLE_LIBTPU_LOAD=1 TPU_LOG_DIR="$work" TMPDIR="$work"
seen=$("$work/env/bin/python" "$work/program.py" 2> "$work/log") || { cat "$work/log"; exit 1; }
echo "psum_scatter of a million elements, as a vector and as a matrix: $seen"
expected="all-reduce:f32[1048576] reduce-scatter:f32[256,1024]"
[ "$seen" = "$expected" ] || { echo "libtpu does something else now"; exit 1; }
