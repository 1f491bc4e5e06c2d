"""`mod:fn` → the object it names, and where that is defined.

JAX is not imported here, except by the user's module.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from jitinspect.errors import LoadError, UsageError
from jitinspect.jaxapi.jits import recognition
from jitinspect.process.tracebacks import user_traceback
from jitinspect.targets.modules import bound_names, import_target, is_path, nearest, source_file

_LISTED = 8


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A target's callable, as the user's module has it: jitted or not.

    `file` and `line` are those of the Python function under all wrappers (the line of its
    first decorator, as JAX counts it), None if there is no Python source.
    """

    ref: str
    module: str
    qualname: str
    object: Any
    file: str | None
    line: int | None


def parse_ref(ref: str) -> tuple[str, str]:
    """Module (or file path) and qualified name of `mod:fn`. Raises `UsageError` if it is not of
    that form; nothing is imported.
    """
    module, colon, qualname = ref.rpartition(":")
    if not colon:
        raise UsageError(
            f"{ref!r} does not name a function: a target is MODULE:FUNCTION", hint=_colon_hint(ref)
        )
    if not module or not all(part.isidentifier() for part in qualname.split(".")):
        hint = f"{module or 'MODULE'}:FUNCTION or {module or 'MODULE'}:Class.method"
        raise UsageError(f"{ref!r} is not a target", hint=hint)
    if not is_path(module) and not all(part.isidentifier() for part in module.split(".")):
        raise UsageError(f"{module!r} is not a module name", hint="pkg.mod:fn or path/to/file.py:fn")
    return module, qualname


def load(ref: str) -> Loaded:
    """Import the module of `ref` and find the callable in it.

    Raises `UsageError` for a malformed ref, and `LoadError` for a module that does not import, a
    name that does not exist, and a module, class or uncallable object, each with what to type
    instead.
    """
    source, qualname = parse_ref(ref)
    module = import_target(source)
    obj = _resolve(module, source, qualname)
    _require_callable(obj, ref)
    file, line = source_position(obj)
    return Loaded(ref, module.__name__, qualname, obj, file, line)


def named(obj: Any) -> Loaded:
    """The same for an object that is already loaded. Raises `LoadError` if it is not callable."""
    module = getattr(obj, "__module__", None) or type(obj).__module__
    qualname = getattr(obj, "__qualname__", None) or type(obj).__qualname__
    ref = f"{module}:{qualname}"
    _require_callable(obj, ref)
    return Loaded(ref, module, qualname, obj, *source_position(obj))


def source_position(obj: object) -> tuple[str | None, int | None]:
    """File and first line of the Python function under `obj`; (None, None) if there is none."""
    function = recognition.wrapped(obj)
    return (function.__code__.co_filename, function.__code__.co_firstlineno) if function else (None, None)


def _colon_hint(ref: str) -> str:
    """Candidates, read from the source of a module in the current folder."""
    head, _, tail = ref.rpartition(".")
    if (source := source_file(ref)) is not None:
        module = str(source) if is_path(ref) else ref
        names = [n for n in bound_names(source) if n[0].islower()]
        return _listing(module, names) if names else f"{module}:FUNCTION"
    if head and (source := source_file(head)) and tail in bound_names(source):
        return f"did you mean {head}:{tail}?"
    return f"{ref}:FUNCTION, or path/to/file.py:FUNCTION"


def _listing(prefix: str, names: list[str], separator: str = ":") -> str:
    more = ", …" if len(names) > _LISTED else ""
    return f"{', '.join(f'{prefix}{separator}{name}' for name in names[:_LISTED])}{more}"


def _resolve(module: ModuleType, source: str, qualname: str) -> Any:
    obj: Any = module
    done: list[str] = []
    for part in qualname.split("."):
        where = f"{source}:{'.'.join(done)}" if done else source
        try:
            obj = _member(obj, part)
        except AttributeError:
            raise LoadError(f"{where} has no {part!r}", hint=_name_hint(obj, where, part)) from None
        except Exception as exc:
            message = f"{where} raised {type(exc).__name__} when asked for {part!r}"
            raise LoadError(message, detail=user_traceback(exc)) from None
        done.append(part)
    return obj


def _member(owner: Any, name: str) -> Any:
    """An attribute, or a module of a package that has not been imported yet."""
    if isinstance(owner, ModuleType) and hasattr(owner, "__path__") and not hasattr(owner, name):
        with suppress(LoadError):
            return import_target(f"{owner.__name__}.{name}")
    return getattr(owner, name)


def _name_hint(owner: object, where: str, name: str) -> str | None:
    separator = "." if ":" in where else ":"
    names = callable_names(owner)
    close = nearest(name, names)
    if close:
        return f"did you mean {' or '.join(f'{where}{separator}{n}' for n in close)}?"
    return _listing(where, names, separator) or None


def callable_names(owner: object) -> list[str]:
    """Public functions and jits of a module, its own first; or the methods of a class or an instance.

    Descriptors and a module's `__getattr__` are not called, since they may run code.
    """
    if not isinstance(owner, ModuleType):
        members = inspect.getmembers_static(owner)
        return [n for n, v in members if (n[0] != "_" or n == "__call__") and recognition.wrapped(v)]
    functions = [n for n, v in vars(owner).items() if n[0] != "_" and callable(v) and not isinstance(v, type)]
    own = set(bound_names(Path(owner.__file__))) if owner.__file__ else set()
    return sorted(functions, key=lambda name: name not in own)


def _methods(owner: type, ref: str) -> str:
    """`mod:Net.__call__, or .decode, .encode, …`: its own methods, or those that it inherits."""
    names = callable_names(owner)
    fields = getattr(owner, "__dataclass_fields__", {})  # whose defaults may be functions
    names = [name for name in names if name in vars(owner) and name not in fields] or names
    names.sort(key=lambda name: name != "__call__")
    first, others = names[:1], names[1:_METHODS]
    more = ["…"] if len(names) > _METHODS else []
    rest = ", ".join([*(f".{name}" for name in others), *more])
    return "".join(f"{ref}.{name}" for name in first) + (f", or {rest}" if rest else "")


_METHODS = 4


def _require_callable(obj: object, ref: str) -> None:
    if isinstance(obj, ModuleType):
        hint = _listing(obj.__name__, callable_names(obj)) or f"{obj.__name__}:FUNCTION"
        raise LoadError(f"{ref} is a module, not a function", hint=hint)
    if isinstance(obj, type):
        hint = _methods(obj, ref) or "name an instance of it, or a function that calls it"
        raise LoadError(f"{ref} is a class: name one of its methods, or an instance", hint=hint)
    if inspect.iscoroutinefunction(obj):
        raise LoadError(f"{ref} is an async function, which JAX does not trace")
    if not callable(obj):
        message = f"{ref} is not callable: it is of type {type(obj).__name__}"
        raise LoadError(message, hint=f"see `jitinspect ls {ref.rpartition(':')[0]}`")
