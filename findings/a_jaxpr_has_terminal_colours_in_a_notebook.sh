#!/usr/bin/env bash
# jax 0.10.2 (also seen on 0.12.0.1; CPU) with ipykernel 7.1.0: in a notebook, str() of a jaxpr contains the escape
# sequences of terminal colours. Whether it does is decided once, when JAX is imported, by whether IPython runs a
# kernel; jax_pprint_use_color=False, set before or after, is what stops it.
# One would expect str() to be the same text everywhere, as a text that is written to a file, hashed or compared has
# to be. Prints whether it has escapes in a plain process, in a kernel, and in a kernel without that setting.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 ipykernel==7.1.0 nbclient==0.10.2

cat > "$work/plain.py" <<'PYTHON'
import jax

print("\x1b" in str(jax.jit(lambda x: x * 2).trace(1.0).jaxpr))
PYTHON
cat > "$work/kernel.py" <<'PYTHON'
import nbclient
import nbformat.v4 as v4

cell = open("plain.py").read()
without = "import jax; jax.config.update('jax_pprint_use_color', False)\n"
notebook = v4.new_notebook(cells=[v4.new_code_cell(cell), v4.new_code_cell(without + cell)])
nbclient.execute(notebook)
print(*[cell.outputs[0].text.strip() for cell in notebook.cells])
PYTHON

export JAX_PLATFORMS=cpu
cd "$work"
plain=$(env/bin/python plain.py)
kernel=$(PATH="$work/env/bin:$PATH" env/bin/python kernel.py 2>/dev/null)
echo "escapes in the text of a jaxpr: in a plain process $plain; in a kernel, and there without colours: $kernel"
[ "$plain $kernel" = "False True False" ] || { echo "JAX does something else now"; exit 1; }
