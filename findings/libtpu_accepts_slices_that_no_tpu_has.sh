#!/usr/bin/env bash
# jax 0.10.2 with libtpu 0.0.42.1: get_topology_desc accepts v5e:64x64, 4096 chips, and the solid v5e:2x2x2, though a
# v5e pod is a plane of 256 chips; yet it refuses v5e:1x1, which can be rented, unless it is told that a host has one
# chip (0.0.50.1 accepts that as well). One would expect it the other way round, as the name is that of a slice.
# Prints the number of devices of each, or "refused".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 libtpu==0.0.42.1

cat > "$work/program.py" <<'PYTHON'
import jax
from jax.experimental import topologies


def shown(name, **options):
    try:
        return len(topologies.get_topology_desc(name, platform="tpu", **options).devices)
    except jax.errors.JaxRuntimeError:
        return "refused"


single = shown("v5e:1x1", chips_per_host_bounds=(1, 1, 1))
print(shown("v5e:64x64"), shown("v5e:2x2x2"), shown("v5e:1x1"), single)
PYTHON

export JAX_PLATFORMS=cpu TPU_SKIP_MDS_QUERY=1 TPU_ACCELERATOR_TYPE=v5litepod-4 TPU_WORKER_HOSTNAMES=localhost
export ALLOW_MULTIPLE_LIBTPU_LOAD=1 TPU_LOG_DIR="$work" TMPDIR="$work"
seen=$("$work/env/bin/python" "$work/program.py")
echo "devices of v5e:64x64, v5e:2x2x2, v5e:1x1, and that with chips_per_host_bounds: $seen"
[ "$seen" = "4096 8 refused 1" ] || { echo "libtpu does something else now"; exit 1; }
