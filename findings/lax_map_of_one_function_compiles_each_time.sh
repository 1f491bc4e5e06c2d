#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): outside of a jit, jax.lax.scan with one and the same function compiles once;
# jax.lax.map with one and the same function compiles in every call, since it makes a new function around it, and
# so does jax.scipy.sparse.linalg.cg. One would expect map to be cached as scan is. Within a jit all are cached.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp

events = []
jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: events.append(event))


def compilations(call):
    call()
    events.clear()
    for _ in range(3):
        call()
    return events.count("/jax/core/compile/backend_compile_duration")


def step(carry, x):
    return carry + x, x


def double(x):
    return x * 2


x = jnp.ones(3)
solve = jax.scipy.sparse.linalg.cg
print(
    compilations(lambda: jax.lax.scan(step, 0.0, x)),
    compilations(lambda: jax.lax.map(double, x)),
    compilations(lambda: solve(double, x)),
    compilations(jax.jit(lambda: jax.lax.map(double, x))),
)
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "compilations in three more calls of scan, map, cg, a jitted map: $seen"
[ "$seen" = "0 3 3 0" ] || { echo "jax does something else now"; exit 1; }
