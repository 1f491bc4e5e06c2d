#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU with 8 devices): jit takes arguments on two meshes of the same devices, and
# adds an array that is P("d") on d=8 to one that is P("a", "b") on a=4, b=2. If the second is P("b", "a"), the same
# sum raises IndivisibleError, of a shape [1, 4, 2] that is nowhere in the program: XLA compiled it, and has chosen
# a sharding for the result which cannot be written on the mesh of the first argument, as JAX then tries.
# One would expect a result on the other mesh, as the user said nothing of it. With out_shardings it works.
# Prints the spec of the result, or the error: for P("a", "b"), for P("b", "a"), and for that with out_shardings.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

line = jax.make_mesh((8,), ("d",), axis_types=(AxisType.Auto,), devices=jax.devices())
plane = jax.make_mesh((4, 2), ("a", "b"), axis_types=(AxisType.Auto,) * 2, devices=jax.devices())
x = jax.device_put(jnp.ones((64, 16)), NamedSharding(line, P("d")))


def summed(spec, **options):
    y = jax.device_put(jnp.ones((64, 16)), NamedSharding(plane, spec))
    try:
        return str(jax.jit(lambda x, y: x + y, **options)(x, y).sharding.spec).replace(" ", "")
    except ValueError as error:
        return type(error).__name__


print(summed(P("a", "b")), summed(P("b", "a")), summed(P("b", "a"), out_shardings=NamedSharding(plane, P("b", "a"))))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py" 2> "$work/log") || { cat "$work/log"; exit 1; }
echo "sharding of the sum for P('a', 'b'), for P('b', 'a'), for that with out_shardings: $seen"
[ "$seen" = "P('d',) IndivisibleError P('b','a')" ] || { echo "JAX does something else now"; exit 1; }
