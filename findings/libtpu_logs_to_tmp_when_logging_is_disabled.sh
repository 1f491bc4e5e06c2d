#!/usr/bin/env bash
# jax 0.10.2 with libtpu 0.0.42.1 (also seen on 0.12.0.1 with 0.0.50.1): TPU_LOG_DIR=disabled only moves the log. In
# place of a folder tpu_logs, tpu_driver.* files appear in the temporary folder itself: a new one for each process.
# One would expect no log. Only TMPDIR decides where they go. Prints the number of log files after two processes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 libtpu==0.0.42.1

cat > "$work/program.py" <<'PYTHON'
from jax.experimental import topologies

topologies.get_topology_desc("v5e:2x2", platform="tpu")
PYTHON

export JAX_PLATFORMS=cpu TPU_SKIP_MDS_QUERY=1 TPU_ACCELERATOR_TYPE=v5litepod-4 TPU_WORKER_HOSTNAMES=localhost
export ALLOW_MULTIPLE_LIBTPU_LOAD=1 TPU_LOG_DIR=disabled
mkdir "$work/tmp"
for _ in 1 2; do TMPDIR="$work/tmp" "$work/env/bin/python" "$work/program.py"; done
seen=$(find "$work/tmp" -type f -name 'tpu_driver.*.log.INFO.*' | wc -l)
echo "log files with TPU_LOG_DIR=disabled: $seen"
[ "$seen" = 2 ] || { echo "libtpu does something else now"; exit 1; }
