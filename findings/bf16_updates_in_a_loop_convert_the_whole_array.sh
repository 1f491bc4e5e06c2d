#!/usr/bin/env bash
# jax 0.10.2 (jaxlib 0.10.2, CPU; not on 0.12.0.1): a loop that writes 8 elements of a donated array in each round is
# done in place in f32. In bf16 each round converts the whole array to f32, writes into it, and converts it back:
# with ten million elements and 200 rounds some ten seconds instead of a tenth of a millisecond.
# One would expect bf16, with half of the bytes, to be no slower. Prints how many instructions convert all of it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp

SIZE, ROUNDS = 1_000_003, 200


def write(array, updates):
    def step(array, update):
        place, values = update
        return jax.lax.dynamic_update_slice(array, values, (place,)), None

    return jax.lax.scan(step, array, (jnp.arange(ROUNDS), updates))[0]


for dtype in ("float32", "bfloat16"):
    array = jax.ShapeDtypeStruct((SIZE,), dtype)
    updates = jax.ShapeDtypeStruct((ROUNDS, 8), dtype)
    text = jax.jit(write, donate_argnums=0).lower(array, updates).compile().as_text()
    print(sum(f"[{SIZE}]" in line and " convert(" in line for line in text.splitlines()), end=" ")
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "conversions of the whole array in f32, in bf16: $seen"
[ "$seen" = "0 2 " ] || { echo "jax does something else now"; exit 1; }
