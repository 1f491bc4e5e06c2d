#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): JAX_COMPILATION_CACHE_DIR=file:///… ends the program with KeyError: 'file://'
# where etils is installed, as flax and orbax do; without etils it makes a folder "file:" in the current one.
# One would expect the folder that the URL names: JAX's own code takes file:// for the local file system.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

export JAX_PLATFORMS=cpu JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 JAX_COMPILATION_CACHE_DIR="file://$work/cache"
program='import jax; jax.jit(lambda x: x + 1)(1.0)'
cd "$work"
"$work/env/bin/python" -c "$program"
without=$(ls -d file:/*/ | head -1)
"$work/env/bin/pip" install --quiet 'etils[epath]==1.13.0'
with=$("$work/env/bin/python" -c "$program" 2>&1 | tail -20 | grep -o "^KeyError: .*" || true)
echo "without etils a folder below $without, with etils $with; the folder of the URL: $(ls -d "$work/cache" 2>&1)"
[ "${without%%/*}" = "file:" ] && [ "$with" = "KeyError: 'file://'" ] && [ ! -e "$work/cache" ] ||
  { echo "jax does something else now"; exit 1; }
