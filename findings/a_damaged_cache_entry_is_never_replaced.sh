#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): an entry of the persistent cache that cannot be read, as after a full disk,
# is warned of, and the program is compiled. JAX says by its event that it writes the entry, but leaves the damaged file
# as it is, so every later process warns and compiles again, for ever.
# One would expect the new executable to take its place. Prints how often each of two later processes compiles.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import subprocess
import sys
from pathlib import Path

folder = Path(__file__).parent / "cache"
PROGRAM = """
import jax
events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
jax.config.update("jax_compilation_cache_dir", FOLDER)
jax.jit(lambda x: x + 1)(1.0)
print(events.count("/jax/compilation_cache/cache_misses"))
"""


def writes():
    text = f"FOLDER = {str(folder)!r}" + PROGRAM
    return subprocess.run([sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True).stdout.strip()


kept = writes(), writes()
(entry,) = folder.glob("*-cache")
entry.write_bytes(b"cut off")
print(*kept, writes(), writes(), entry.read_bytes().decode())
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "entries that JAX says it writes: at first, cached, damaged, and again; what is in the file: $seen"
[ "$seen" = "1 0 1 1 cut off" ] || { echo "jax does something else now"; exit 1; }
