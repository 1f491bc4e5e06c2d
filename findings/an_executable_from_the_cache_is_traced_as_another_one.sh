#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): in a trace, the operations of an executable that came from the on-disk
# cache bear the program_id that it had in the process which compiled it. The HLO of that number in the trace is
# another function's, or there is none.
# One would expect the two to agree, as they do where nothing came from the cache: what joins them by that number
# (as XProf does) gives the time of one function to another.
# Prints, in a process that takes `slow` from the cache after two other functions, the number under which it runs,
# and that under which its HLO is.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import glob
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


def slow(x):
    return jnp.sin(x @ x)


def other(x):
    return x * 2


for n in range(int(sys.argv[2])):
    jax.jit(other).lower(np.ones(n + 1)).compile()
with jax.profiler.trace(sys.argv[3]):
    jax.jit(slow)(np.ones((9, 9))).block_until_ready()
(file,) = glob.glob(sys.argv[3] + "/plugins/profile/*/*.xplane.pb")
planes = list(jax.profiler.ProfileData.from_file(file).planes)
events = (dict(event.stats) for plane in planes for line in plane.lines for event in line.events)
runs = {stats["program_id"] for stats in events if stats.get("hlo_module") == "jit_slow"}
hlo = re.findall(rb"jit_slow\((\d+)\)", open(file, "rb").read())
print(runs.pop() == int(hlo[0]))
PYTHON

JAX_PLATFORMS=cpu "$work/env/bin/python" -W ignore "$work/program.py" "$work/cache" 0 "$work/first" > "$work/told"
JAX_PLATFORMS=cpu "$work/env/bin/python" -W ignore "$work/program.py" "$work/cache" 2 "$work/second" >> "$work/told"
seen=$(paste -sd ' ' "$work/told")
echo "does it run under the number of its HLO, when it was compiled, and from the cache: $seen"
[ "$seen" = "True False" ] || { echo "jax does something else now"; exit 1; }
