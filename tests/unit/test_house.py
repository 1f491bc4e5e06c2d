"""The wings of the house: who may import whom, what each says of itself, and where private JAX lives."""

import ast
import functools
import graphlib
import re
import statistics
from pathlib import Path

import pytest

import jitinspect

HOUSE = Path(jitinspect.__file__).parent

BELOW: dict[str, frozenset[str]] = {}
"""Each wing, and what it may import besides itself; only those that stand above it in this list."""


def wing(name: str, *may_import: str) -> None:
    assert {*may_import} <= {*BELOW}, f"{name} would import from above"
    BELOW[name] = frozenset(may_import)


wing("errors")
wing("model")
wing("process", "errors")
wing("specs", "errors")
wing("ir", "model", "process")
wing("jaxapi", "errors", "model", "process", "specs", "ir")
wing("devices", "errors", "model", "process", "specs", "ir", "jaxapi")
wing("targets", "errors", "model", "process", "specs", "jaxapi")
wing("stages", "errors", "model", "process", "specs", "ir", "jaxapi", "devices", "targets")
wing("files", "errors", "model", "process", "specs", "ir", "jaxapi", "devices", "targets", "stages")
wing("calls", "errors", "model", "process", "specs", "jaxapi", "targets")
wing("programs", "errors", "model", "process", "specs", "jaxapi", "calls")
wing("readings", "errors", "model", "devices", "process", "specs", "ir", "jaxapi", "stages")
wing("render", "errors", "model")
wing("cli", *BELOW)
wing("api", *BELOW.keys() - {"cli"})
wing("__main__", "cli")
MOST_ENTRIES = 18
"""At the root of the package, `__init__.py` included."""
LONGEST_FUNCTION, MEDIAN_FUNCTION = 60, 12
"""Lines, decorators not counted."""


@functools.cache
def parsed(path):
    """The tree of a file, for whoever only looks at it."""
    return ast.parse(path.read_text())


def imports(path, top_only=False):
    """Modules that a file imports, whole names; with `top_only` those that importing it imports."""
    tree = parsed(path)
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def wing_of(module):
    """`jitinspect.render.json.to_json` → `render`; None for other packages and for `jitinspect` itself."""
    parts = module.split(".")
    return parts[1] if parts[0] == "jitinspect" and len(parts) > 1 and parts[1] in BELOW else None


def files():
    for path in sorted(HOUSE.rglob("*.py")):
        first = path.relative_to(HOUSE).parts[0].removesuffix(".py")
        if first != "__init__":
            yield first, path


def entries(folder):
    return [entry for entry in folder.iterdir() if entry.name != "__pycache__"]


def test_the_root_holds_the_wings_and_no_more():
    found = {entry.name.removesuffix(".py") for entry in entries(HOUSE)}
    assert found == {*BELOW, "__init__"} and len(found) <= MOST_ENTRIES


def test_wings_import_what_they_may():
    for first, path in files():
        for used in filter(None, map(wing_of, imports(path))):
            assert used == first or used in BELOW[first], f"{path} imports {used}"


def test_each_folder_says_what_it_is():
    for folder in {path.parent for _, path in files()}:
        assert docstring(folder), folder


@pytest.mark.parametrize("name", [name for name in BELOW if (HOUSE / name).is_dir()])
def test_each_wing_says_what_enters_what_leaves_and_what_it_may_import(name):
    told = " ".join(docstring(HOUSE / name).split())
    assert re.search(r"\benters?\b.*\bleaves?\b", told)
    listed = told[told.index("May import: ") :]
    assert {*re.findall(r"`(\w+)`", listed)} == BELOW[name] or listed == "May import: every wing."


def docstring(folder):
    return ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))


def test_no_circle_of_imports():
    """Also none among the files of a wing: `graphlib` raises where there is one."""
    modules = {module_name(path): path for path in HOUSE.rglob("*.py")}
    arrows = {name: {*imported(path, modules)} - {name} for name, path in modules.items()}
    assert list(graphlib.TopologicalSorter(arrows).static_order())


def module_name(path):
    return ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")


def imported(path, modules):
    """Modules of the package that a file imports when it is imported."""
    for name in imports(path, top_only=True):
        while name not in modules and "." in name:
            name = name.rpartition(".")[0]
        if name in modules and name != "jitinspect":
            yield name


def test_functions_are_short():
    nodes = (node for _, path in files() for node in ast.walk(parsed(path)))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    lengths = {f"{node.name}:{node.lineno}": node.end_lineno - node.lineno + 1 for node in functions}
    assert max(lengths.values()) <= LONGEST_FUNCTION, max(lengths, key=lengths.__getitem__)
    assert statistics.median(lengths.values()) < MEDIAN_FUNCTION


def test_private_jax_has_one_home():
    for first, path in files():
        if first != "jaxapi":
            assert not re.search(r"jax\._src|jaxlib\.|import jaxlib", code(path)), path


def code(path):
    """The file without docstrings and comments, in which JAX may be spoken of."""
    return ast.unparse(_without_docstrings(ast.parse(path.read_text())))


def _without_docstrings(tree):
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [
                n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))
            ] or [ast.Pass()]
    return tree


def test_the_core_never_sees_rich_and_only_the_core_sees_jax():
    for first, path in files():
        packages = {name.split(".")[0] for name in imports(path)}
        assert "rich" not in packages or first == "render", path
        assert not packages & {"jax", "numpy"} or first in {
            "jaxapi", "targets", "stages", "files", "calls", "programs", "cli",
        }, path  # fmt: skip


def test_one_process_alone_sees_opentelemetry():
    """It is started by its name, so that no other imports it."""
    exporter = HOUSE / "programs/telemetry/exporter.py"
    for _, path in files():
        used = {*imports(path)}
        assert path == exporter or not any(name.startswith("opentelemetry") for name in used), path
        assert not any(name.startswith("jitinspect.programs.telemetry.exporter") for name in used), path


def test_what_runs_before_jax_does_not_import_it():
    for first, path in files():
        if (
            first in {"__main__", "cli", "render", "specs", "errors", "model", "devices", "process"}
            or path.parent.name == "targets"
        ):
            packages = {name.split(".")[0] for name in imports(path, top_only=True)}
            assert not packages & {"jax", "numpy"}, path


MIRRORED = {"unit": HOUSE, "integration": HOUSE, "contract": HOUSE / "jaxapi"}
"""Kinds of tests whose folders are those of the house, so that a module's tests are found by its path."""
OF_A_WHOLE_WING = {
    "test_house", "test_api", "test_dtypes",
    "test_causes_are_facts", "test_drawn_histories", "test_equal_to_jax", "test_undisturbed",
}  # fmt: skip
"""Tests of no one module: of the package, of tables that wings share, and of all that `calls` does."""


def test_tests_stand_where_their_module_stands():
    tests = Path(__file__).parents[1]
    for kind, mirrored in MIRRORED.items():
        for path in (tests / kind).rglob("test_*.py"):
            place = mirrored / path.relative_to(tests / kind).parent
            modules = {entry.name.removesuffix(".py") for entry in entries(place)} | {place.name}
            tested = path.stem.removeprefix("test_")
            found = any(tested == name or tested.startswith(f"{name}_") for name in modules)
            assert found or path.stem in OF_A_WHOLE_WING, path
