#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): an exported function, called in a jit, donates nothing, although the
# function that was exported does, and the module in the file still says so.
# One would expect a training step that updates its parameters in place to do so as well when it comes from a file:
# it takes twice the memory. `jax.jit(exported.call, donate_argnums=0)` donates again.
# Prints the bytes that results share with arguments: of the function, of the exported one, and with donate_argnums.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 flatbuffers==25.9.23

cat > "$work/program.py" <<'PYTHON'
import jax
from jax import export

x = jax.ShapeDtypeStruct((64, 64), "float32")
step = jax.jit(lambda x: x * 2 + 1, donate_argnums=0)
exported = export.deserialize(bytearray(export.export(step)(x).serialize()))
assert "tf.aliasing_output" in exported.mlir_module()


def shared(jitted):
    return jitted.lower(x).compile().memory_analysis().alias_size_in_bytes


print(shared(step), shared(jax.jit(exported.call)), shared(jax.jit(exported.call, donate_argnums=0)))
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "$seen"
[ "$seen" = "16384 0 16384" ] || { echo "jax does something else now"; exit 1; }
