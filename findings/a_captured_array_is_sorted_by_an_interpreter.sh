#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): jnp.sort of an array that a jitted function closes over is done by XLA
# while it compiles, by an interpreter that takes about 15 microseconds for each comparison: 5 s for 20,000 numbers.
# The compiled sort of as many takes a few milliseconds.
# One would expect a small constant to cost nothing. Prints how many times longer than that of the same array as an
# argument the compilation of a sort takes, here of 4,000 numbers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import time

import jax
import jax.numpy as jnp
import numpy as np

table = np.random.default_rng(0).normal(size=4000).astype("float32")


def seconds(f, *args):
    lowered = jax.jit(f).lower(*args)
    began = time.perf_counter()
    lowered.compile()
    return time.perf_counter() - began


seconds(lambda x: x + 1, table)
argument = seconds(lambda table: jnp.sort(table), table)
captured = seconds(lambda: jnp.sort(jnp.asarray(table)))
print(round(captured / argument))
PYTHON

export JAX_PLATFORMS=cpu
times=$("$work/env/bin/python" "$work/program.py")
echo "a captured array of 4,000 takes $times times as long to compile a sort of as an argument"
[ "$times" -ge 3 ] || { echo "XLA does something else now"; exit 1; }
