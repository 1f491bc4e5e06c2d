"""The environment in which a compiler for an absent device looks for none, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Mapping

FULL_DISK = "is the disk for temporary files full? Set TMPDIR to another folder"


def quiet_environment(environ: Mapping[str, str], folder: str) -> dict[str, str]:
    """`environ` for a process that only compiles; what it writes unasked goes to `folder`.

    JAX runs on the CPU in it. libtpu 0.0.42 and 0.0.50 would ask Google's metadata server which machine this
    is, write logs and a lock file to /tmp, and with TPU_LOG_DIR=disabled the logs all the same.
    """
    return {
        **environ,
        "JAX_PLATFORMS": "cpu",
        "TPU_SKIP_MDS_QUERY": "1",
        "TPU_ACCELERATOR_TYPE": "v5litepod-4",
        "TPU_WORKER_HOSTNAMES": "localhost",
        "TPU_LOG_DIR": folder,
        "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
        "TMPDIR": folder,
    }
