"""Makes `step-JAXLIB-cache.gz` here: what that jaxlib writes into JAX's cache for one function, on a CPU.

    python tests/support/saved_entries/make.py

The file that the function is in has a name of its own, so that no folder of this machine is in the entry.
"""

import gzip
import tempfile
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np

SOURCE = """
import jax, jax.numpy as jnp

@jax.jit
def step(params, x):
    y = jnp.tanh(x @ params["w"] + params["b"])
    return {"loss": jnp.mean(y ** 2), "y": y}
"""
HERE = Path(__file__).parent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        defined: dict[str, object] = {}
        exec(compile(SOURCE, "step.py", "exec"), defined)
        params = {"w": np.ones((64, 32), "float32"), "b": np.ones(32, "float32")}
        jax.block_until_ready(defined["step"](params, np.ones((16, 64), "float32")))  # type: ignore[operator]
        (entry,) = Path(folder).glob("jit_step-*-cache")
        packed = gzip.compress(entry.read_bytes(), mtime=0)
        HERE.joinpath(f"step-{version('jaxlib')}-cache.gz").write_bytes(packed)


if __name__ == "__main__":
    main()
