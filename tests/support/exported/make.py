"""Writes the files beside this one, which later versions of JAX are to read.

With jax 0.10.2: `python tests/support/exported/make.py`. No machine's paths are in them.
"""

import gzip
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
from jax import export


@partial(jax.jit, donate_argnames="params")
def step(params, x):
    """A step of gradient descent."""

    def loss(params):
        return jnp.mean(jnp.tanh(x @ params["w"] + params["b"]) ** 2)

    return jax.tree.map(lambda p, g: p - 0.1 * g, params, jax.grad(loss)(params))


@jax.jit
def product(x, w):
    return jnp.tanh(x @ w)


def array(*shape):
    return jax.ShapeDtypeStruct(shape, "float32")


def main():
    jax.config.update("jax_hlo_source_file_canonicalization_regex", ".*/")
    call = {"w": array(16, 8), "b": array(8)}, array(4, 16)
    lowered = step.lower(*call)
    exported = export.export(step)(*call)
    open_sizes = array(*export.symbolic_shape("b, 16")), array(16, 8)
    files = {
        "step.jaxexport": exported.serialize(),
        "open_sizes.jaxexport": export.export(product, platforms=["tpu", "cpu"])(*open_sizes).serialize(),
        "step.mlir": lowered.as_text(debug_info=True).encode(),
        "step.hlo": lowered.as_text(dialect="hlo", debug_info=True).encode(),
        "step.vhlo": exported.mlir_module_serialized,
    }
    for name, content in files.items():
        Path(__file__).with_name(f"{name}.gz").write_bytes(gzip.compress(bytes(content), mtime=0))


if __name__ == "__main__":
    main()
