#!/usr/bin/env bash
# jax 0.10.2 with libtpu 0.0.42.1 (also seen on 0.12.0.1 with 0.0.50.1): an all-gather that a TPU does while it computes
# is neither an all-gather-start nor a -done in the compiled HLO. The same all-gather, of one channel_id, is printed
# whole in three fusions: the one that starts it, the product meanwhile, and the one that waits for it.
# One would count the lines with all-gather( for what is moved, and come to three times as much; the channels are right.
# Two weights are gathered here, for a v5e of four chips. Prints the lines, and the channels.
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
hlo = jax.jit(lambda x, weight: (x @ weight, x @ jnp.sin(weight))).lower(rows, rows).compile().as_text()
channels = re.findall(r" all-gather\(.*?channel_id=(\d+)", hlo)
print(len(channels), len(set(channels)), " all-gather-start(" in hlo)
PYTHON

export JAX_PLATFORMS=cpu TPU_SKIP_MDS_QUERY=1 TPU_ACCELERATOR_TYPE=v5litepod-4 TPU_WORKER_HOSTNAMES=localhost
export ALLOW_MULTIPLE_LIBTPU_LOAD=1 TPU_LOG_DIR="$work" TMPDIR="$work"
seen=$("$work/env/bin/python" "$work/program.py" 2> "$work/log") || { cat "$work/log"; exit 1; }
echo "lines with an all-gather, their channels, whether any is an all-gather-start: $seen"
[ "$seen" = "4 2 False" ] || { echo "libtpu does something else now"; exit 1; }
