#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): if the first call of a jit with some signature raised while it was traced,
# every later call with it is slow, although it is compiled, and in the cache: some 30 times slower than a call of
# a jit that never raised. JAX looks it up in Python, again and again, until f.clear_cache().
# One would expect the second call, which works, to be like any first call. Prints whether it is over 5 times slower.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import time

import jax
import jax.numpy as jnp

x = jnp.zeros(3)
first = True


@jax.jit
def f(x):
    global first
    if first:
        first = False
        raise ValueError
    return x + 1


def seconds(function):
    function(x)
    began = time.perf_counter()
    for _ in range(2000):
        function(x)
    return time.perf_counter() - began


try:
    f(x)
except ValueError:
    pass
usual = seconds(jax.jit(lambda x: x + 1))
after_failure = seconds(f)
f.clear_cache()
print(after_failure > 5 * usual, seconds(f) > 5 * usual)
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "slow after a failure, and after clear_cache(): $seen"
[ "$seen" = "True False" ] || { echo "jax does something else now"; exit 1; }
