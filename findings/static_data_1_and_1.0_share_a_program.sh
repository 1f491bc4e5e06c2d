#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): the static data of a pytree class are compared by == alone, not by type.
# 2, 2.0 and True are different values to a function, and static *arguments* 1 and 1.0 compile twice. As the aux data
# of a registered class, 2 and 2.0 are one program: whichever comes first decides the dtype of all results.
# One would expect x * 2.0 to be f32 for an i32 x, as it is in a program where that call comes first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp


class Scaled:
    def __init__(self, x, factor):
        self.x, self.factor = x, factor


jax.tree_util.register_pytree_node(
    Scaled, lambda one: ((one.x,), one.factor), lambda factor, children: Scaled(*children, factor)
)


def dtypes(*factors):
    scale = jax.jit(lambda one: one.x * one.factor)
    return [str(scale(Scaled(jnp.arange(3), factor)).dtype) for factor in factors]


print(*dtypes(2, 2.0), *dtypes(2.0, 2))
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "dtypes for 2, then 2.0; for 2.0, then 2: $seen"
[ "$seen" = "int32 int32 float32 float32" ] || { echo "jax does something else now"; exit 1; }
