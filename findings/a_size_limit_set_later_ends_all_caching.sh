#!/usr/bin/env bash
# jax 0.10.2 (not on 0.12.0.1; CPU): a cache folder that was used without jax_compilation_cache_max_size gets no new
# entry once the setting is used: each write fails on the "-atime" file that older entries do not have, with a warning.
# One would expect JAX to go on caching, and to remove entries above the limit. Prints the entries before and after.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 filelock==3.20.0

cat > "$work/program.py" <<'PYTHON'
import sys
from pathlib import Path

import jax

folder, addend, limit = Path(__file__).with_name("cache"), int(sys.argv[1]), int(sys.argv[2])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_compilation_cache_dir", str(folder))
jax.config.update("jax_compilation_cache_max_size", limit)
jax.jit(lambda x: x + addend)(1.0)
print(len(list(folder.glob("*-cache"))))
PYTHON

seen=""
for call in "1 -1" "2 1000000000" "3 1000000000"; do
  seen="$seen $(JAX_PLATFORMS=cpu "$work/env/bin/python" -W ignore "$work/program.py" $call)"
done
echo "entries after a program without a limit, and after two with one of 1 GB:$seen"
[ "$seen" = " 1 1 1" ] || { echo "jax does something else now"; exit 1; }
