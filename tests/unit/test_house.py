"""The floors of the house: who may import whom, and where private JAX lives."""

import ast
import re
from pathlib import Path

import jitinspect

HOUSE = Path(jitinspect.__file__).parent

FLOORS = {
    "errors": 0, "model": 0, "paths": 0, "marks": 0, "imports": 0, "collection": 0, "listeners": 1,
    "specs": 1, "hlotext": 1, "ir": 1, "tracebacks": 1, "explain": 1, "keydiff": 1, "summary": 1,
    "unevenness": 1, "pysource": 2, "costs": 2, "passdumps": 2, "limits": 2, "lockfile": 2,
    "jaxapi": 2, "describe": 2, "trees": 2, "padding": 2, "program": 2, "recording": 2, "recordings": 3,
    "differences": 3, "target": 3, "kernels": 3, "observe": 3, "signature": 3, "advice": 3, "cachekey": 3,
    "arguments": 4, "stages": 4, "doctor": 4, "probes": 4, "layers": 4, "comparisons": 4,
    "executables": 5, "entries": 5, "programs": 5, "books": 6, "seen": 6, "plan": 6, "views": 6,
    "ledger": 7, "watcher": 7, "watching": 8,
    "replay": 8, "bookkeeping": 8, "planning": 9,
    "inspection": 10, "tracecache": 10, "running": 10, "readings": 11, "comparing": 11,
    "cli": 12, "api": 12, "__main__": 13, "pytest_plugin": 13,
}  # fmt: skip
"""Each room may import from its own package and from floors below; `render` stands apart."""
RENDER_MAY_IMPORT = {"errors", "model", "render"}
"""Renderings see data alone."""


def imports(path, top_only=False):
    """Modules that a file imports, whole names; with `top_only` those that importing it imports."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module):
    """`jitinspect.render.json.to_json` → `render`; None for other packages and for `jitinspect` itself."""
    parts = module.split(".")
    known = parts[0] == "jitinspect" and len(parts) > 1 and parts[1] in {*FLOORS, "render"}
    return parts[1] if known else None


def files():
    for path in sorted(HOUSE.rglob("*.py")):
        first = path.relative_to(HOUSE).parts[0].removesuffix(".py")
        if first != "__init__":
            yield first, path


def test_every_room_has_a_floor():
    assert {first for first, _ in files()} == {*FLOORS, "render"}


def test_arrows_only_go_down():
    for first, path in files():
        for used in filter(None, map(room, imports(path))):
            if first == "render":
                assert used in RENDER_MAY_IMPORT, f"{path} imports {used}"
            elif used == "render":
                assert first in {"cli", "api"}, f"{path} imports {used}"
            else:
                assert used == first or FLOORS[used] < FLOORS[first], f"{path} imports {used}"


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
            "jaxapi", "kernels", "arguments", "stages", "doctor", "target", "cli", "explain", "trees",
            "signature", "replay", "probes", "watcher",
        }, path  # fmt: skip


def test_what_runs_before_jax_does_not_import_it():
    for first, path in files():
        if first in {"__main__", "cli", "render", "specs", "errors", "model", "describe", "target"}:
            packages = {name.split(".")[0] for name in imports(path, top_only=True)}
            assert not packages & {"jax", "numpy"}, path
