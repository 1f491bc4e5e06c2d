"""A real notebook in a real kernel: one is executed, and the tests look at what its cells show."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

import jitinspect  # noqa: E402
from jitinspect.api.notebook import lines  # noqa: E402
from tests.e2e.conftest import ROOT  # noqa: E402
from tests.e2e.test_readme import check_shown  # noqa: E402
from tests.support.browser import told_by  # noqa: E402

PROGRAM = """import jax, jax.numpy as jnp
@jax.jit
def halve(x):
    return x / 2
"""
SECTION = (ROOT / "README.md").read_text().partition("## In a notebook")[2].partition("\n## ")[0]
SHOWN = re.findall(r"```python\n(.*?)\n```\n\n```text\n(.*?)\n```", SECTION, re.DOTALL)
"""The README's cells with their outputs."""
CELLS = {
    "load": "%load_ext jitinspect",
    **{f"README {number}": cell for number, (cell, _) in enumerate(SHOWN)},
    "first": """%%compiles
import jax, jax.numpy as jnp, numpy as np
from program import halve

@jax.jit
def step(w, x):
    "Not the README's: that is of another text."
    h = jnp.tanh(x @ w)
    return h.sum()

w = np.ones((4, 8), "float32")
step(w, np.ones((16, 4), "float32"))""",
    "cached": """%%compiles
step(w, np.ones((16, 4), "float32"))""",
    "unasked": 'step(w, np.ones((17, 4), "float32"))',
    "shape": """%%compiles
for n in 16, 18:
    step(w, np.ones((n, 4), "float32"))""",
    "again": """%%compiles
for n in 16, 18:
    step(w, np.ones((n, 4), "float32"))""",
    "quiet": "%%compiles -q\nstep(w, np.ones((18, 4), 'float32'))",
    "library": "%%compiles\nhalve(np.ones(3)), halve(np.ones(3))",
    "same text": "%%compiles\ndef double(x):\n    return x * 2\n\njax.jit(double)(np.ones(2))",
    "other text": "%%compiles\ndef double(x):\n    return x * 2\n\njax.jit(double)(np.ones(3))",
    "error": """%%compiles
x = 1
step(w, np.ones((3, 9)))""",
    "after an error": "type(step).__name__, jax.jit.__module__",
    "time": "%%compiles\n%%time\nstep(w, np.ones((19, 4), 'float32'))",
    "await": "%%compiles\nimport asyncio\nawait asyncio.sleep(0)\nstep(w, np.ones((20, 4), 'float32'))",
    "jaxpr": "%jaxpr step(w, jax.ShapeDtypeStruct((32, 4), 'float32'))",
    "static": "%jaxpr --static times (lambda x, times: x * times)(w, times=3)",
    "stablehlo": "%stablehlo step(w, x=np.ones((32, 4), 'float32'))",
    "hlo": "module = %hlo step(w, jax.ShapeDtypeStruct((32, 4), 'float32'))\nmodule.hlo.text.split(',')[0]",
    "local": """def inner(f):
    y = np.ones(5, "float32")
    %jaxpr f(y)
    made = %jaxpr f(y)
    return made.jaxpr.text
inner(jnp.sin)""",
    "not called": """calls = []
def noted(x):
    calls.append(type(x).__name__)
    return x + 1
%hlo noted(w)
calls""",
    "inspected is not told": """%%compiles
text = %jaxpr (lambda x: x * 7)(w)
step(w, np.ones((20, 4), 'float32'))""",
    "source": """%%jitsource
def loss(w, x, scale):
    y = x @ w
    return scale * jnp.mean(y ** 2)

jax.grad(loss)(w, np.ones((64, 4), "float32"), 3.0)""",
    "profile": """%%jitprofile
step(w, np.ones((64, 4), "float32"))""",
    "no call": "%%jitsource\ny = 2",
    "option": "%hlo --nosuch step(w)",
    "no call in a line": "%hlo step",
    "device": "%hlo --target v99 step(w, w)",
    "api": "import jitinspect\njitinspect.read('nosuch', step, w)",
    "api in a function": "def ask(reading):\n    return jitinspect.read(reading, step, w)\nask('nosuch')",
    "magic at the end": "%%jitsource\n%time step(w, w)",
    "error in a line": "%jaxpr step(w, np.ones((3, 9)))",
    "name": "%jaxpr nosuch(w)",
    "inspect": "import jitinspect\njitinspect.inspect(step, w, np.ones((64, 4), 'float32'), key=True)",
    "read": "jitinspect.read('cost', step, w, np.ones((64, 4), 'float32'))",
    "watch": "with jitinspect.watch() as log:\n    step(w, np.ones((65, 4), 'float32'))\nlog",
    "unload": """%unload_ext jitinspect
shell = get_ipython()
left = [t for t in (*shell.input_transformers_cleanup, *shell.ast_transformers) if "jitinspect" in repr(t)]
left, shell.find_line_magic("hlo"), shell.find_cell_magic("compiles"), hasattr(
    jitinspect.errors.JitinspectError, "_render_traceback_")""",
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Each cell's outputs, by its name."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "program.py").write_text(PROGRAM)
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS.values()])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
    client = nbclient.NotebookClient(
        made, allow_errors=True, timeout=300, resources={"metadata": {"path": str(folder)}}
    )
    package = str(Path(jitinspect.__file__).parents[1])  # the very one that is tested
    client.execute(env={**os.environ, "PYTHONPATH": package})
    return {
        name: Cell(number, cell) for number, (name, cell) in enumerate(zip(CELLS, made.cells, strict=True), 1)
    }


