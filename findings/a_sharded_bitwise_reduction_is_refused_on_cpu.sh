#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU with 8 devices): jnp.bitwise_or.reduce, and and xor likewise, raise where the
# array is sharded over its axis, both in and outside of jax.jit: XLA's partitioner makes an all-reduce by `or` of the
# integers, and the runtime of the CPU knows that for booleans only. The error comes when it compiles, and names none of
# the user's lines. One would expect what works on one device to work on eight: jnp.sum, max and prod do.
# Prints the reduction on one device, the error of eight, and the reduction of booleans on eight.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

flags = jnp.arange(64)
sharding = NamedSharding(Mesh(jax.devices(), ("d",)), P("d"))
print(jnp.bitwise_or.reduce(flags))
try:
    print(jnp.bitwise_or.reduce(jax.device_put(flags, sharding)))
except jax.errors.JaxRuntimeError as error:
    print(":".join(str(error).split(":")[:2]))
print(jnp.bitwise_or.reduce(jax.device_put(flags > 62, sharding)))
PYTHON

export JAX_PLATFORMS=cpu XLA_FLAGS=--xla_force_host_platform_device_count=8
seen=$("$work/env/bin/python" "$work/program.py" 2> /dev/null | tr '\n' ' ')
echo "one device, eight, and eight of booleans: $seen"
[ "$seen" = "63 UNIMPLEMENTED: Unsupported reduction computation True " ] || { echo "XLA does something else now"; exit 1; }
