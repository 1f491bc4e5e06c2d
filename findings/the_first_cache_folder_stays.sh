#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): once something was compiled, jax_compilation_cache_dir can be set to another
# folder, and is then read back as that, but entries go on into the first one. There is no warning.
# One would expect the second folder to be used, as jax.config.update raises nothing. Prints the entries of both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
from pathlib import Path

import jax

first, second = (Path(__file__).parent / name for name in ("first", "second"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
for number, folder in enumerate((first, second)):
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.jit(lambda x: x + number)(1.0)
entries = [len(list(folder.glob("*-cache"))) for folder in (first, second)]
print(*entries, jax.config.jax_compilation_cache_dir == str(second))
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "entries in the first folder, in the second, and whether the setting names the second: $seen"
[ "$seen" = "2 0 True" ] || { echo "jax does something else now"; exit 1; }
