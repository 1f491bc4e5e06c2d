#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): with `zstandard` installed, JAX writes the entries of its on-disk cache
# without a checksum. Without it they are zlib's, which have one.
# One would expect the newer format to tell damage at least as well: of the changed bytes in the last third of an
# entry, a third is not noticed when it is decompressed, and XLA is given a changed executable. zlib tells each one.
# Prints, for both, how many of 60 changed bytes are told when the entry is decompressed (nothing is loaded).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 zstandard==0.23.0

cat > "$work/program.py" <<'PYTHON'
import sys
import zlib
from pathlib import Path

if sys.argv[1] == "zlib":
    sys.modules["zstandard"] = None  # as if it was not installed
    decompress = zlib.decompress
else:
    import zstandard

    decompress = zstandard.ZstdDecompressor().decompress
import jax
import jax.numpy as jnp

folder = Path(__file__).with_name(sys.argv[1])
jax.config.update("jax_compilation_cache_dir", str(folder))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.jit(lambda x: jnp.sort(jnp.tanh(x @ x)).sum()).lower(jnp.ones((64, 64))).compile()
entry = max(folder.glob("*-cache"), key=lambda file: file.stat().st_size).read_bytes()
told = 0
for at in range(len(entry) * 2 // 3, len(entry) - 8, len(entry) // 181)[:60]:
    changed = entry[:at] + bytes([entry[at] ^ 1]) + entry[at + 1 :]
    try:
        decompress(changed)
    except Exception:
        told += 1
print(told)
PYTHON

zlib=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py" zlib)
zstd=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py" zstd)
echo "of 60 changed bytes, zlib tells $zlib, zstd $zstd"
[ "$zlib" = 60 ] && [ "$zstd" -lt 55 ] || { echo "jax does something else now"; exit 1; }
