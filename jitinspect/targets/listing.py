"""What `jitinspect ls` shows: a module's callables, which of them are jitted, and where they are defined."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from pathlib import Path

from jitinspect.jaxapi.jits import recognition
from jitinspect.model import ListedCallable, Listing
from jitinspect.targets.loading import source_position
from jitinspect.targets.modules import bound_names, import_target
from jitinspect.targets.parameters import signature_text

_NOT_FUNCTIONS = (type, types.ModuleType, types.GenericAlias, types.UnionType)


def ls(module_ref: str, *, imported: bool = False) -> Listing:
    """The callables of a module (or a file), in its order: its own, then, if asked, those it imports.

    Private names are listed if the module defines them, since they can be targets too; so
    are the methods of its own classes. Raises `LoadError` if the module does not import.
    """
    module = import_target(module_ref)
    own = _own_names(module)
    rows = [_row(name, obj, own=name in own) for name, obj in vars(module).items() if _listed(name, obj, own)]
    classes = [obj for name, obj in vars(module).items() if name in own and isinstance(obj, type)]
    methods = [row for cls in classes for row in _method_rows(cls, module.__name__)]
    others = [row for row in rows if imported and not row.own]
    return Listing(module.__name__, (*(row for row in rows if row.own), *methods, *others))


def _own_names(module: types.ModuleType) -> frozenset[str]:
    """Read from its source: a jit made here from an imported function has another `__module__`."""
    if bound := bound_names(Path(module.__file__)) if module.__file__ else ():
        return frozenset(bound)
    return frozenset(n for n, v in vars(module).items() if getattr(v, "__module__", None) == module.__name__)


def _listed(name: str, obj: object, own: frozenset[str]) -> bool:
    if not callable(obj) or isinstance(obj, _NOT_FUNCTIONS) or type(obj).__module__ == "typing":
        return False
    return not name.startswith("_" if name not in own else "__")


def _method_rows(cls: type, module: str) -> Iterator[ListedCallable]:
    """The methods that the class's body defines; of the special ones only `__call__`."""
    if cls.__module__ != module:
        return
    for name, member in vars(cls).items():
        obj = getattr(cls, name) if isinstance(member, staticmethod | classmethod) else member
        special = name.startswith("__") and name != "__call__"
        if not special and callable(obj) and not isinstance(obj, _NOT_FUNCTIONS):
            yield _row(f"{cls.__qualname__}.{name}", obj, own=True)


def _row(name: str, obj: object, *, own: bool) -> ListedCallable:
    options = recognition.jit_options(obj) or recognition.JitOptions((), ())
    file, line = source_position(obj)
    text = signature_text(recognition.signature(obj))
    return ListedCallable(name, _kind(name, obj), text, options.static, options.donated, file, line, own)


def _kind(name: str, obj: object) -> str:
    if (kind := recognition.kind(obj)) is not None:
        return kind
    if recognition.is_pmapped(obj):
        return "jax.pmap"
    if not inspect.isroutine(obj):
        return "callable"
    return "method" if "." in name else "function"