class Cell:
    def __init__(self, number, cell):
        self.number, self.outputs = number, cell.outputs

    def of(self, *kinds):
        return [output for output in self.outputs if output.output_type in kinds]

    @property
    def result(self):
        """What it shows as its own output."""
        (output,) = self.of("execute_result")
        return output.data["text/plain"]

    @property
    def told(self):
        """What is said below it, as text."""
        (output,) = self.of("display_data")
        return output.data["text/plain"]

    @property
    def html(self):
        (output,) = [one for one in self.of("display_data", "execute_result") if "text/html" in one.data]
        return output.data["text/html"]

    @property
    def error(self):
        (output,) = self.of("error")
        return re.sub(r"\x1b\[[\d;]*m", "", "\n".join(output.traceback))


def lines_of(text):
    return [re.sub(r"  +", "  ", line) for line in text.splitlines()]


@pytest.mark.parametrize("number", range(len(SHOWN)))
def test_the_readme_shows_what_a_cell_shows(notebook, number):
    cell = notebook[f"README {number}"]
    (shown,) = [one for one in cell.of("display_data", "execute_result") if "text/html" in one.data]
    check_shown(SHOWN[number][1], shown.data["text/plain"])


def test_the_readme_names_every_magic():
    named = {
        name
        for row in re.findall(r"^\| (`%.*?) \|", SECTION, re.MULTILINE)
        for name in re.findall(r"%+(\w+)", row)
    }
    assert named == {*lines.CELLS, *lines.STAGES, *lines.READINGS}


def test_a_cell_says_what_it_compiled_in_which_line(notebook):
    cell = notebook["first"]
    assert cell.result.startswith("Array(")
    head, compiled = lines_of(cell.told)[:2]
    assert head.startswith(f"cell [{cell.number}]: 1 compilation · ")
    called = re.escape(f"step(f32[4,8], f32[16,4])  cell [{cell.number}]:12  first call of step")
    assert re.fullmatch(rf"COMPILED  .* m?s  {called}", compiled)


def test_a_second_run_is_cached(notebook):
    cell = notebook["cached"]
    assert lines_of(cell.told) == [
        f"cell [{cell.number}]: nothing was traced or compiled · 1 call cached", "CACHED  step  1 call",
    ]  # fmt: skip


def test_a_changed_argument_is_compared_with_the_nearest_cell_whether_that_was_told_of_or_not(notebook):
    assert notebook["unasked"].of("display_data") == []
    number = notebook["shape"].number
    head, compiled, hint, cached = lines_of(notebook["shape"].told)
    assert head.startswith(f"cell [{number}]: 1 compilation") and "1 of 1 avoidable" in head
    assert f"step(f32[4,8], f32[18,4])  cell [{number}]:3  x: f32[17,4] → f32[18,4]" in compiled
    assert hint.startswith("  hint  ") and cached == "CACHED  step  1 call"


def test_the_same_cell_run_again_is_cached(notebook):
    cell = notebook["again"]
    assert lines_of(cell.told) == [
        f"cell [{cell.number}]: nothing was traced or compiled · 2 calls cached", "CACHED  step  2 calls",
    ]  # fmt: skip


