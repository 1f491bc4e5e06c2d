#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): `jax.experimental.serialize_executable.serialize` of a function whose
# executable came from the on-disk cache succeeds, but what it returns cannot be loaded: NOT_FOUND: Function … not found.
# One would expect it to be as good as that of a fresh compilation: a program that saves its executables works until
# the cache is warm. The bytes are smaller, since XLA no longer has the machine code of what it has loaded.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import sys

import jax
import jax.numpy as jnp
from jax.experimental import serialize_executable

jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
x = jax.ShapeDtypeStruct((64, 64), "float32")
compiled = jax.jit(lambda x: jnp.sort(jnp.tanh(x @ x)).sum()).lower(x).compile()
saved = serialize_executable.serialize(compiled)
try:
    loaded = serialize_executable.deserialize_and_load(*saved)
    print("loaded", float(loaded(jnp.zeros((64, 64)))))
except Exception as error:
    print(str(error).split(":")[0])
PYTHON

fresh=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py" "$work/cache" 2>"$work/log")
cached=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py" "$work/cache" 2>"$work/log")
echo "compiled, saved and loaded: $fresh; from the cache, saved and loaded: $cached"
[ "$fresh" = "loaded 0.0" ] && [ "$cached" = NOT_FOUND ] || { echo "jax does something else now"; exit 1; }
