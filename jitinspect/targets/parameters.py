"""Parameters by name or position: `--static NAME|INDEX` and `--donate NAME|INDEX` → what `jax.jit` takes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jitinspect.errors import UsageError
from jitinspect.targets.modules import nearest

Label = str | int


@dataclass(frozen=True, slots=True)
class Selection:
    """Parameters by every position and every name by which a call may pass them.

    If `jax.jit` is given both, it infers neither, so a parameter is selected alike however it
    was named. `labels` are the names, or positions if there is no name.
    """

    nums: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()


def select(flag: str, given: Sequence[Label], signature: inspect.Signature | None, ref: str) -> Selection:
    """The parameters of `ref` that `given` names: names or positions (`-1` is the last; a string
    that is a number counts as a position; `a,b` names two). Raises `UsageError`, which names `flag`, for a
    parameter that does not exist.
    """
    found = [_selected(flag, label, signature, ref) for label in _separate(given)]
    labels = (num if name is None else name for num, name in found)
    return Selection(
        nums=tuple(dict.fromkeys(num for num, _ in found if num is not None)),
        names=tuple(dict.fromkeys(name for _, name in found if name is not None)),
        labels=tuple(dict.fromkeys(label for label in labels if label is not None)),
    )


def signature_text(signature: inspect.Signature | None) -> str:
    """The signature on one line, with annotations as written; empty if there is none."""
    if signature is None:
        return ""
    parameters = [p.replace(annotation=_unquoted(p.annotation)) for p in signature.parameters.values()]
    returned = _unquoted(signature.return_annotation)
    return " ".join(str(signature.replace(parameters=parameters, return_annotation=returned)).split())


def brief_signature(signature: inspect.Signature) -> str:
    """Only names and defaults, as in a message: `(x, act=relu, *, sizes=(1, 2), tree=…)`."""
    parameters = [
        parameter.replace(annotation=parameter.empty, default=_brief_default(parameter))
        for parameter in signature.parameters.values()
    ]
    return str(inspect.Signature(parameters))


def _brief_default(parameter: inspect.Parameter) -> Any:
    """A function's name, a short value as it is, and `…` for all else."""
    default = parameter.default
    if default is parameter.empty:
        return default
    name = getattr(default, "__name__", None)
    if callable(default) and isinstance(name, str) and name != "<lambda>":
        return _Verbatim(name)
    text = repr(default) if isinstance(default, _PLAIN) else "…"
    return _Verbatim(text if len(text) <= _LONGEST else "…")


_PLAIN = (int, float, complex, str, bytes, bool, tuple, type(None))
_LONGEST = 24
"""Characters of a default."""


class _Verbatim(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _unquoted(annotation: Any) -> Any:
    """Under `from __future__ import annotations` an annotation is a string, which would print with quotes."""
    return _Verbatim(annotation) if isinstance(annotation, str) else annotation


def _separate(given: Sequence[Label]) -> Iterator[Label]:
    """`a,b` are two."""
    for label in given:
        yield from label.split(",") if isinstance(label, str) else [label]


def _selected(
    flag: str, label: Label, signature: inspect.Signature | None, ref: str
) -> tuple[int | None, str | None]:
    index = _as_index(label)
    if signature is None:  # a builtin: nothing to check against
        return (None, str(label)) if index is None else (index, None)
    if index is None:
        return _by_name(flag, str(label), signature, ref)
    return _by_index(flag, index, signature, ref)


def _as_index(label: Label) -> int | None:
    try:
        return int(label)
    except ValueError:
        return None


def _by_index(flag: str, index: int, signature: inspect.Signature, ref: str) -> tuple[int, str | None]:
    positional = _positional(signature)
    takes_more = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())
    at = index + len(positional) if index < 0 else index
    if at < 0 or (at >= len(positional) and not takes_more):
        message = f"{flag} {index}: {ref} has {len(positional)} positional parameters"
        raise UsageError(message, hint=_choices(flag, signature))
    if at >= len(positional) or positional[at].kind is inspect.Parameter.POSITIONAL_ONLY:
        return at, None
    return at, positional[at].name


def _by_name(flag: str, name: str, signature: inspect.Signature, ref: str) -> tuple[int | None, str | None]:
    parameter = signature.parameters.get(name)
    if parameter is None or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        if any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
            return None, name
        message = f"{flag} {name}: {ref} has no such parameter"
        raise UsageError(message, hint=_choices(flag, signature, near=name))
    if parameter.kind is parameter.KEYWORD_ONLY:
        return None, name
    at = _positional(signature).index(parameter)
    return at, None if parameter.kind is parameter.POSITIONAL_ONLY else name


def _positional(signature: inspect.Signature) -> list[inspect.Parameter]:
    parameters = signature.parameters.values()
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _choices(flag: str, signature: inspect.Signature, near: str = "") -> str:
    close = nearest(near, signature.parameters, most=1)
    if close:
        return f"did you mean {flag} {close[0]}?"
    return f"its parameters: {', '.join(signature.parameters) or 'none'}"
