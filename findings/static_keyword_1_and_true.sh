#!/usr/bin/env bash
# jax 0.8.3 (jaxlib 0.8.3, CPU): a static argument that is given by keyword is compared by == alone.
# After f(x, k=1), the call f(x, k=True) runs what was compiled for 1 and returns another result than f does
# without jit; likewise 2 and 2.0. By position the two are different static values. From 0.9 on they are
# different either way (seen on 0.9.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/program.py" <<'PYTHON'
import functools
import jax


def f(x, k):
    return x * (2 if k is True else 1)


by_keyword = jax.jit(f, static_argnames="k")
by_position = jax.jit(f, static_argnums=1)
print("keyword", float(by_keyword(1.0, k=1)), float(by_keyword(1.0, k=True)))
print("position", float(by_position(1.0, 1)), float(by_position(1.0, True)))
PYTHON

seen() {
    python3 -m venv --clear "$work/env"
    "$work/env/bin/pip" install --quiet "jax==$1" "jaxlib==$1"
    JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py"
}

old=$(seen 0.8.3)
new=$(seen 0.9.2)
echo "jax 0.8.3:" && echo "$old"
echo "jax 0.9.2:" && echo "$new"
[ "$old" = $'keyword 1.0 1.0\nposition 1.0 2.0' ] || { echo "0.8.3 does something else now"; exit 1; }
[ "$new" = $'keyword 1.0 2.0\nposition 1.0 2.0' ] || { echo "0.9.2 does something else now"; exit 1; }