def test_quiet_says_nothing_of_a_cell_that_compiled_nothing(notebook):
    assert notebook["quiet"].of("display_data") == []
    assert notebook["quiet"].result.startswith("Array(")


def test_jits_of_modules_are_told_and_counted(notebook):
    assert "halve(f32[3])" in notebook["library"].told and "CACHED  halve  1 call" in "\n".join(
        lines_of(notebook["library"].told)
    )


def test_a_function_of_unchanged_text_is_the_same_in_a_changed_cell(notebook):
    number = notebook["other text"].number
    assert "first call of double" in notebook["same text"].told
    _, compiled, hint, *_ = lines_of(notebook["other text"].told)
    assert f"cell [{number}]:5  double is a new function object, jitted again (+1 more)" in compiled
    assert hint == "  hint  define and jit it in a cell of its own: a cell that is run again makes it anew"


def test_an_error_is_shown_as_always_and_told_of(notebook):
    cell = notebook["error"]
    assert "TypeError: dot_general" in cell.error and "----> 3 step(w" in cell.error
    assert "/jitinspect/" not in cell.error
    assert "nothing was compiled" in cell.told and "RAISED" in cell.told and "hint" not in cell.told


def test_nothing_is_left_in_the_users_names(notebook):
    assert notebook["after an error"].result == "('PjitFunction', 'jax._src.api')"


def test_other_magics_and_await_work_as_usual(notebook):
    assert "Wall time" in notebook["time"].of("stream")[0].text
    assert "f32[19,4]" in notebook["time"].told and "f32[20,4]" in notebook["await"].told


def test_a_line_shows_a_stage_of_a_call_that_is_not_made(notebook):
    assert notebook["jaxpr"].result.startswith("{ lambda ; a:f32[4,8] b:f32[32,4]. let\n")
    assert "mul a 3.0:f32[]" in notebook["static"].result
    assert (
        notebook["stablehlo"].result.startswith("module @jit_step") and "32x4" in notebook["stablehlo"].result
    )
    assert notebook["hlo"].result == "'HloModule jit_step'"
    assert "f32[5]" in notebook["local"].result and "sin" in notebook["local"].result
    assert "TypeError" not in notebook["not called"].result and "Tracer" in notebook["not called"].result
    assert notebook["not called"].result.count("'") == 2, "it was traced once, and never called"


def test_what_was_inspected_is_not_what_the_cell_compiled(notebook):
    head, cached = lines_of(notebook["inspected is not told"].told)
    assert "nothing was traced or compiled" in head and cached == "CACHED  step  1 call"


def test_lines_of_functions_in_cells_are_shown(notebook):
    cell = notebook["source"]
    source = lines_of(cell.result)
    assert source[0] == "loss(f32[4,8], f32[64,4], 3.0)"
    assert any(line.startswith(f"cell [{cell.number}]  eqns") for line in source)
    assert any(re.match(r"3  y = x @ w  \d+  \d+  \d+", line) for line in source)
    profile = notebook["profile"].result
    assert (
        "a call" in profile
        and f"cell [{notebook['first'].number}]" in profile
        and "h = jnp.tanh(x @ w)" in profile
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no call", "error: %%jitsource inspects a call, which 'y = 2' is not  hint: f(x)"),
        ("option", "error: %hlo has no option --nosuch  hint: it has --static, "),
        ("no call in a line", "error: %hlo inspects a call, which 'step' is not  hint: step(…)"),
        ("magic at the end", "error: %%jitsource inspects a call, which a magic is not  hint: f(x)"),
        ("api", "error: no reading 'nosuch'  hint: source, cost"),
        ("device", "error: no device is called 'v99'  hint: "),
    ],
)
def test_our_own_errors_are_one_line(notebook, name, said):
    assert notebook[name].error.startswith(said) and "\n" not in notebook[name].error


def test_an_error_of_ours_says_where_it_was_asked_for(notebook):
    cell = notebook["api in a function"]
    first, second, error = cell.error.splitlines()
    assert first == f"cell [{cell.number}]:3  ask('nosuch')"
    assert second == f"cell [{cell.number}]:2  return jitinspect.read(reading, step, w)"
    assert error.startswith("error: no reading 'nosuch'  hint: ")


