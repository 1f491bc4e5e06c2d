"""What follows a magic's name, and the cells that end with a call."""

import ast

import pytest

from jitinspect.api.notebook import lines
from jitinspect.errors import UsageError


@pytest.mark.parametrize(
    ("magic", "line", "options", "text"),
    [
        ("jaxpr", "f(x)", {}, "f(x)"),
        ("jaxpr", "  f(x, -1)  ", {}, "f(x, -1)"),
        ("hlo", "--target v5e --full f(x)", {"target": "v5e", "full": True}, "f(x)"),
        ("hlo", "--target=v5e:4x4 f(x)", {"target": "v5e:4x4"}, "f(x)"),
        ("hlo", "--before f('--target')", {"before": True}, "f('--target')"),
        ("jaxpr", "--static n --static 2 f(x)", {"static": ("n", 2)}, "f(x)"),
        ("jaxpr", "--transform grad --transform vmap f(x)", {"transforms": ("grad", "vmap")}, "f(x)"),
        ("compiles", "-q", {"quiet": True}, ""),
        ("compiles", "", {}, ""),
        ("jaxpr", "-f(x)", {}, "-f(x)"),
        ("jaxpr", "--target v5e f(x)", None, "no option --target"),
        ("hlo", "--target", None, "needs a value"),
        ("hlo", "--target v5e", {"target": "v5e"}, ""),
    ],
)
def test_options_come_before_the_call(magic, line, options, text):
    if options is None:
        with pytest.raises(UsageError, match=text) as found:
            lines.parse(magic, line)
        assert found.value.hint
        return
    assert lines.parse(magic, line) == lines.Line(options, text)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("f", "%hlo inspects a call, which 'f' is not", "f(…)"),
        ("model.step", "'model.step'", "model.step(…)"),
        ("f(x)[0]", "'f(x)[0]'", "f(x)"),
        ("get_ipython().run_cell_magic('time', '', 'f(x)')", "which a magic is not", "f(x)"),
        ("-f(x)", "'-f(x)'", "f(x)"),
        ("f(x", "is not Python", "%hlo f(x)"),
        ("y = f(x)", "is not Python", "%hlo f(x)"),
        ("", "is not Python", "%hlo f(x)"),
    ],
)
def test_what_is_no_call_is_refused(text, said, hint):
    with pytest.raises(UsageError) as found:
        lines.call_of("hlo", text)
    assert said in found.value.message and found.value.hint == hint


def reader(magic, options):
    return f"reader({magic!r}, {options!r})"


@pytest.mark.parametrize(
    ("call", "passed"),
    [
        ("f(x)", "r(f, x)"),
        ("f()", "r(f)"),
        ("jax.grad(f)(*xs, y, static=3, **more)", "r(jax.grad(f), *xs, y, static=3, **more)"),
    ],
)
def test_the_function_is_passed_on_with_its_arguments(call, passed):
    made = lines.passed_on(lines.call_of("hlo", call), "r")
    assert ast.unparse(made) == passed
    assert all(node.lineno == 1 for node in ast.walk(made) if isinstance(node, ast.expr))


def inspected(cell):
    tree = ast.parse(cell)
    lines.inspect_last(tree, reader)
    return ast.unparse(ast.fix_missing_locations(tree))


MARK = "get_ipython().run_line_magic('jitsource', '--static n')\n"


def test_a_cell_ends_with_the_call_that_is_inspected():
    assert inspected(f"{MARK}x = 1\nf(x, n=2)") == "x = 1\nreader('jitsource', '--static n')(f, x, n=2)"


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "f(x)",
        MARK,
        f"x = 1\n{MARK}f(x)",
        "get_ipython().run_line_magic('jitsource', 'f(x)')\ng(x)",
        "get_ipython().run_line_magic('time', '')\ng(x)",
        "get_ipython().run_cell_magic('time', '', 'x')\ng(x)",
    ],
)
def test_other_cells_stay_as_they_are(cell):
    assert inspected(cell) == ast.unparse(ast.parse(cell))


@pytest.mark.parametrize("last", ["y = f(x)", "f", "def g():\n    return f(x)"])
def test_a_cell_that_ends_with_no_call_is_refused(last):
    with pytest.raises(UsageError, match="%%jitsource inspects a call"):
        inspected(f"{MARK}{last}")


@pytest.mark.parametrize(
    ("cell", "ours"),
    [
        ("%%compiles\nf(x)", True),
        ("%%compiles -q\nf(x)", True),
        ("%%jitsource", True),
        ("%%compilesx\nf(x)", False),
        ("%%time\n%%compiles\nf(x)", False),
        ("%compiles\nf(x)", False),
        ("", False),
    ],
)
def test_a_cell_is_known_by_its_first_line(cell, ours):
    assert lines.of_cell(cell.splitlines(keepends=True)) is ours
