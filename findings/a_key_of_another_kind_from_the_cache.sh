#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU): jax_default_prng_impl decides which kind of key a jitted function makes, and
# is not a part of the key of its fast path. A function that was called before goes on to make keys of the old kind,
# within jax.default_prng_impl("rbg") as well; one that is jitted anew makes the new kind.
# One would expect a compilation, as for x64 or the matmul precision. Prints how many words the keys have.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2

cat > "$work/program.py" <<'PYTHON'
import jax


def words(seed):
    return jax.random.key_data(jax.random.key(seed))


jitted = jax.jit(words)
before = jitted(0)
with jax.default_prng_impl("rbg"):
    print(before.size, jitted(0).size, jax.jit(lambda seed: words(seed))(0).size)
PYTHON

seen=$(JAX_PLATFORMS=cpu "$work/env/bin/python" "$work/program.py")
echo "before, then under rbg: the same jit, a new one: $seen"
[ "$seen" = "2 2 4" ] || { echo "jax does something else now"; exit 1; }
