#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.8.3 to 0.12.0.1; CPU, two cores): in a trace of jax.profiler, the end of an operation that
# other threads finished, the event `end: NAME`, is recorded when all operations that follow have run as well, up to the
# end of the program. One would take it for the end of the operation, which its first event does not tell (that is when
# it has been launched). Here each iteration needs the result of the one before, so at most the four other operations
# of an iteration can begin before one of them ends; by the trace, more than a hundred do.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
from bisect import bisect_left

import jax
import jax.numpy as jnp
from jax._src.lib import _profiler


@jax.jit
def f(x):
    return jax.lax.fori_loop(0, 40, lambda i, y: jnp.tanh(y @ y + 0.5 / (y * y + 1)), x)


x = jnp.ones((256, 256)) * 0.5
f(x).block_until_ready()
options = jax.profiler.ProfileOptions()
options.python_tracer_level = 0
session = _profiler.ProfilerSession(options)
for _ in range(200):
    f(x).block_until_ready()
data = jax.profiler.ProfileData.from_serialized_xspace(session.stop())

runs, ends = {}, {}
for event in (event for plane in data.planes for line in plane.lines for event in line.events):
    stats = dict(event.stats)
    if "hlo_op" in stats and not event.name.startswith("while"):
        runs.setdefault(stats["run_id"], []).append((event.start_ns, stats["_p"]))
    elif event.name.startswith("end: "):
        ends[stats["_c"]] = event.start_ns

begun = []
for operations in map(sorted, runs.values()):
    starts = [start for start, _ in operations]
    begun += [bisect_left(starts, ends[number]) - at - 1 for at, (_, number) in enumerate(operations)]
print(sum(count > 4 for count in begun), len(begun), max(begun))
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" -W ignore "$work/program.py")
read -r late all most <<< "$seen"
echo "$late of $all operations end after more than 4 others have begun, one of them after $most"
[ "$late" -gt 0 ] && [ "$most" -gt 100 ] || { echo "jax does something else now"; exit 1; }
