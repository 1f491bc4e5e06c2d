#!/usr/bin/env bash
# jax 0.12.0.1 (not 0.10.2; CPU): after an import of jax.experimental.pallas, each jitted function that was called
# before it is traced, lowered and compiled again at its next call: the import adds settings that are a part of JAX's
# cache keys. `import jax.extend.backend`, as equinox and others do, imports Pallas, too.
# One would expect an import to leave compiled functions alone; a library that is imported on first use, in the middle
# of a training run, compiles the whole step once more. Prints the compilations of one function in two calls, with
# nothing in between, with Pallas imported in between, and with jax.extend.backend.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# jax 0.12 wants Python 3.12 or newer.
for python in python3 python3.13 python3.12 ~/.pyenv/versions/3.1[23].*/bin/python3; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2> /dev/null && break
done
"$python" -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.12.0.1 jaxlib==0.12.0.1

cat > "$work/program.py" <<'PYTHON'
import importlib
import sys

import jax
import jax.monitoring

compiled = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **_: compiled.append(event) if event.endswith("backend_compile_duration") else None
)
function = jax.jit(lambda x: x + 1)
function(1.0)
for name in sys.argv[1:]:
    importlib.import_module(name)
function(1.0)
print(len(compiled))
PYTHON

export JAX_PLATFORMS=cpu
counts=""
for module in "" jax.experimental.pallas jax.extend.backend; do
  counts+="$("$work/env/bin/python" "$work/program.py" $module) "
done
echo "compilations with nothing, Pallas and jax.extend.backend imported between two equal calls: $counts"
[ "$counts" = "1 2 2 " ] || { echo "JAX does something else now"; exit 1; }
