#!/usr/bin/env bash
# jax 0.10.2 (jaxlib 0.10.2, CPU): the patterns .* and .+ of xla_dump_hlo_pass_re do not mean the same.
# With exactly ".*" XLA dumps the module after those passes alone that say they changed it; with any other
# pattern, also one that matches as much, such as ".+", after every pass. Who counts the files to learn which
# passes ran, or looks for one that did nothing, needs ".+".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import os
import sys
import jax
import jax.numpy as jnp


def files(pattern, folder):
    lowered = jax.jit(lambda x: jnp.tanh(x * 2 + 1)).lower(jax.ShapeDtypeStruct((8,), "float32"))
    lowered.compile({"xla_dump_to": folder, "xla_dump_hlo_pass_re": pattern})
    return sum(".after_" in name for name in os.listdir(folder))


print(files(".*", sys.argv[1] + "/star"), files(".+", sys.argv[1] + "/plus"))
PYTHON

read -r star plus < <(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py" "$work")
echo "files after a pass: $star with .*, $plus with .+"
[ "$star" -gt 0 ] && [ "$plus" -gt $((star * 3)) ] || { echo "XLA does something else now"; exit 1; }
