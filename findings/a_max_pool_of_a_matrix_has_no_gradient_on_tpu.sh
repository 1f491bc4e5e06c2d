#!/usr/bin/env bash
# jax 0.10.2 with libtpu 0.0.42.1 (also seen on 0.12.0.1 with 0.0.50.1): the gradient of a max pool over a plain matrix
# is refused when it is compiled for a TPU: "select-and-scatter with a window bound or window stride in one of the two
# minor-most dimensions". The pool itself compiles, and so does the gradient if the same matrix has a batch and a channel
# dimension of 1 around it. One would expect what compiles forwards, and for CPU, to compile backwards.
# Compiled for a v5e. Prints what becomes of the pool, of its gradient, and of the gradient with the two dimensions.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 libtpu==0.0.42.1

cat > "$work/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
from jax.experimental import topologies

device = topologies.get_topology_desc("v5e:2x2", platform="tpu").devices[0]
image = jax.ShapeDtypeStruct((128, 128), "float32", sharding=jax.sharding.SingleDeviceSharding(device))


def pool(x):
    window = (3, 3) if x.ndim == 2 else (1, 3, 3, 1)
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, (1,) * x.ndim, "SAME")


def compiled(function):
    try:
        jax.jit(function).lower(image).compile()
    except jax.errors.JaxRuntimeError as error:
        return str(error).partition(":")[0]
    return "compiles"


print(
    compiled(pool),
    compiled(jax.grad(lambda x: pool(x).sum())),
    compiled(jax.grad(lambda x: pool(x[None, :, :, None]).sum())),
)
PYTHON

export JAX_PLATFORMS=cpu TPU_SKIP_MDS_QUERY=1 TPU_ACCELERATOR_TYPE=v5litepod-4 TPU_WORKER_HOSTNAMES=localhost
export ALLOW_MULTIPLE_LIBTPU_LOAD=1 TPU_LOG_DIR="$work" TMPDIR="$work"
seen=$("$work/env/bin/python" "$work/program.py" 2> "$work/log") || { cat "$work/log"; exit 1; }
echo "the pool, its gradient, and the gradient with a batch and a channel: $seen"
[ "$seen" = "compiles UNIMPLEMENTED compiles" ] || { echo "libtpu does something else now"; exit 1; }
