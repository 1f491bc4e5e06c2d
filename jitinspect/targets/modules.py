"""Imports the user's module, by name or by file, and says what went wrong if that fails.

JAX is not imported here, except by the module itself.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

from jitinspect.errors import LoadError
from jitinspect.process.tracebacks import user_traceback


def import_target(text: str) -> ModuleType:
    """The module that a target names before its colon: `pkg.mod` or `path/to/file.py`.

    The current folder becomes importable, as for `python -m`; for a file, so does its own
    folder, as for `python file.py`. Both stay importable, since the user's functions may
    import more later. Raises `LoadError` if the import fails; KeyboardInterrupt propagates.
    """
    _prepend_path(Path.cwd())
    return _import_file(text) if is_path(text) else _import_name(text)


def is_path(text: str) -> bool:
    return text.endswith(".py") or "/" in text or os.sep in text


def source_file(text: str) -> Path | None:
    """The source of a module in the current folder, found without importing anything."""
    path = Path(text) if is_path(text) else Path(*text.split("."))
    candidates = (path, path.with_suffix(".py"), path / "__init__.py") if path.name else ()
    return next((c for c in candidates if c.suffix == ".py" and c.is_file()), None)


def bound_names(source: Path) -> tuple[str, ...]:
    """The names that a module's own statements define or assign, in order, without those it imports.

    () if the source does not parse.
    """
    try:
        tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()
    return tuple(dict.fromkeys(_bound(tree)))


def nearest(name: str, candidates: Iterable[str], *, most: int = 3) -> list[str]:
    """The candidates that `name` may be a misspelling of, the best first."""
    by_lower = {c.lower(): c for c in candidates}
    return [by_lower[c] for c in difflib.get_close_matches(name.lower(), by_lower, n=most, cutoff=0.6)]


def _bound(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child.name
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        else:
            yield from _bound(child)


def _prepend_path(folder: Path) -> None:
    """Unless it is there already: as a relative entry, or as the empty one of `python -c`."""
    if not any(os.path.abspath(entry) == str(folder) for entry in sys.path):
        sys.path.insert(0, str(folder))


def _import_name(name: str) -> ModuleType:
    try:
        return _guarded(name, lambda: importlib.import_module(name))
    except ModuleNotFoundError as exc:
        if exc.name is None or not f"{name}.".startswith(f"{exc.name}."):
            raise LoadError(
                f"{name} imports {exc.name}, which was not found", detail=user_traceback(exc)
            ) from None
        raise LoadError(f"no module named {exc.name}", hint=_missing_hint(name, exc.name)) from None


def _guarded(name: str, load: Callable[[], ModuleType]) -> ModuleType:
    """Run the user's import; whatever it raises becomes a `LoadError`, except for a missing module."""
    try:
        return load()
    except ModuleNotFoundError:
        raise
    except SystemExit as exc:
        code = "" if exc.code is None else repr(exc.code)
        hint = 'put code that only the program should run under `if __name__ == "__main__":`'
        raise LoadError(
            f"{name} called sys.exit({code}) while it was imported", hint=hint, detail=user_traceback(exc)
        ) from None
    except SyntaxError as exc:
        where = f"{exc.filename}:{exc.lineno}" if exc.filename else name
        raise LoadError(f"{where}: {exc.msg}", detail=user_traceback(exc)) from None
    except Exception as exc:
        message = f"{name} raised {type(exc).__name__} while it was imported"
        raise LoadError(message, detail=user_traceback(exc)) from None


def _missing_hint(name: str, missing: str) -> str | None:
    """What may have been meant: an attribute of a module, or a module with a similar name, in the
    current folder rather than an installed one.
    """
    parent, _, last = missing.rpartition(".")
    if (package := sys.modules.get(parent)) and not hasattr(package, "__path__"):
        return f"{parent} is a module, not a package: {parent}:{name.removeprefix(parent + '.')}"
    for folders in [package.__path__] if package else [[str(Path.cwd())], None]:
        siblings = {module.name for module in pkgutil.iter_modules(folders)}
        if close := [f"{parent}.{found}".lstrip(".") for found in nearest(last, siblings)]:
            return f"did you mean {' or '.join(close)}?"
    return None


def _import_file(text: str) -> ModuleType:
    path = Path(text).absolute()
    if not path.is_file():
        raise LoadError(f"no file {text}", hint=_missing_file_hint(Path(text)))
    root, name = _package_name(path)
    _prepend_path(root)
    try:
        return _guarded(text, lambda: _module_of_file(name, path))
    except ModuleNotFoundError as exc:
        message = f"{text} imports {exc.name}, which was not found"
        raise LoadError(message, detail=user_traceback(exc)) from None


def _missing_file_hint(path: Path) -> str | None:
    if path.with_suffix(".py").is_file():
        return f"did you mean {path.with_suffix('.py')}?"
    beside = (found.name for found in path.parent.glob("*.py"))
    close = [str(path.with_name(found)) for found in nearest(path.name, beside)]
    return f"did you mean {' or '.join(close)}?" if close else None


def _package_name(path: Path) -> tuple[Path, str]:
    """The folder to import from, and the module's name there, dotted if it is in a package."""
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        parts.insert(0, folder.name)
        folder = folder.parent
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return folder, ".".join(parts)


def _module_of_file(name: str, path: Path) -> ModuleType:
    """Import it by name if that name leads to this very file, otherwise from the file itself."""
    names = (name, path.stem, f"{path.stem}_file")
    for known in names:
        if _is_from(getattr(sys.modules.get(known), "__file__", None), path):
            return sys.modules[known]
    spec = importlib.util.find_spec(name) if path.stem.isidentifier() and name != "__main__" else None
    if spec and _is_from(spec.origin, path):
        return importlib.import_module(name)
    return _exec_file(names[2] if spec or path.stem in sys.modules else path.stem, path)


def _is_from(origin: str | None, path: Path) -> bool:
    return origin is not None and os.path.exists(origin) and os.path.samefile(origin, path)


def _exec_file(name: str, path: Path) -> ModuleType:
    """Run it, registered in `sys.modules` as dataclasses and pickle expect; removed again if it fails."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a .py file always has a loader"
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
