#!/usr/bin/env bash
# jax 0.10.2 (jaxlib 0.10.2, CPU): what was lowered for another platform compiles for the one that is here.
# .lower(lowering_platforms=("tpu",)) works without a TPU, and picks the TPU's rules: the program below returns
# what jax.lax.platform_dependent chose. .compile() of that lowering raises nothing: it gives a CPU executable,
# which runs the TPU's branch on the CPU. One would expect an error, or a TPU executable.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp


@jax.jit
def f(x):
    return jax.lax.platform_dependent(x, cpu=lambda x: x + 1, tpu=lambda x: x + 100)


x = jnp.zeros(1)
here = f.lower(x).compile()
there = f.trace(x).lower(lowering_platforms=("tpu",)).compile()
devices = {device.platform for device in there(x).devices()}
print(float(here(x)[0]), float(there(x)[0]), *devices)
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "lowered for here, lowered for TPU, ran on: $seen"
[ "$seen" = "1.0 100.0 cpu" ] || { echo "jax does something else now"; exit 1; }