def test_the_users_errors_are_shown_with_the_users_frames(notebook):
    error = notebook["error in a line"].error
    assert error.startswith("-----") and "TypeError: dot_general" in error
    assert "h = jnp.tanh(x @ w)" in error and f"Cell In[{notebook['first'].number}], line 8" in error
    assert "/jitinspect/" not in error and "/jax/" not in error and "During handling" not in error
    assert (
        "NameError: name 'nosuch'" in notebook["name"].error and "----> 1 nosuch(w)" in notebook["name"].error
    )


def test_what_has_an_html_has_a_text_too(notebook):
    for name in ("first", "jaxpr", "stablehlo", "source", "profile", "inspect", "read", "watch"):
        cell = notebook[name]
        assert cell.html.startswith('<div class="jitinspect"><style>') and cell.html.endswith("</div>")
        shown = [one for one in cell.of("display_data", "execute_result") if "text/html" in one.data]
        assert shown[0].data["text/plain"].strip()
        assert "\x1b" not in cell.html and "ipykernel" not in cell.html


def test_it_can_be_unloaded(notebook):
    assert notebook["unload"].result == "([], None, None, False)"


PAGE = """<!doctype html><html><head><style>html {{ overflow-y: scroll }}
.notebook td {{ padding: 9px; color: rgb(1, 2, 3); }}
.notebook tbody tr:nth-child(odd) {{ background: rgb(9, 9, 9); }} .notebook pre {{ font-size: 30px }}</style>
</head><body><div class="notebook"><table id="users"><tr><td>1</td></tr></table><pre id="text">a</pre>
<p id="p">b</p><details id="d"><summary>c</summary></details>{fragments}</div></body></html>"""
LOOK = """
const shown = (id) => { const style = getComputedStyle(document.getElementById(id));
  return [...style].map((name) => name + ":" + style.getPropertyValue(name)).join(";"); };
const body = () => { const { margin, font, color, background } = getComputedStyle(document.body);
  return [margin, font, color, background]; };
const all = () => [["users", "text", "p", "d"].map(shown), body()];
const inside = document.querySelectorAll(".jitinspect");
const cell = getComputedStyle(document.querySelector(".jitinspect td"));
const row = getComputedStyle(document.querySelector(".jitinspect tr"));
const look = getComputedStyle(inside[0]);
const found = { number: inside.length, padding: cell.paddingLeft, row: row.backgroundColor,
  background: look.backgroundColor, color: look.color,
  pre: getComputedStyle(document.querySelector(".jitinspect pre")).fontSize,
  wide: document.documentElement.scrollWidth > innerWidth };
const before = all();
inside.forEach((one) => one.remove());
return { ...found, same: JSON.stringify(before) === JSON.stringify(all()) };
"""


@pytest.mark.parametrize(
    ("light", "background"), [("true", "rgb(255, 255, 255)"), ("false", "rgb(22, 25, 29)")]
)
def test_a_fragment_keeps_to_itself_in_a_browser(notebook, tmp_path, light, background):
    """The page has a notebook's style, and elements of the user's own."""
    fragments = "".join(notebook[name].html for name in ("first", "jaxpr", "source", "inspect", "read"))
    page = PAGE.format(fragments=fragments).replace("<html>", f'<html data-jp-theme-light="{light}">')
    told = told_by(page, LOOK, tmp_path, width=360)
    assert told["same"], "what is outside looks alike with and without the fragments"
    assert told["number"] == 5 and not told["wide"]
    assert (told["padding"], told["pre"], told["row"]) == ("0px", "12px", "rgba(0, 0, 0, 0)")
    assert told["background"] == background and told["color"] != background


def test_neither_the_package_nor_its_help_imports_ipython():
    program = """
        import sys, jitinspect, jitinspect.cli.main
        from jitinspect import inspect, watch, profile
        print([name for name in sys.modules if name.partition(".")[0] == "IPython"])
    """
    assert python(program) == "[]\n"


def test_loading_the_extension_does_not_import_jax():
    """What the notebook sets before it imports jax must take effect."""
    program = """
        import sys
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        for cell in ("%load_ext jitinspect", "%%compiles\\n1 + 1"):
            assert shell.run_cell(cell).success
        print([name for name in ("jax", "numpy") if name in sys.modules])
    """
    assert python(program).splitlines()[-2:] == ["cell [1]: nothing was traced or compiled", "[]"]


def python(program):
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
