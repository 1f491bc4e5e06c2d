#!/usr/bin/env bash
# jax 0.10.2 (CPU; 0.12.0.1 does not): one process writes to a cache folder without jax_compilation_cache_max_size. From
# then on a process that sets that limit writes nothing there: JAX has no note of when the other entry was last used, and
# only warns that a file ending in "-atime" is missing. The limit need not be reached.
# One would expect the entry to count as old, or to be left out. Prints how many entries each process leaves.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 filelock==3.20.0

cat > "$work/program.py" <<'PYTHON'
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import jax
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_compilation_cache_dir", FOLDER)
jax.config.update("jax_compilation_cache_max_size", LIMIT)
jax.jit(lambda x: x * NUMBER)(1.0)
"""


def entries(name, limits):
    folder = Path(__file__).parent / name
    for number, limit in enumerate(limits):
        text = f"FOLDER, LIMIT, NUMBER = {str(folder)!r}, {limit}, {number + 2}.0" + PROGRAM
        subprocess.run([sys.executable, "-W", "ignore", "-c", text], check=True, capture_output=True)
    return len([*folder.glob("*-cache")])


print(entries("all", [10**9, 10**9]), entries("none", [-1, -1]), entries("one", [-1, 10**9]))
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "entries of two processes, both with a limit, both without, and the second one alone with it: $seen"
[ "$seen" = "2 2 1" ] || { echo "jax does something else now"; exit 1; }
