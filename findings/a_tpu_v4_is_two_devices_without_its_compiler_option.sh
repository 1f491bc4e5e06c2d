#!/usr/bin/env bash
# jax 0.10.2 with libtpu 0.0.42.1 (also seen on 0.12.0.1 with 0.0.50.1): a topology of TPU v4 has two devices a chip,
# of one core and half the memory each; one of v5p, also of two cores a chip, has one. Programs for a real v4 are
# compiled for one device of both cores, for which get_topology_desc needs chip_config_name="megacore".
# One would expect the devices that jax.devices() shows there: what is compiled fits neither memory nor mesh.
# Prints, for a host of four chips: devices and cores of each, for v5p, v4, and v4 with the option.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 libtpu==0.0.42.1

cat > "$work/program.py" <<'PYTHON'
from jax.experimental import topologies


def shown(name, **options):
    devices = topologies.get_topology_desc(name, platform="tpu", **options).devices
    return f"{len(devices)}x{devices[0].num_cores}"


print(shown("v5p:2x2x1"), shown("v4:2x2x1"), shown("v4:2x2x1", chip_config_name="megacore"))
PYTHON

export JAX_PLATFORMS=cpu TPU_SKIP_MDS_QUERY=1 TPU_ACCELERATOR_TYPE=v5litepod-4 TPU_WORKER_HOSTNAMES=localhost
export ALLOW_MULTIPLE_LIBTPU_LOAD=1 TPU_LOG_DIR="$work" TMPDIR="$work"
seen=$("$work/env/bin/python" "$work/program.py")
echo "devices and their cores, on v5p, v4, v4 as megacore: $seen"
[ "$seen" = "4x2 8x1 4x2" ] || { echo "libtpu does something else now"; exit 1; }
